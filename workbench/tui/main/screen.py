"""The workbench's screen: layout, keys, and what it does when a widget or the engine speaks.

What a key or a message does lies in `workbench.tui.bench`, in functions that take the screen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from workbench.tui.main import changes, looking, panes, sessions, showing, start
from workbench.tui.main.panes import PANES
from workbench.tui.state.availability import why_not
from workbench.tui.terminal.keymap import Keymap, Renamed, key, named
from workbench.tui.widgets.checkpoints import CheckpointList
from workbench.tui.widgets.details import CheckpointDetails
from workbench.tui.widgets.flow import Flow
from workbench.tui.widgets.form import FieldRow, ParameterForm
from workbench.tui.widgets.header import HeaderLine
from workbench.tui.widgets.image_grid import ImageGrid
from workbench.tui.widgets.images import ImagesPane
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.lines import Lines
from workbench.tui.widgets.progress import ProgressLine
from workbench.tui.widgets.recipe import RecipeList
from workbench.tui.widgets.sheet import ContactSheet
from workbench.tui.widgets.tabs import TabLine
from workbench.tui.widgets.trade_off import TradeOff

if TYPE_CHECKING:
    from workbench.engine.protocol.client import EngineClient, Lost
    from workbench.engine.protocol.messages import Event
    from workbench.tui.main.running import Running
    from workbench.tui.screens.files.questions import SessionFiles
    from workbench.tui.screens.plots.screen import PlotsScreen
    from workbench.tui.state.document import Document
    from workbench.tui.state.workspace import Desk

REDRAW = 1 / 15  # seconds from a picture of a run to the redraw that it shares with others
PROGRESS = 1 / 4  # the same of figures alone
LOOK = 2.0  # seconds between two looks at the folders of checkpoints and images
AUTOSAVE = 1.0  # seconds of quiet before the unsaved session is kept
FIELDS = 8  # parameters that a form has room for from the start


class Told(Message):
    """The engine said something."""

    def __init__(self, event: Event | Lost) -> None:
        super().__init__()
        self.event = event


class Bench(Screen[None]):
    """Library, flow and recipe side by side, or behind each other as tabs."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # textual declares it without ClassVar
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall"), (50, "-high")]  # noqa: RUF012  # likewise
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add"),
        Binding("r", "run", "run"),
        Binding("c", "cancel", "cancel"),
        Binding("Q", "queue", "queue", show=False),
        Binding("A", "auto", "auto-run", show=False),
        Binding("p", "previews", "previews", show=False),
        Binding("escape", "cancel", "cancel", show=False),
        Binding("u", "undo", "undo"),
        Binding("ctrl+z", "undo", "undo", show=False),
        Binding("ctrl+r", "redo", "redo"),
        Binding("U", "redo", "redo", show=False),
        Binding("ctrl+s", "save", "save"),
        Binding("W", "save_as", "save as", show=False),
        Binding("o", "open", "open"),
        Binding("e", "form", "edit", show=False),
        Binding("y", "yaml", "yaml"),
        Binding("ctrl+e", "edit_yaml", "edit yaml", show=False),
        Binding("l", "latents", "latents", show=False),
        Binding("z", "zoom", "zoom", show=False),
        Binding("v", "view", "look closely", show=False),
        Binding("T", "trajectory", "trajectory", show=False),
        Binding("i", "inspect", "inspect", show=False),
        Binding("g", "plots", "plots", show=False),
        Binding("ctrl+n", "new", "new", show=False),
        Binding("N", "title", "title", show=False),
        Binding("C", "copy", "copy", show=False),
        Binding("h", "history", "history", show=False),
        Binding("q", "quit", "quit"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("ctrl+t", "app.theme", "theme", show=False),
        Binding("tab", "next_pane(1)", "next pane", show=False),
        Binding("shift+tab", "next_pane(-1)", "previous pane", show=False),
        *[Binding(str(i + 1), f"pane('{pane}')", pane, show=False) for i, pane in enumerate(PANES)],
        Binding("ctrl+q", "quit", "quit", show=False, system=True),
    ]
    BINDINGS = named(BINDINGS)

    def __init__(
        self,
        path: Path | None,
        engine_command: Sequence[str] | None,
        checkpoints: tuple[Path, ...],
        runs: Path | None,
    ) -> None:
        super().__init__()
        self.desk: Desk | None = None
        self.engine: EngineClient | None = None
        self.files: SessionFiles | None = None
        self.running: Running | None = None
        self.plots: PlotsScreen | None = None
        self.path = path
        self._engine_command = engine_command
        self.checkpoints = checkpoints
        self.runs = runs
        self.redraw: Timer | None = None
        self._due = 0.0  # when it is, by the monotonic clock
        self.save_soon: Timer | None = None
        self.latents = False
        self.outdated = False  # whether a run has gone on behind another screen
        self.loaded: tuple[object, ...] = ()
        self._stamp: object = None
        self.keymap: Keymap = {}

    # ---- layout

    def compose(self) -> ComposeResult:
        """Header, columns, progress, keys."""
        yield HeaderLine()
        yield TabLine()
        with Horizontal(id="columns"):
            with Vertical(id="left"):
                yield _titled(CheckpointList(id="checkpoints"), "1 Checkpoints")
                yield _titled(ImagesPane(id="images"), "2 Images")
                yield _titled(CheckpointDetails(id="details"), "")
            with Vertical(id="middle"):
                yield Flow(id="flow")
                yield _titled(ContactSheet(id="sheet"), "3 Results")
            with Vertical(id="right"):
                yield _titled(RecipeList(id="recipe"), "4 Recipe")
                yield _titled(ParameterForm(id="form", back="#recipe"), "")
                yield _titled(TradeOff(id="tradeoff"), "Trade-off")
        yield ProgressLine()
        yield KeyHints()

    def on_mount(self) -> None:
        """The frame first; what is slow to load comes after it."""
        panes.show_tab(self, "flow")
        self.query_one("#sheet").focus()
        self.call_after_refresh(self._begin)

    @work(exclusive=True, group="begin")
    async def _begin(self) -> None:
        """Load the schema, the library and the session; start the engine."""
        from workbench.engine.protocol.client import COMMAND, EngineClient
        from workbench.tui.main.running import Running
        from workbench.tui.screens.files.questions import SessionFiles

        self.files = SessionFiles(self)
        await asyncio.to_thread(start.load_own_files)
        for form in self.query(ParameterForm):
            await form.prepare(FIELDS)
        listed = await asyncio.to_thread(start.list_checkpoints, self)
        start.take_keys(self)
        start.report_skipped_files(self)
        self.take_document(start.first_document(self, listed), listed)
        if self.path is not None and self.path.is_dir():
            await sessions.take_run(self, self.path)
        extra = start.checkpoint_options(self)
        self.engine = EngineClient(self._hear, self._engine_command or (*COMMAND, *extra))
        self.running = Running(self, self.engine)
        await self.engine.start()
        self.refresh_views()
        if (recovered := await self.files.recover()) is not None:
            self.take_document(recovered)
        self.set_interval(LOOK, self._look)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Whether checkpoints or images changed on disk; nothing is drawn when they did not."""
        if self.desk is None:
            return
        stamp = await asyncio.to_thread(start.library_stamp, self)
        if self._stamp not in (None, stamp):
            self.desk.listed = await asyncio.to_thread(start.list_checkpoints, self)
            self.refresh_views()
        self._stamp = stamp
        if await asyncio.to_thread(self.desk.images_changed):
            self.load_pictures()

    def take_document(self, document: Document, listed: list[Any] | None = None) -> None:
        """Put a session on the desk in place of the one that is there."""
        from workbench.tui.main.running import new_queue
        from workbench.tui.state.workspace import Desk

        if self.desk is not None and listed is None:
            listed = self.desk.listed
        queue = self.desk.queue if self.desk is not None else new_queue()
        queue.put_away()
        if self.files is not None and document.path is not None:
            self.files.recent.remember(document.path)
        self.desk = Desk(document, listed or [], self.runs, queue)
        self.loaded = ()
        self.query_one(RecipeList).cursor = 0
        self.refresh_views()

    # ---- showing

    refresh_views, show_run = showing.refresh_views, showing.show_run

    @work(exclusive=True, group="pictures")
    async def load_pictures(self) -> None:
        """List the images and read the first ones."""
        desk = self.desk
        if desk is None:
            return
        pictures = await asyncio.to_thread(desk.load_pictures)
        if desk is self.desk:
            desk.pictures = pictures
            self.query_one(ImageGrid).view = desk.images()
            showing.show_images_count(self)
            showing.show_results(self)

    def complain(self, words: str, title: str = "") -> None:
        """One clear notice."""
        self.notify(words, title=title, severity="error", timeout=12, markup=False)

    # ---- changes

    def changed(self) -> None:
        """The session is another one: show it, and keep it safe."""
        self.refresh_views()
        if self.running is not None:
            self.running.changed()
        if self.save_soon is None:
            self.save_soon = self.set_timer(AUTOSAVE, self.keep)

    def keep(self) -> None:
        """Keep safe what is not saved."""
        self.save_soon = None
        if self.desk is not None and self.files is not None:
            self.files.keep(self.desk.document)

    on_checkpoint_list_choose = changes.choose
    on_checkpoint_list_shorten = changes.shorten
    on_image_grid_pick = changes.pick
    on_recipe_list_edit = changes.edit_recipe
    on_parameter_form_edited = changes.set_field
    action_undo, action_redo = changes.undo, changes.redo
    action_add, action_form = changes.add, changes.form
    action_title, action_edit_yaml = changes.title, changes.edit_yaml
    action_add_images, action_remove_images = changes.add_images, changes.remove_images

    def on_image_grid_moved(self, event: ImageGrid.Moved) -> None:
        """The flow shows the image under the cursor, if it is taken."""
        showing.show_images_count(self)
        column = None if self.desk is None else self.desk.column(event.place)
        if column is None:
            return
        sheet = self.query_one(ContactSheet)
        if sheet.view.rows:
            sheet.move_to(column, sheet.row)
        showing.show_flow(self)

    def on_contact_sheet_moved(self, event: ContactSheet.Moved) -> None:
        """The flow shows the image under the cursor."""
        if self.desk is not None and (place := self.desk.place(event.image)) is not None:
            self.query_one(ImageGrid).go_to(place)
        showing.show_flow(self)

    def on_lines_highlighted(self, event: Lines.Highlighted) -> None:
        """The form follows the recipe, a few facts the checkpoint."""
        if isinstance(event.lines, RecipeList):
            showing.show_form(self)
        elif isinstance(event.lines, CheckpointList):
            event.lines.describe()
            self.query_one(CheckpointDetails).view = event.lines.current

    def on_lines_chosen(self, event: Lines.Chosen) -> None:
        """A second click: edit, or choose as source."""
        if isinstance(event.lines, RecipeList):
            event.lines.action_edit("form")
        elif isinstance(event.lines, CheckpointList):
            event.lines.action_choose("target")

    # ---- runs

    @work(group="run")
    async def action_run(self) -> None:
        """Run the session, behind the runs that are not ended."""
        if self.desk is None or self.running is None:
            return
        if wrong := next((row for row in self.query(FieldRow) if row.error), None):
            mend = f"Mend it, or take it back with {key('undo')}."
            self.complain(f"{wrong.error}\n{mend}", "A value is wrong")
            return
        panes.show_tab(self, "flow")
        if self.has_class("-narrow"):  # the pane that had the focus is hidden now
            self.set_focus(self.query_one("#sheet"))
        await self.running.run()

    @work(group="run")
    async def action_cancel(self) -> None:
        """Stop the run under way, or the newest that waits; what is finished stays."""
        if self.desk is not None and self.running is not None:
            await self.running.cancel(self.desk.queue.to_cancel)

    @work(group="run")
    async def action_auto(self) -> None:
        """Whether every change of the session runs a few images."""
        if self.desk is not None and self.running is not None:
            await self.running.toggle_auto()

    @work(group="run")
    async def action_previews(self) -> None:
        """How often the emerging picture is shown."""
        if self.desk is not None and self.running is not None:
            await self.running.next_rate()

    def action_queue(self) -> None:
        """The runs under way, waiting and ended."""
        if self.desk is not None and self.running is not None:
            self.running.open_queue()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes sense now; undo takes back what is wrong in a form, too."""
        if action == "undo" and any(row.error for row in self.query(FieldRow)):
            return True
        return None if why_not(action, self.desk) else True

    def on_key(self, event: events.Key) -> None:
        """A key that does nothing now says why; escape is pressed for too much else."""
        active = self.active_bindings.get(event.key)
        if active is None or active.enabled or event.key == "escape":
            return
        if why := why_not(active.binding.action.removeprefix("screen."), self.desk):
            self.notify(why, timeout=3, markup=False)

    def _hear(self, event: Event | Lost) -> None:
        self.post_message(Told(event))

    def on_told(self, message: Told) -> None:
        """Take it in at once, draw it soon: many reports share a redraw."""
        from workbench.engine.protocol.client import Lost
        from workbench.engine.protocol.messages import Finished, Inspection, Ready, Row, States
        from workbench.tui.screens.inspector.screen import tell_inspectors
        from workbench.tui.screens.trajectory.screen import tell

        event = message.event
        if self.desk is None or self.running is None:
            return
        if isinstance(event, Inspection | Finished):
            tell_inspectors(self.app, event)
        if isinstance(event, States | Finished):
            tell(self.app, event)
        if isinstance(event, Lost):
            self.running.lost(event)
            showing.show_header(self)
        elif isinstance(event, Ready | States | Inspection):
            showing.show_header(self)
        elif self.running.hear(event):
            self.show_run()
        elif self.redraw is None or isinstance(event, Row):
            self._redraw_soon(REDRAW if isinstance(event, Row) else PROGRESS)

    def _redraw_soon(self, seconds: float) -> None:
        """Redraw at the latest so many seconds from now."""
        due = time.monotonic() + seconds
        if self.redraw is not None:
            if due >= self._due:
                return
            self.redraw.stop()
        self.redraw, self._due = self.set_timer(seconds, partial(showing.show_results, self)), due

    def on_screen_resume(self) -> None:
        """Catch up with the run."""
        if self.outdated:
            self.show_run()

    # ---- sessions and what is looked at

    action_save, action_save_as = sessions.save, sessions.save_as
    action_open, action_new = sessions.open_session, sessions.new
    action_copy, action_history = sessions.copy, sessions.history
    action_quit = sessions.leave_program
    take_run, may_leave, leave = sessions.take_run, sessions.may_leave, sessions.leave

    action_yaml, action_help = looking.show_yaml, looking.show_help
    action_latents, action_zoom = looking.latents, looking.zoom
    action_view, action_trajectory = looking.look_closely, looking.trajectory
    action_inspect, action_plots = looking.inspect, looking.plots
    action_pane, action_next_pane = panes.focus_pane, panes.next_pane

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """A click on a tab."""
        panes.focus_pane(self, panes.PANE_OF_TAB[event.tab])

    def commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """The actions for the command palette: name, explanation, what it does."""
        from workbench.tui.screens.help.content import COMMANDS

        renamed = Renamed(self.keymap)
        for name, words, action in COMMANDS:
            if self.check_action(action, ()):
                yield name, renamed.ending(words), partial(self.run_action, action)


def _titled(widget: Widget, title: str) -> Widget:
    widget.border_title = title
    widget.add_class("pane")
    return widget
