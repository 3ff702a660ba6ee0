"""The trajectory of one image: the states of encode and decode, scrubbed step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Static

from workbench.tui.actions import ActionGroup
from workbench.tui.screens.trajectory.actions import TRAJECTORY_ACTIONS
from workbench.tui.widgets.action_screen import ActionScreen
from workbench.tui.widgets.canvas import Canvas
from workbench.tui.widgets.key_hints import KeyHints
from workbench.tui.widgets.sheet import ContactSheet

if TYPE_CHECKING:
    from textual.app import App

    from workbench.engine.protocol.client import EngineClient
    from workbench.engine.protocol.messages import Finished, States
    from workbench.tui.models import TrajectoryView
    from workbench.tui.state.workspace import Workspace

PLAY = 0.1  # seconds that a state is shown


class TrajectoryScreen(ActionScreen[None]):
    """A strip of states and estimates, those under the cursor large, and what is known of them."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-tall"), (50, "-high")]  # noqa: RUF012  # as MainScreen
    ACTION_GROUP: ClassVar[ActionGroup] = TRAJECTORY_ACTIONS

    def __init__(self, asked: str, title: str, words: str) -> None:
        """`asked`: the id of the request; `words`: shown until it is answered."""
        super().__init__()
        self.asked = asked
        self.view: TrajectoryView | None = None
        self._title = title
        self._words = words
        self._playing: Timer | None = None

    def compose(self) -> ComposeResult:
        """What is followed, the strip, two large pictures, facts, keys."""
        yield Static(self._title, id="trajectory-title", markup=False)
        strip = ContactSheet(id="strip")
        strip.can_focus = False
        yield strip
        with Horizontal(id="states"):
            yield Canvas(id="state")
            yield Canvas(id="estimate")
        yield Static(id="state-facts", markup=False)
        yield KeyHints()

    def on_mount(self) -> None:
        """Wait for the answer."""
        self.show_message(self._words)

    def show_message(self, words: str) -> None:
        """A sentence in the place of the pictures."""
        self.query_one("#strip").display = False
        self.query_one("#estimate").display = False
        self.query_one("#state", Canvas).show(None, 0, words)

    def show(self, view: TrajectoryView) -> None:
        """The answer."""
        self.view = view
        strip = self.query_one(ContactSheet)
        strip.display = True
        estimate = self.query_one("#estimate")
        estimate.display = True
        estimate.border_title = "x̂₀, the estimate that led to it"
        strip.view = view.sheet
        self._show_state()
        self.refresh_bindings()

    def _show_state(self) -> None:
        if self.view is None:
            return
        at = self.query_one(ContactSheet).image
        for name, row in zip(("state", "estimate"), self.view.sheet.rows, strict=True):
            if row.pixels is not None:
                self.query_one(f"#{name}", Canvas).show(row.pixels[at], 0)
        self.query_one("#state").border_title = self.view.titles[at]
        self.query_one("#state-facts", Static).update(self.view.facts[at])

    def on_contact_sheet_moved(self) -> None:
        """The large pictures follow the cursor."""
        self._show_state()

    def action_leave(self) -> None:
        """Go back to the main screen."""
        self._stop()
        self.dismiss()

    def action_go(self, by: int) -> None:
        """Another state; who goes by hand has stopped the play."""
        self._stop()
        self.query_one(ContactSheet).action_move(by, 0)

    def action_zoom(self, by: int) -> None:
        """Larger or smaller pictures in the strip."""
        self.query_one(ContactSheet).action_zoom(by)

    def action_play(self) -> None:
        """State after state until the last one, from the first when it was the last; or stop."""
        if self._playing is not None:
            self._stop()
            return
        strip = self.query_one(ContactSheet)
        if self._at_end:
            strip.move_to(0, strip.row)
        self._playing = self.set_interval(PLAY, self._next)

    @property
    def _at_end(self) -> bool:
        strip = self.query_one(ContactSheet)
        return strip.image >= strip.view.columns - 1

    def _next(self) -> None:
        self.query_one(ContactSheet).action_move(1, 0)
        if self._at_end:
            self._stop()

    def _stop(self) -> None:
        if self._playing is not None:
            self._playing.stop()
            self._playing = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to go through before the answer."""
        return self.view is not None or action not in ("go", "play", "zoom")


async def follow(
    app: App[None], engine: EngineClient, workspace: Workspace, image: int, variant: int
) -> None:
    """Ask the engine for an image's trajectory, and show it when it comes."""
    from workbench.tui.present.trajectory import request, title

    asked = request(workspace, image, variant)
    words = "waits for the run…" if workspace.queue.active else "encodes and decodes the image…"

    async def forget(_: None) -> None:
        await engine.cancel(asked.id)

    await app.push_screen(
        TrajectoryScreen(asked.id, title(workspace, image, variant), words), forget
    )
    await engine.run(asked)


def pass_to_trajectories(app: App[None], event: States | Finished) -> None:
    """Hand an answer to the screen that waits for it, if it still does."""
    from workbench.engine.protocol.messages import States
    from workbench.tui.present.trajectory import trajectory

    for screen in app.screen_stack:
        if isinstance(screen, TrajectoryScreen) and screen.asked == event.id:
            if isinstance(event, States):
                screen.show(trajectory(event))
            else:
                screen.show_message(event.error or "cancelled")
