"""The workbench's screen: it hears what the widgets want, and shows what the desk has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.markup import escape
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from workbench.tui.keys import Keymap, Renamed, make_keymap, named
from workbench.tui.offers import offered
from workbench.tui.views import Position
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
    from workbench.engine.client import EngineClient, Lost
    from workbench.engine.messages import Event
    from workbench.tui.desk import Desk
    from workbench.tui.document import Document
    from workbench.tui.screens.files import SessionFiles
    from workbench.tui.screens.plots import PlotsScreen
    from workbench.tui.screens.running import Running

REDRAW = 1 / 15  # seconds between two redraws while a run reports
LOOK = 2.0  # seconds between two looks at the folders of checkpoints and images
AUTOSAVE = 1.0  # seconds of quiet before the unsaved session is kept
FIELDS = 8  # parameters that a form has room for from the start
PANES = ("checkpoints", "grid", "sheet", "recipe")
TAB_OF_PANE = {
    "checkpoints": "library",
    "images": "library",
    "grid": "library",
    "images-form": "library",
    "sheet": "flow",
    "recipe": "recipe",
    "form": "recipe",
}
PANE_OF_TAB = {"library": "checkpoints", "flow": "sheet", "recipe": "recipe"}


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
        self._path = path
        self._engine_command = engine_command
        self._checkpoints = checkpoints
        self._runs = runs
        self._redraw: Timer | None = None
        self._save_soon: Timer | None = None
        self._latents = False
        self._loaded: tuple[object, ...] = ()
        self._stamp: object = None
        self._keymap: Keymap = {}

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
                yield _titled(ParameterForm(id="form"), "")
                yield _titled(TradeOff(id="tradeoff"), "Trade-off")
        yield ProgressLine()
        yield KeyHints()

    def on_mount(self) -> None:
        """The frame first; what is slow to load comes after it."""
        self._show_tab("flow")
        self.query_one("#sheet").focus()
        self.call_after_refresh(self._begin)

    @work(exclusive=True, group="begin")
    async def _begin(self) -> None:
        """Load the schema, the library and the session; start the engine."""
        from workbench.engine.client import COMMAND, EngineClient
        from workbench.tui.screens.files import SessionFiles
        from workbench.tui.screens.running import Running

        self.files = SessionFiles(self)
        for form in self.query(ParameterForm):
            await form.prepare(FIELDS)
        listed = await asyncio.to_thread(self._list_checkpoints)
        self._take_keys()
        self._take_document(self._first_document(listed), listed)
        if self._path is not None and self._path.is_dir():
            await self.take_run(self._path)
        extra = self._checkpoint_options()
        self.engine = EngineClient(self._hear, self._engine_command or (*COMMAND, *extra))
        self.running = Running(self, self.engine)
        await self.engine.start()
        self.refresh_views()
        if (recovered := await self.files.recover()) is not None:
            self._take_document(recovered)
        self.set_interval(LOOK, self._look)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Whether checkpoints or images changed on disk; nothing is drawn when they did not."""
        if self.desk is None:
            return
        stamp = await asyncio.to_thread(self._library_stamp)
        if self._stamp not in (None, stamp):
            self.desk.listed = await asyncio.to_thread(self._list_checkpoints)
            self.refresh_views()
        self._stamp = stamp
        if await asyncio.to_thread(self.desk.images_changed):
            self._load_pictures()

    def _library_stamp(self) -> object:
        from ddib.errors import InputError
        from workbench.library import library_stamp

        try:
            return library_stamp(self._checkpoints)
        except InputError as error:
            return str(error)

    def _checkpoint_options(self) -> list[str]:
        """The folders of checkpoints as the command line takes them."""
        return [
            part
            for folder in self._checkpoints
            for part in ("--checkpoints", str(folder.resolve()))
        ]

    def _list_checkpoints(self) -> list[Any]:
        from ddib.errors import InputError
        from workbench.library import list_checkpoints

        try:
            return list_checkpoints(self._checkpoints)
        except InputError as error:
            self.app.call_from_thread(self.complain, str(error))
            return []

    def _take_keys(self) -> None:
        """The configuration's keys; with an error in them, the usual ones."""
        from ddib.errors import InputError
        from workbench.library import read_config

        try:
            keys = read_config().keys
        except InputError:  # the list of checkpoints has complained
            return
        try:
            self._keymap = make_keymap(keys)
        except InputError as error:
            self.complain(str(error), "The keys are the usual ones")
        self.app.set_keymap(self._keymap)

    def _first_document(self, listed: list[Any]) -> Document:
        from workbench.session import SessionError
        from workbench.tui.document import Document, new_session

        if self._path is not None and not self._path.is_dir():
            try:
                return Document.open(self._path)
            except SessionError as error:
                self.complain(str(error), "This session cannot be opened")
        return Document(new_session(listed))

    def _take_document(self, document: Document, listed: list[Any] | None = None) -> None:
        from workbench.tui.desk import Desk
        from workbench.tui.screens.running import new_queue

        if self.desk is not None and listed is None:
            listed = self.desk.listed
        queue = self.desk.queue if self.desk is not None else new_queue()
        queue.put_away()
        if self.files is not None and document.path is not None:
            self.files.recent.remember(document.path)
        self.desk = Desk(document, listed or [], self._runs, queue)
        self._loaded = ()
        self.query_one(RecipeList).cursor = 0
        self.refresh_views()

    # ---- showing

    def refresh_views(self) -> None:
        """Hand every widget what there is to show now."""
        desk = self.desk
        if desk is None:
            return
        self._show_header()
        self.query_one(CheckpointList).view = desk.checkpoints()
        self.query_one(CheckpointDetails).view = self.query_one(CheckpointList).current
        self.query_one(RecipeList).view = desk.recipe()
        self.query_one(ImageGrid).view = desk.images()
        self._show_images_count()
        self._show_form()
        self.query_one("#images-form", ParameterForm).show(desk.images_form())
        self._show_run()
        if desk.pictures_key() != self._loaded:
            self._loaded = desk.pictures_key()
            self._load_pictures()
        self.refresh_bindings()

    def _show_header(self) -> None:
        if self.desk is None:
            return
        state = self.engine.state if self.engine else "stopped"
        ready = self.engine.ready if self.engine else None
        self.query_one(HeaderLine).view = self.desk.header(state, ready)

    def _show_images_count(self) -> None:
        """How many images are taken, or why the one under the cursor cannot be."""
        if self.desk is not None:
            said = self.query_one(ImageGrid).said or self.desk.images_count()
            self.query_one(ImagesPane).border_subtitle = escape(said)

    def _show_form(self) -> None:
        if self.desk is not None:
            place = self.query_one(RecipeList).place
            self.query_one("#form", ParameterForm).show(self.desk.form(place))

    def _show_run(self) -> None:
        """The parts that a run changes."""
        self._redraw = None
        if self.desk is None:
            return
        sheet = self.query_one(ContactSheet)
        sheet.view = self.desk.sheet(self._latents)
        sheet.border_title = f"3 {sheet.view.title}"
        self._show_flow()
        ready = self.engine.ready if self.engine else None
        self.query_one(ProgressLine).view = self.desk.progress(ready.device if ready else "")
        self._show_header()
        if self.running is not None:
            self.running.show_queue()
        if self.plots is not None and self.plots.is_attached:
            self.plots.show(self.desk.plots())

    def show_run(self) -> None:
        """Show at once what a run changed, and the keys that go with it."""
        self._show_run()
        self.refresh_bindings()

    def _show_flow(self) -> None:
        if self.desk is None:
            return
        image, variant = self._under_cursor()
        self.query_one(Flow).view = self.desk.flow(image, variant)
        trade_off = self.desk.trade_off(variant)
        self.query_one(TradeOff).view = trade_off
        self.set_class(bool(trade_off.points), "-swept")

    def _under_cursor(self) -> tuple[int, int | None]:
        """The image that is looked at, and the variant when there is one."""
        sheet = self.query_one(ContactSheet)
        rows = sheet.view.rows
        variant = rows[sheet.row].variant if sheet.row < len(rows) else None
        if variant is None:
            variant = next((row.variant for row in rows if row.variant is not None), None)
        if rows:
            return sheet.image, variant
        place = self.query_one(ImageGrid).place
        return (self.desk.column(place) if self.desk else None) or 0, variant

    @work(exclusive=True, group="pictures")
    async def _load_pictures(self) -> None:
        desk = self.desk
        if desk is None:
            return
        pictures = await asyncio.to_thread(desk.load_pictures)
        if desk is self.desk:
            desk.pictures = pictures
            self.query_one(ImageGrid).view = desk.images()
            self._show_images_count()
            self._show_run()

    def complain(self, words: str, title: str = "") -> None:
        """One clear notice."""
        self.notify(words, title=title, severity="error", timeout=12, markup=False)

    # ---- changes

    def _changed(self) -> None:
        """The session is another one: show it, and keep it safe."""
        self.refresh_views()
        if self.running is not None:
            self.running.changed()
        if self._save_soon is None:
            self._save_soon = self.set_timer(AUTOSAVE, self._keep)

    def _keep(self) -> None:
        self._save_soon = None
        if self.desk is not None and self.files is not None:
            self.files.keep(self.desk.document)

    def on_checkpoint_list_choose(self, event: CheckpointList.Choose) -> None:
        """Source, target or further on; a class-conditional checkpoint needs a label too."""
        if event.checkpoint.problem is None:
            self._choose(event.checkpoint.name, event.end)
        else:
            self.complain(event.checkpoint.problem, f"{event.checkpoint.name} cannot be used")

    def on_checkpoint_list_shorten(self) -> None:
        """The chain ends one checkpoint earlier."""
        if self.desk is None:
            return
        if problem := self.desk.shorten():
            self.complain(problem)
        else:
            self._changed()

    @work(exclusive=True, group="dialog")
    async def _choose(self, name: str, end: str) -> None:
        from workbench.tui.screens.ask import Prompt

        desk = self.desk
        if desk is None:
            return
        label: Any = None
        if labels := desk.labels_of(name):
            several = "; several are a sweep" if end == "target" else ""
            words = f"{', '.join(map(str, labels))}; own: that of each image{several}."
            typed = await self.app.push_screen_wait(
                Prompt(
                    f"On to {name}" if end == "further" else f"{name} as {end}",
                    f"Which label? It has {words}",
                    check=lambda text: desk.label_problem(text, labels, sweep=end == "target"),
                )
            )
            if typed is None:
                return
            label = desk.label(typed)
        if desk.choose(end, name, label):
            self._changed()

    def on_image_grid_pick(self, event: ImageGrid.Pick) -> None:
        """Take other images."""
        if self.desk is None:
            return
        if problem := self.desk.pick(event.what, event.place, event.shown):
            self.complain(problem)
        else:
            self._changed()

    def on_image_grid_moved(self, event: ImageGrid.Moved) -> None:
        """The flow shows the image under the cursor, if it is taken."""
        self._show_images_count()
        column = None if self.desk is None else self.desk.column(event.place)
        if column is None:
            return
        sheet = self.query_one(ContactSheet)
        if sheet.view.rows:
            sheet.move_to(column, sheet.row)
        self._show_flow()

    def on_contact_sheet_moved(self, event: ContactSheet.Moved) -> None:
        """The flow shows the image under the cursor."""
        if self.desk is not None and (place := self.desk.place(event.image)) is not None:
            self.query_one(ImageGrid).go_to(place)
        self._show_flow()

    def on_lines_highlighted(self, event: Lines.Highlighted) -> None:
        """The form follows the recipe, a few facts the checkpoint."""
        if isinstance(event.lines, RecipeList):
            self._show_form()
        elif isinstance(event.lines, CheckpointList):
            event.lines.describe()
            self.query_one(CheckpointDetails).view = event.lines.current

    def on_lines_chosen(self, event: Lines.Chosen) -> None:
        """A second click: edit, or choose as source."""
        if isinstance(event.lines, RecipeList):
            event.lines.action_edit("form")
        elif isinstance(event.lines, CheckpointList):
            event.lines.action_choose("target")

    def on_recipe_list_edit(self, event: RecipeList.Edit) -> None:
        """What the recipe's keys do."""
        if self.desk is None:
            return
        if event.what == "add":
            self._add(event.place.position)
        elif event.what == "form":
            self.action_form()
        elif event.place.kind == "operation":
            place = self.desk.edit(event.what, event.place.position)
            self._changed()
            self.query_one(RecipeList).select(place)

    def on_parameter_form_edited(self, event: ParameterForm.Edited) -> None:
        """A value was typed: into the session if it is one, else the error beside it."""
        if self.desk is None:
            return
        form = self._form(event.key)
        if form.view.key != event.key:
            return
        place = self.query_one(RecipeList).place
        problem = self.desk.set_field(event.key, place, event.field, event.value)
        form.set_error(event.field.name, problem)
        self.refresh_bindings()
        if not problem:
            self._changed()

    def _form(self, key: str) -> ParameterForm:
        """The form that a key belongs to."""
        selector = "#images-form" if key.startswith("images") else "#form"
        return self.query_one(selector, ParameterForm)

    def on_parameter_form_left(self) -> None:
        """Escape in a form goes back to its list."""
        focused = self.focused
        in_library = focused is not None and self.query_one(ImagesPane) in focused.ancestors
        self.set_focus(self.query_one("#grid" if in_library else "#recipe"))

    def action_undo(self) -> None:
        """One step back."""
        self._travel(lambda desk: desk.document.history.undo(), "undone")

    def action_redo(self) -> None:
        """One step forward."""
        self._travel(lambda desk: desk.document.history.redo(), "done again")

    def _travel(self, step: Callable[[Desk], str | None], done: str) -> None:
        if self.desk is None:
            return
        if wrong := [row for row in self.query(FieldRow) if row.error]:
            for row in wrong:
                row.set_error("")
            self.refresh_views()
            return
        if (what := step(self.desk)) is not None:
            self.notify(f"{done}: {what}", timeout=2, markup=False)
            self._changed()

    def action_add(self) -> None:
        """Add an operation below the one under the cursor, or at the end of the latent's."""
        if self.desk is None:
            return
        recipe = self.query_one(RecipeList)
        place = recipe.place
        if place.kind == "operation":
            self._add(Position(place.position.stage, place.position.index + 1))
        elif place.kind == "add":
            self._add(place.position)
        else:
            self._add(Position("latent", len(recipe.view.latent)))

    def _add(self, position: Position) -> None:
        from ddib.operations import OPERATIONS
        from workbench.tui.screens.add import AddOperation

        items = [
            (name, (operation.__doc__ or "").strip().partition("\n")[0])
            for name, operation in OPERATIONS.items()
        ]
        counts = {
            s: len(self.query_one(RecipeList).view.operations(s)) for s in ("image", "latent")
        }
        palette = AddOperation(items, position, counts)

        def chosen(name: str | None) -> None:
            if name is None or self.desk is None:
                return
            place = self.desk.add(name, palette.position)
            self._changed()
            self.action_pane("recipe")
            self.query_one(RecipeList).select(place)

        self.app.push_screen(palette, chosen)

    def action_form(self) -> None:
        """Into the form of the line under the recipe's cursor, or of the images."""
        focused = self.focused
        if focused is not None and focused.id == "grid":
            self.query_one("#images-form", ParameterForm).focus_first()
            return
        self._show_tab("recipe")
        self._show_form()  # the cursor may have moved with the key before
        if not self.query_one("#form", ParameterForm).focus_first():
            self.action_add()

    # ---- runs

    @work(group="run")
    async def action_run(self) -> None:
        """Run the session, behind the runs that are not ended."""
        if self.desk is None or self.running is None:
            return
        if wrong := next((row for row in self.query(FieldRow) if row.error), None):
            self.complain(f"{wrong.error}\nMend it, or take it back with u.", "A value is wrong")
            return
        self._show_tab("flow")
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
        if offered(action, self.desk):
            return True
        return action == "undo" and any(row.error for row in self.query(FieldRow))

    def _hear(self, event: Event | Lost) -> None:
        self.post_message(Told(event))

    def on_told(self, message: Told) -> None:
        """Take it in at once, draw it soon: many reports share a redraw."""
        from workbench.engine.client import Lost
        from workbench.engine.messages import Finished, Inspection, Ready, States
        from workbench.tui.screens.inspector import tell_inspectors
        from workbench.tui.screens.trajectory import tell

        event = message.event
        if self.desk is None or self.running is None:
            return
        if isinstance(event, Inspection | Finished):
            tell_inspectors(self.app, event)
        if isinstance(event, States | Finished):
            tell(self.app, event)
        if isinstance(event, Lost):
            self.running.lost(event)
            self._show_header()
        elif isinstance(event, Ready | States | Inspection):
            self._show_header()
        elif self.running.hear(event):
            self.show_run()
        elif self._redraw is None:
            self._redraw = self.set_timer(REDRAW, self._show_run)

    # ---- files

    @work(exclusive=True, group="dialog")
    async def action_save(self) -> None:
        """Save to the session's file, or ask for one."""
        if self.desk is not None and self.files is not None:
            await self.files.save(self.desk.document)
            self.refresh_views()

    @work(exclusive=True, group="dialog")
    async def action_save_as(self) -> None:
        """Save to another file, and go on with that one."""
        if self.desk is not None and self.files is not None:
            await self.files.save_as(self.desk.document)
            self.refresh_views()

    @work(exclusive=True, group="dialog")
    async def action_open(self) -> None:
        """Open a session file, or one of the examples."""
        if self.files is not None and (document := await self.files.choose()) is not None:
            await self._stop_run()
            self._take_document(document)

    @work(exclusive=True, group="dialog")
    async def action_new(self) -> None:
        """A new session with the defaults."""
        from workbench.tui.document import Document, new_session

        if self.desk is not None and await self.may_leave():
            await self._stop_run()
            self._take_document(Document(new_session(self.desk.listed)))

    @work(exclusive=True, group="dialog")
    async def action_copy(self) -> None:
        """The command that replays the session, or its YAML, to the clipboard."""
        from workbench.tui.screens.copy import copy_session

        if self.desk is not None and self.files is not None:
            store = [] if self._runs is None else ["--runs", str(self._runs.resolve())]
            options = [*self._checkpoint_options(), *store]
            await copy_session(self.app, self.files, self.desk.document, options)
            self.refresh_views()

    @work(exclusive=True, group="dialog")
    async def action_history(self) -> None:
        """The kept runs, to look at or to take up again."""
        from workbench.tui.screens.history import take_up

        if self.desk is not None:
            await take_up(self, self.desk.store)

    async def take_run(self, path: Path) -> None:
        """A kept run's session, with its results."""
        from ddib.errors import InputError
        from workbench.tui.stored import reopen

        try:
            kept = await asyncio.to_thread(reopen, path)
        except InputError as error:
            self.complain(str(error), "This run cannot be opened")
            return
        await self._stop_run()
        self._take_document(kept.document)
        if self.desk is not None and kept.run is not None:
            self.desk.queue.take_up(kept.run)
        self._show_run()
        if kept.problems:
            words = "\n".join(kept.problems)
            self.notify(
                words, title="Not all of it is there", severity="warning", timeout=12, markup=False
            )

    async def may_leave(self) -> bool:
        """Whether the present session may be put away."""
        if self.desk is None or self.files is None:
            return True
        return await self.files.may_leave(self.desk.document)

    async def _stop_run(self) -> None:
        """Runs go on when another session is opened, but for the auto-run."""
        if self.running is not None:
            await self.running.stop_auto()

    @work(exclusive=True, group="dialog")
    async def action_quit(self) -> None:
        """Leave, with a question when something is unsaved."""
        if not await self.may_leave():
            return
        await self.leave(keep=False)
        self.app.exit()

    async def leave(self, *, keep: bool) -> None:
        """Put everything away; `keep`: what is unsaved is offered again at the next start."""
        if self._save_soon is not None:
            self._save_soon.stop()
        if keep:
            self._keep()
        elif self.files is not None:
            self.files.forget()
        if self.engine is not None:
            await self.engine.stop()

    # ---- looking

    def action_yaml(self) -> None:
        """The session as it would be saved."""
        from workbench.tui.screens.read import YamlScreen

        def left(edit: bool | None) -> None:
            if edit:
                self.action_edit_yaml()

        if self.desk is not None:
            document = self.desk.document
            self.app.push_screen(YamlScreen(document.name, document.yaml), left)

    @work(exclusive=True, group="dialog")
    async def action_edit_yaml(self) -> None:
        """The session as YAML in the user's editor; what comes back is one step of undo."""
        from workbench.tui.screens.edit import edit_text

        if (
            self.desk is None
            or (edited := await edit_text(self.app, self.desk.document.yaml)) is None
        ):
            return
        for row in self.query(FieldRow):
            row.set_error("")
        if not self.desk.take_text(*edited):
            self.notify("Only the text is another; ctrl+s saves it.", timeout=4)
        self._changed()

    def action_help(self) -> None:
        """All keys."""
        from workbench.tui.screens.help import help_for
        from workbench.tui.screens.read import HelpScreen

        number = PANES.index(self._focused_pane()) + 1
        self.app.push_screen(HelpScreen(help_for(number, Renamed(self._keymap))))

    def action_latents(self) -> None:
        """Rows of latents in the contact sheet, or without them."""
        self._latents = not self._latents
        self._show_run()

    def action_zoom(self) -> None:
        """The middle alone, or all columns."""
        self.toggle_class("-zoomed")

    def action_view(self) -> None:
        """The picture under the cursor, large; with a marked one, the two compared."""
        from workbench.tui.screens.view import look_closer

        sheet = self.query_one(ContactSheet)
        rows = self.desk.picture_rows(sheet.view) if self.desk else ()
        image = sheet.image if sheet.view.rows else self.query_one(ImageGrid).cursor
        if rows:
            look_closer(self.app, sheet, rows, image, self.desk.sheet_file if self.desk else None)
        else:
            self.notify("There is no picture yet.", timeout=3)

    @work(group="run")
    async def action_trajectory(self) -> None:
        """Encode and decode of the image under the cursor, step by step."""
        from workbench.tui.screens.trajectory import follow

        if self.desk is not None and self.engine is not None:
            image, variant = self._under_cursor()
            await follow(self.app, self.engine, self.desk, image, variant or 0)

    def action_inspect(self) -> None:
        """The latents of the picture under the cursor, operation by operation."""
        from workbench.tui.screens.inspector import look_inside

        if self.desk is not None and self.engine is not None:
            image, variant = self._under_cursor()
            look_inside(self.app, self.engine, self.desk, image, variant or 0)

    def action_plots(self) -> None:
        """A sweep's metrics against its values, or against each other."""
        from workbench.tui.screens.plots import open_plots

        self.plots = open_plots(self)

    def action_pane(self, pane: str) -> None:
        """Focus a pane, bringing its tab to the front."""
        self.remove_class("-zoomed") if pane != "sheet" else None
        self._show_tab(TAB_OF_PANE[pane])
        self.set_focus(self.query_one(f"#{pane}"))  # at once: the next key may be on its way

    def action_next_pane(self, by: int) -> None:
        """The next field of a form, or the next pane."""
        focused = self.focused
        form = next((w for w in _upwards(focused) if isinstance(w, ParameterForm)), None)
        if form is not None:
            fields = [row.control for row in form.fields]
            index = fields.index(focused) + by if focused in fields else -1
            if 0 <= index < len(fields):
                self.set_focus(fields[index])
                return
        self.action_pane(PANES[(PANES.index(self._focused_pane()) + by) % len(PANES)])

    def _focused_pane(self) -> str:
        """The pane that has the focus, itself or in its form."""
        pane = next((w.id for w in _upwards(self.focused) if w.id in TAB_OF_PANE), None) or "sheet"
        return {"form": "recipe", "images": "grid", "images-form": "grid"}.get(pane, pane)

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """A click on a tab."""
        self.action_pane(PANE_OF_TAB[event.tab])

    def _show_tab(self, tab: str) -> None:
        self.query_one(TabLine).active = tab
        for name in PANE_OF_TAB:
            self.set_class(name == tab, f"-show-{name}")

    def commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """The actions for the command palette: name, explanation, what it does."""
        from workbench.tui.screens.help import COMMANDS

        renamed = Renamed(self._keymap)
        for name, words, action in COMMANDS:
            if self.check_action(action, ()):
                yield name, renamed.ending(words), partial(self.run_action, action)


def _titled(widget: Widget, title: str) -> Widget:
    widget.border_title = title
    widget.add_class("pane")
    return widget


def _upwards(widget: Widget | None) -> Iterator[Widget]:
    """A widget and what it lies in."""
    node: Any = widget
    while isinstance(node, Widget):
        yield node
        node = node.parent
