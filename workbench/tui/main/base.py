"""The main screen without its keys: layout, what it works on, and showing that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from workbench.tui.main.panes.checkpoint_details import CheckpointDetails
from workbench.tui.main.panes.checkpoints import CheckpointList
from workbench.tui.main.panes.flow import Flow
from workbench.tui.main.panes.header import HeaderLine
from workbench.tui.main.panes.images import ImagesPane
from workbench.tui.main.panes.progress import ProgressLine
from workbench.tui.main.panes.recipe import RecipeList
from workbench.tui.main.panes.tabs import TabLine
from workbench.tui.main.panes.trade_off import TradeOff
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.form import ParameterForm
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from workbench.engine.protocol.client import EngineClient
    from workbench.tui.main.running import Running
    from workbench.tui.screens.files.session_files import SessionFiles
    from workbench.tui.screens.plots.screen import PlotsScreen
    from workbench.tui.state.session.document import Document
    from workbench.tui.state.workspace import Workspace

AUTOSAVE = 1.0  # seconds of quiet before the unsaved session is kept safe


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    path: Path | None = None  # of a session, or of a stored run
    engine_command: Sequence[str] | None = None  # in place of the engine here
    checkpoints: tuple[Path, ...] = ()  # more folders of them
    runs: Path | None = None  # the folder of stored runs, if not the usual one

    @property
    def checkpoint_arguments(self) -> list[str]:
        """The folders of checkpoints as the command line takes them."""
        return [
            part for folder in self.checkpoints for part in ("--checkpoints", str(folder.resolve()))
        ]


@dataclass
class Opened:
    """What is there once the program has started: a session, its files, an engine, its runs."""

    workspace: Workspace
    files: SessionFiles
    engine: EngineClient
    running: Running


class MainBase(ActionScreen[None]):
    """Library, flow and recipe side by side, or behind each other as tabs."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # textual declares it without ClassVar
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall"), (50, "-high")]  # noqa: RUF012  # likewise

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options
        self.opened: Opened | None = None
        self.plots: PlotsScreen | None = None
        self.latents = False  # whether the contact sheet has rows of latents
        self.outdated = False  # whether a run has gone on behind another screen
        self.redraw: Timer | None = None
        self._save_soon: Timer | None = None
        self._loaded: tuple[object, ...] = ()  # what the images on the screen depend on

    @property
    def workspace(self) -> Workspace | None:
        """What is worked on, once there is a session."""
        return self.opened.workspace if self.opened else None

    @property
    def engine(self) -> EngineClient | None:
        """The engine's client, once it was started."""
        return self.opened.engine if self.opened else None

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

    # ---- notices

    def complain(self, words: str, title: str = "") -> None:
        """Say what went wrong, and keep it in sight for a while."""
        self.notify(words, title=title, severity="error", timeout=12, markup=False)

    def hint(self, words: str) -> None:
        """Say something in passing."""
        self.notify(words, timeout=3, markup=False)

    def call_later_in(self, seconds: float, call: Callable[[], Awaitable[None]]) -> Timer:
        """Call something after so many seconds."""
        return self.set_timer(seconds, call)

    # ---- the session

    def open_document(self, document: Document) -> None:
        """Work on another session; runs under way go on in the background."""
        from workbench.tui.state.workspace import Workspace

        if self.opened is None:
            return
        before = self.opened.workspace
        before.queue.put_away()
        if document.path is not None:
            self.opened.files.recent.remember(document.path)
        self.opened.workspace = Workspace(
            document, before.library.listed, self.options.runs, before.queue
        )
        self.show_document()

    def show_document(self) -> None:
        """Show a session that was opened, from its first line."""
        self._loaded = ()
        self.query_one(RecipeList).cursor = 0
        self.refresh_views()

    def session_changed(self) -> None:
        """Show the session that is another one now, and keep it safe."""
        self.refresh_views()
        if self.opened is not None:
            self.opened.running.session_changed()
        if self._save_soon is None:
            self._save_soon = self.set_timer(AUTOSAVE, self.autosave)

    def autosave(self) -> None:
        """Keep safe what is not saved."""
        if self._save_soon is not None:
            self._save_soon.stop()
        self._save_soon = None
        if self.opened is not None:
            self.opened.files.keep(self.opened.workspace.document)

    async def close(self, *, keep: bool) -> None:
        """Put everything away; `keep`: what is unsaved is offered again at the next start."""
        if self._save_soon is not None:
            self._save_soon.stop()
        if self.opened is None:
            return
        if keep:
            self.autosave()
        else:
            self.opened.files.forget()
        await self.opened.engine.stop()

    # ---- showing

    def refresh_views(self) -> None:
        """Hand every widget what there is to show now."""
        from workbench.tui.main.showing import show_session

        if (workspace := self.workspace) is None:
            return
        show_session(self, workspace)
        self.show_results()
        if workspace.images.key() != self._loaded:
            self._loaded = workspace.images.key()
            self.load_images()
        self.refresh_bindings()

    def show_run(self) -> None:
        """Show at once what a run changed, and the keys that go with it."""
        self.show_results()
        self.refresh_bindings()

    def show_results(self) -> None:
        """Show what a run changes: on the screen that lies on top, else on this one.

        For each change behind a dialog Textual draws and dims all of this, while keys wait.
        """
        from workbench.tui.main.showing import show_results
        from workbench.tui.present.workspace import plots

        self.redraw = None
        if (opened := self.opened) is None:
            return
        opened.running.show_queue()
        if self.plots is not None and self.plots.is_attached:
            self.plots.show(plots(opened.workspace))
        self.outdated = self.app.screen is not self
        if not self.outdated:
            show_results(self, opened.workspace, opened.engine, latents=self.latents)

    def on_screen_resume(self) -> None:
        """Catch up with the run."""
        if self.outdated:
            self.show_run()

    @work(exclusive=True, group="pictures")
    async def load_images(self) -> None:
        """List the source images and read the first ones."""
        from workbench.tui.main.showing import show_images

        if (workspace := self.workspace) is None:
            return
        loaded = await asyncio.to_thread(workspace.images.load)
        if workspace is self.workspace:
            workspace.images.loaded = loaded
            show_images(self, workspace)
            self.show_results()


def _titled(widget: Widget, title: str) -> Widget:
    widget.border_title = title
    widget.add_class("pane")
    return widget
