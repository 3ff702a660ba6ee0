"""The library: which checkpoint is the source, which the target, which come after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from workbench.tui.actions import Action, ActionGroup, register
from workbench.tui.models import CheckpointView
from workbench.tui.state.filtering import matching
from workbench.tui.widgets.filterable import Filterable
from workbench.tui.widgets.lines import Lines, Part

CHECKPOINT_ACTIONS = register(
    ActionGroup(
        "1 Checkpoints",
        (
            Action(
                "choose('source')",
                "s",
                "source",
                "the checkpoint under the cursor is the source ◀, which encodes images to latents",
                shown=True,
            ),
            Action(
                "choose('target')",
                "t",
                "target",
                "it is the target ▶, which decodes latents",
                shown=True,
            ),
            Action(
                "choose('further')",
                "plus,equals_sign",
                "further",
                "go on from the last end to this one ▷, as in fives → sevens → fives; "
                "operations act before the target only",
                shown=True,
                key_display="+",
            ),
            Action("shorten", "minus", "shorten", "take the last end off again", key_display="-"),
        ),
        notes=(("/  S", "narrow the list down while you type (esc: all again); sort it"),),
        page="library",
    )
)


class CheckpointList(Lines, Filterable):
    """A line for each checkpoint: ◀ is the source, ▶ the target, ▷ further on in a chain; labels
    at the right.
    """

    SORTS = ("name", "newest", "size")
    ACTION_GROUP: ClassVar[ActionGroup] = CHECKPOINT_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = CHECKPOINT_ACTIONS.bindings()

    view: reactive[tuple[CheckpointView, ...] | None] = reactive(None, layout=False)

    @dataclass
    class Choose(Message):
        """Make a checkpoint the source or the target, or go on to it from the last end."""

        checkpoint: CheckpointView
        end: str

    class Shorten(Message):
        """Take the last end off the chain."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[CheckpointView, ...] = ()

    def on_focus(self) -> None:
        """The details may take room while a checkpoint is chosen."""
        self.screen.add_class("-choosing")

    def on_blur(self) -> None:
        """The images get it back."""
        self.screen.remove_class("-choosing")

    def watch_view(self) -> None:
        """Another library, or other ends: the cursor stays on its checkpoint."""
        self.apply_filter()

    def apply_filter(self) -> None:
        """The checkpoints that are asked for, in order; before the library is read there are none.

        By name they stand as they were found: folders in their order, names within.
        """
        if self.view is None:
            return
        current = self.current
        found = matching(self.typed, [checkpoint.words for checkpoint in self.view]).places
        shown = [self.view[place] for place in found]
        if self.sort != "name":
            newest = self.sort == "newest"
            shown.sort(key=lambda c: c.modified if newest else c.parameters, reverse=True)
        self._shown = tuple(shown)
        self._draw()
        if current is not None:
            paths = [checkpoint.path for checkpoint in self._shown]
            self.cursor = paths.index(current.path) if current.path in paths else self.cursor

    def _draw(self) -> None:
        lines: list[tuple[list[Part], list[Part], bool]] = []
        chained = any(checkpoint.is_further for checkpoint in self.view or ())
        for checkpoint in self._shown:
            mark: list[Part] = [
                ("◀" if checkpoint.is_source else " ", "lines--source"),
                ("▶" if checkpoint.is_target else " ", "lines--target"),
            ]
            if chained:
                mark.append(("▷" if checkpoint.is_further else " ", "lines--target"))
            name: Part = (f" {checkpoint.name}", "lines--error" if checkpoint.problem else "")
            right: list[Part] = [
                (f" {'!' if checkpoint.problem else checkpoint.labels}", "lines--dim")
            ]
            lines.append(([*mark, name], right, True))
        if not lines and self.typed:
            lines.append(([(" nothing of that name", "lines--dim")], [], False))
        elif not lines:
            lines.append(([(" no checkpoints", "lines--dim")], [], False))
            lines.append(([(" ddib-workbench train …", "lines--dim")], [], False))
        self.set_lines(lines)
        self.describe()

    def describe(self) -> None:
        """A few facts about the checkpoint under the cursor, on the border."""
        self.border_subtitle = self.current.facts if self.current is not None else ""

    @property
    def current(self) -> CheckpointView | None:
        """The checkpoint under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    def action_choose(self, end: str) -> None:
        """The checkpoint under the cursor becomes an end of the bridge."""
        if self.current is not None:
            self.post_message(self.Choose(self.current, end))

    def action_shorten(self) -> None:
        """The chain ends one checkpoint earlier."""
        self.post_message(self.Shorten())
