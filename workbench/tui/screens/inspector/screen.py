"""The latent inspector: how far a latent is from white noise, operation by operation."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from workbench.tui.actions import ActionGroup
from workbench.tui.present.inspection import (
    STATISTICS,
    InspectionView,
    Subject,
    subject_of,
    view_of,
)
from workbench.tui.screens.inspector.actions import INSPECTOR_ACTIONS
from workbench.tui.screens.inspector.bars import Bars
from workbench.tui.screens.inspector.channels import Channels
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.lines import Lines, Part

if TYPE_CHECKING:
    from textual.app import App

    from workbench.engine.protocol.client import EngineClient
    from workbench.engine.protocol.messages import Finished, Inspect, Inspection
    from workbench.tui.state.workspace import Workspace

LABEL, FIGURE = 16, 15  # cells of a step's name and of a figure
TITLES = {"std": "std", "autocorrelation": "lag-1 corr."}
PLOTS = ("histogram", "spectrum", "channels")


class Inspector(ActionScreen[None]):
    """A line for each step, and three plots of the one under the cursor."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # textual declares it without ClassVar
        (0, "-narrow"),
        (110, "-normal"),
        (180, "-wide"),
    ]
    ACTION_GROUP: ClassVar[ActionGroup] = INSPECTOR_ACTIONS

    def __init__(
        self,
        subject: Subject,
        image: int,
        ask: Callable[[Inspect], Awaitable[None]],
        cancel: Callable[[str], Awaitable[None]],
        *,
        busy: bool,
    ) -> None:
        """`ask` and `cancel` go to the engine; `busy`: a run is before the answer."""
        super().__init__()
        self.subject, self.image, self.all = subject, image, False
        self.view: InspectionView | None = None
        self._ask, self._cancel, self._busy = ask, cancel, busy
        self._asked = ""  # the id of the request that is not answered
        self._plot = 0

    def compose(self) -> ComposeResult:
        """Title, table, plots, keys."""
        yield Static(id="inspector-title", markup=False)
        yield Static(id="inspector-state", markup=False)
        yield Static(id="inspector-head", markup=False)
        yield Lines(id="inspector-steps")
        yield Static(id="inspector-note", markup=False)
        with Horizontal(id="inspector-plots"):
            for name, widget in zip(PLOTS, (Bars, Bars, Channels), strict=True):
                yield widget(id=f"inspector-{name}", classes="inspector-plot")
        yield KeyHints()

    def on_mount(self) -> None:
        """Ask at once."""
        self.query_one("#inspector-histogram").border_title = "Histogram, N(0, 1) as a line"
        self.query_one("#inspector-spectrum").border_title = "Power by frequency, 1 as a line"
        self.query_one(Lines).focus()
        self._show_plot()
        self._inspect()

    # ---- asking

    @work(exclusive=True, group="inspect")
    async def _inspect(self) -> None:
        """Ask for the image, or for all, in the place of what was asked before."""
        before, self._asked = self._asked, uuid.uuid4().hex
        waits = "waits for the run…" if self._busy else "reads the latents…"
        self._show_state(waits)
        if before:
            await self._cancel(before)
        await self._ask(self.subject.request(self._asked, None if self.all else self.image))

    def show_answer(self, event: Inspection | Finished) -> None:
        """Take in an answer; others than the last one asked for are out of date."""
        from workbench.engine.protocol.messages import Finished

        if event.id != self._asked:
            self._busy = self._busy and not isinstance(event, Finished)
            return
        self._asked, self._busy = "", False
        if isinstance(event, Finished):
            self._show_state(event.error or event.status)
            return
        self.view = view_of(event)
        self._show_state("")
        self._fill()

    # ---- showing

    def _show_state(self, state: str) -> None:
        """What is looked at, and what there is to wait for or to mend."""
        names, images = self.subject.names, self.subject.images
        name = f"{names[self.image]} · image {self.image + 1} of {images}"
        which = f"all {images} images" if self.all else name
        title = f"Latents · {which} · {self.subject.label}"
        self.query_one("#inspector-title", Static).update(title)
        self.query_one("#inspector-state", Static).update(state)

    def _fill(self) -> None:
        """The table."""
        view = self.view
        assert view is not None
        titles = [TITLES.get(name, name) for name in STATISTICS]
        head = " " * LABEL + "".join(f"{title:>{FIGURE - 2}}  " for title in titles)
        self.query_one("#inspector-head", Static).update(head)
        lines: list[tuple[list[Part], list[Part], bool]] = []
        for step in view.steps:
            left: list[Part] = [(f" {step.label:<{LABEL - 1}}", "")]
            for figure, far in step.values:
                mark = "! " if far else "  "
                left.append((f"{figure:>{FIGURE - 2}}{mark}", "lines--warning" if far else ""))
            lines.append((left, [], True))
        white = "".join(f"{band:>{FIGURE - 2}}  " for band in view.white)
        self.query_one("#inspector-note", Static).update(f" {'white noise':<{LABEL - 1}}{white}")
        self.query_one(Lines).set_lines(lines)
        self._show_step()

    def on_lines_highlighted(self) -> None:
        """The plots follow the cursor."""
        self._show_step()

    def _show_step(self) -> None:
        if self.view is None:
            return
        step = self.view.steps[min(self.query_one(Lines).cursor, len(self.view.steps) - 1)]
        self.query_one("#inspector-histogram", Bars).view = step.histogram
        self.query_one("#inspector-spectrum", Bars).view = step.spectrum
        channels = self.query_one(Channels)
        channels.pixels = step.channels
        mean = f", mean of {self.view.images} images" if self.view.images > 1 else ""
        channels.border_title = f"Channels{mean}"

    def _show_plot(self) -> None:
        """Of the plots, the one that is shown where there is room for one only."""
        for index, name in enumerate(PLOTS):
            self.query_one(f"#inspector-{name}").set_class(index == self._plot, "-chosen")

    # ---- keys

    def on_resize(self) -> None:
        """Where all plots are seen, there is none to choose."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Plots are gone through where one is seen at a time."""
        return action != "plot" or self.has_class("-narrow")

    def action_leave(self) -> None:
        """Back; what was asked is not needed any more."""
        if self._asked:
            self.app.run_worker(self._cancel(self._asked))
        self.dismiss()

    def action_image(self, by: int) -> None:
        """Another image; after the last one comes the first."""
        self.image = (self.image + by) % len(self.subject.names)
        self.all = False
        self._inspect()

    def action_all(self) -> None:
        """All images as one, or one of them."""
        self.all = not self.all
        self._inspect()

    def action_plot(self, by: int) -> None:
        """Histogram, spectrum or channels."""
        self._plot = (self._plot + by) % len(PLOTS)
        self._show_plot()


def open_inspector(
    app: App[None], engine: EngineClient, workspace: Workspace, image: int, variant: int
) -> None:
    """Inspect the latents of an image in a variant."""
    subject = subject_of(workspace, variant)
    if not subject.names:
        app.notify("There is no picture yet.", timeout=3)
        return
    image = min(image, len(subject.names) - 1)
    busy = bool(workspace.queue.active)
    app.push_screen(Inspector(subject, image, engine.run, engine.cancel, busy=busy))


def pass_to_inspectors(app: App[None], event: Inspection | Finished) -> None:
    """Hand an answer to the screen that asked."""
    for screen in app.screen_stack:
        if isinstance(screen, Inspector):
            screen.show_answer(event)
