"""The terminal program. Importing this loads neither torch nor the session's schema."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.tui.terminal import colours as colors  # noqa: F401  # before textual, which reads the environment

# isort: split
from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from workbench.tui.main.base import Options
from workbench.tui.main.screen import MainScreen
from workbench.tui.terminal.foreign_text import CleanLines
from workbench.tui.terminal.pictures import Backdrop, draw_on
from workbench.tui.terminal.theme import THEMES, configured_theme, ground, next_theme
from workbench.tui.widgets.action_screen import ActionScreen

if TYPE_CHECKING:
    from workbench.tui.terminal.half_blocks import Colors

CLEAN = CleanLines()  # one: lines remember what it made of them
HANG_UP_GRACE = 20.0  # seconds that leaving may take when the terminal is gone
RESTORE_GRACE = 3.0  # seconds of them that restoring the terminal may take


class WorkbenchApp(App[None]):
    """One screen, one session, one engine."""

    TITLE = "ddib-workbench"
    CSS_PATH = "main/main.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    def __init__(
        self,
        session_path: Path | None = None,
        *,
        engine_command: Sequence[str] | None = None,
        checkpoints: Sequence[Path] = (),
        runs: Path | None = None,
    ) -> None:
        """`session_path`: the session to open; `engine_command`: in place of the engine here;
        `checkpoints`: more folders of them; `runs`: the folder that runs are kept in."""
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = "terminal" if self.no_color else configured_theme()
        self.main_screen = MainScreen(
            Options(session_path, engine_command, tuple(checkpoints), runs)
        )

    def watch_theme(self) -> None:
        """Pictures fade to the ground of the theme."""
        few = self.console.color_system == "standard"
        shown: Colors = "none" if self.no_color else "few" if few else "full"
        draw_on(Backdrop(ground(self.current_theme), shown))

    def action_theme(self) -> None:
        """Dark, light, the terminal's own background; for this time."""
        self.theme = next_theme(self.theme)
        words = f"theme: {self.theme}  in the configuration file keeps it"
        self.notify(words, timeout=3, markup=False)

    def on_mount(self) -> None:
        """Put everything away too when the terminal hangs up or a batch system ends the job."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self._signalled, signal.SIGTERM)

            def hung_up(number: int, _: object) -> None:
                # The loop may already be waiting to write to the terminal that is gone.
                _end_after(HANG_UP_GRACE, 128 + number)
                loop.call_soon_threadsafe(self._signalled, number)

            signal.signal(signal.SIGHUP, hung_up)

    @work
    async def _signalled(self, number: int) -> None:
        await self.main_screen.close(keep=True)
        if number == signal.SIGHUP:  # the terminal is restored where it still takes that
            _end_after(RESTORE_GRACE, 128 + number)
        self.exit(return_code=128 + number)

    async def on_event(self, event: events.Event) -> None:
        """Escape and a key right after it, which a terminal sends as it sends alt and the key.

        Where nothing is bound to that, the two keys were pressed one after the other.
        """
        alone = event.key.removeprefix("alt+") if isinstance(event, events.Key) else ""
        if (
            not isinstance(event, events.Key)
            or alone == event.key
            or not event.is_printable
            or event.key in self.screen.active_bindings
        ):
            await super().on_event(event)
            return
        for key in (events.Key("escape", "\x1b"), events.Key(alone, event.character)):
            await super().on_event(key)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and last the one that cleans every line."""
        return [*super().get_line_filters(), CLEAN]

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return self.main_screen

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The actions by name, for those who do not know the key: the screen's own come first."""
        own = screen if isinstance(screen, ActionScreen) else self.main_screen
        for shown in dict.fromkeys((own, self.main_screen)):
            for title, words, action in shown.commands():
                yield SystemCommand(title, words, action)


def _end_after(seconds: float, code: int) -> None:
    """End the process then, whatever it waits for."""
    last_resort = threading.Timer(seconds, os._exit, [code])
    last_resort.daemon = True
    last_resort.start()
