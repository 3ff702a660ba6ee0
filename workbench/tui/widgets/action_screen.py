"""A screen whose keys are declared as actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from textual import events
from textual.screen import ScreenResultType

from workbench.tui.actions import ACTIONS, ActionGroup
from workbench.tui.keys import display
from workbench.tui.widgets.closing import ClosesOnce

Command = tuple[str, str, Callable[[], object]]  # of the palette: title, what it does, doing it


class ActionScreen(ClosesOnce[ScreenResultType]):
    """A screen with a group of actions: bindings, palette, and why a key does nothing now."""

    ACTION_GROUP: ClassVar[ActionGroup] = ActionGroup("", ())

    def __init_subclass__(cls) -> None:
        """Make methods of the actions' handlers, and bindings of their keys."""
        if "ACTION_GROUP" in vars(cls):
            for action in cls.ACTION_GROUP.actions:
                if action.handler is not None:
                    setattr(cls, action.method, action.handler)
            cls.BINDINGS = [*vars(cls).get("BINDINGS", ()), *cls.ACTION_GROUP.bindings()]
        super().__init_subclass__()

    def why_not(self, name: str) -> str:
        """Why an action has nothing to do now, or the empty string."""
        action = self.ACTION_GROUP.find(name)
        return "" if action is None else action.why_not(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Footer and palette offer what makes sense now."""
        return None if self.why_not(action) else True

    def on_key(self, event: events.Key) -> None:
        """A key that does nothing now says why; escape is pressed for too much else."""
        active = self.active_bindings.get(event.key)
        if active is None or active.enabled or event.key == "escape":
            return
        if why := self.why_not(active.binding.action.removeprefix("screen.")):
            self.notify(why, timeout=3, markup=False)

    def commands(self) -> Iterator[Command]:
        """The actions for the command palette that make sense now."""
        group = self.ACTION_GROUP
        for action in group.actions:
            if action.title and self.check_action(action.name, ()):
                keys = " ".join(map(display, group.keys_of(action, ACTIONS.keymap)))
                words = f"{action.help} ({keys})" if keys else action.help
                yield action.title, words, partial(self.run_action, action.name)
