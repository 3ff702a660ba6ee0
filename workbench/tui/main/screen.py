"""The main screen: starts the program's parts, and hands messages of widgets and engine on."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.message import Message

from workbench.tui.actions import ActionGroup
from workbench.tui.main import edits, start
from workbench.tui.main.actions import MAIN_ACTIONS
from workbench.tui.main.base import MainBase, Opened, Options
from workbench.tui.main.focus import PANE_OF_TAB, focus_pane, show_tab
from workbench.tui.main.panes.checkpoint_details import CheckpointDetails
from workbench.tui.main.panes.checkpoints import CheckpointList
from workbench.tui.main.panes.image_grid import ImageGrid
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.main.panes.tabs import TabLine
from workbench.tui.widgets.form import ParameterForm
from workbench.tui.widgets.lines import Lines
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.engine.protocol.client import Lost
    from workbench.engine.protocol.messages import Event

REDRAW = 1 / 15  # seconds from a picture of a run to the redraw that it shares with others
PROGRESS = 1 / 4  # the same of figures alone
LOOK = 2.0  # seconds between two looks at the folders of checkpoints and images
FIELDS = 8  # parameters that a form has room for from the start


class EngineReported(Message):
    """The engine reported something, or is gone."""

    def __init__(self, event: Event | Lost) -> None:
        super().__init__()
        self.event = event


class MainScreen(MainBase):
    """The screen on which a session is edited and run."""

    ACTION_GROUP: ClassVar[ActionGroup] = MAIN_ACTIONS

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._redraw_due = 0.0  # by the monotonic clock
        self._library_stamp: object = None

    # ---- start

    def on_mount(self) -> None:
        """Show the frame first; what is slow to load comes after it."""
        show_tab(self, "flow")
        self.query_one("#sheet").focus()
        self.call_after_refresh(self._start)

    @work(exclusive=True, group="begin")
    async def _start(self) -> None:
        """Load the schema, the library and the session; start the engine."""
        from workbench.engine.protocol.client import COMMAND, EngineClient
        from workbench.tui.main.reopening import reopen_run
        from workbench.tui.main.running import Running, new_queue
        from workbench.tui.screens.files.session_files import SessionFiles
        from workbench.tui.state.workspace import Workspace

        for form in self.query(ParameterForm):
            await form.prepare(FIELDS)
        await asyncio.to_thread(start.load_own_files)
        listed = await asyncio.to_thread(start.list_checkpoints, self)
        start.use_configured_keys(self)
        start.report_skipped_files(self)
        options = self.options
        document = start.first_document(self, listed)
        command = options.engine_command or (*COMMAND, *options.checkpoint_arguments)
        engine = EngineClient(self._on_engine_event, command)
        self.opened = Opened(
            Workspace(document, listed, options.runs, new_queue()),
            SessionFiles(self.app),
            engine,
            Running(self, engine),
        )
        if document.path is not None:
            self.opened.files.recent.remember(document.path)
        self.show_document()
        if options.path is not None and options.path.is_dir():
            await reopen_run(self, options.path)
        await engine.start()
        self.refresh_views()
        if (recovered := await self.opened.files.recover()) is not None:
            self.open_document(recovered)
        self.set_interval(LOOK, self._look_for_changes)

    @work(exclusive=True, group="look")
    async def _look_for_changes(self) -> None:
        """Look whether checkpoints or images changed on disk; draw nothing when they did not."""
        if (workspace := self.workspace) is None:
            return
        stamp = await asyncio.to_thread(start.library_stamp, self.options)
        if self._library_stamp not in (None, stamp):
            workspace.library.listed = await asyncio.to_thread(start.list_checkpoints, self)
            self.refresh_views()
        self._library_stamp = stamp
        if await asyncio.to_thread(workspace.images.folder_changed):
            self.load_images()

    # ---- messages of widgets

    on_checkpoint_list_choose = edits.choose_checkpoint
    on_checkpoint_list_shorten = edits.remove_last_end
    on_image_grid_pick = edits.pick_images
    on_recipe_list_edit = edits.edit_recipe
    on_parameter_form_edited = edits.set_field

    def on_image_grid_moved(self, event: ImageGrid.Moved) -> None:
        """Show the image under the cursor in the flow, if it is taken."""
        from workbench.tui.main.showing import show_flow, show_images_count

        if (workspace := self.workspace) is None:
            return
        show_images_count(self, workspace)
        if (column := workspace.images.column(event.place)) is None:
            return
        sheet = self.query_one(ContactSheet)
        if sheet.view.rows:
            sheet.move_to(column, sheet.row)
        show_flow(self, workspace)

    def on_contact_sheet_moved(self, event: ContactSheet.Moved) -> None:
        """Show the image under the cursor in the flow."""
        from workbench.tui.main.showing import show_flow

        if (workspace := self.workspace) is None:
            return
        if (place := workspace.images.place(event.image)) is not None:
            self.query_one(ImageGrid).go_to(place)
        show_flow(self, workspace)

    def on_lines_highlighted(self, event: Lines.Highlighted) -> None:
        """Show the form of the recipe's line, a few facts of the checkpoint."""
        if isinstance(event.lines, RecipeList) and self.workspace is not None:
            from workbench.tui.main.showing import show_form

            show_form(self, self.workspace)
        elif isinstance(event.lines, CheckpointList):
            event.lines.describe()
            self.query_one(CheckpointDetails).view = event.lines.current

    def on_lines_chosen(self, event: Lines.Chosen) -> None:
        """Edit the line that was clicked again, or choose it as the target."""
        if isinstance(event.lines, RecipeList):
            event.lines.action_edit("form")
        elif isinstance(event.lines, CheckpointList):
            event.lines.action_choose("target")

    def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
        """Bring the tab that was clicked to the front."""
        focus_pane(self, PANE_OF_TAB[event.tab])

    # ---- messages of the engine

    def _on_engine_event(self, event: Event | Lost) -> None:
        self.post_message(EngineReported(event))

    def on_engine_reported(self, message: EngineReported) -> None:
        """Take a report in at once, and draw it soon: many reports share a redraw."""
        from workbench.engine.protocol.client import Lost
        from workbench.engine.protocol.messages import Finished, Inspection, Ready, Row, States
        from workbench.tui.main.showing import show_header
        from workbench.tui.screens.inspector.screen import pass_to_inspectors
        from workbench.tui.screens.trajectory.screen import pass_to_trajectories

        event: Any = message.event
        if (opened := self.opened) is None:
            return
        if isinstance(event, Inspection | Finished):
            pass_to_inspectors(self.app, event)
        if isinstance(event, States | Finished):
            pass_to_trajectories(self.app, event)
        if isinstance(event, Lost):
            opened.running.on_engine_lost(event)
            show_header(self, opened.workspace, opened.engine)
        elif isinstance(event, Ready | States | Inspection):
            show_header(self, opened.workspace, opened.engine)
        elif opened.running.on_run_event(event):
            self.show_run()
        elif self.redraw is None or isinstance(event, Row):
            self._redraw_within(REDRAW if isinstance(event, Row) else PROGRESS)

    def _redraw_within(self, seconds: float) -> None:
        """Redraw at the latest so many seconds from now."""
        due = time.monotonic() + seconds
        if self.redraw is not None:
            if due >= self._redraw_due:
                return
            self.redraw.stop()
        self.redraw, self._redraw_due = self.set_timer(seconds, self.show_results), due
