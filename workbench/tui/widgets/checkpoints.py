"""The library: which checkpoint is the source, which the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from workbench.tui.views import CheckpointView
from workbench.tui.widgets.lines import Lines, Part


class CheckpointList(Lines):
    """A line for each checkpoint: ◀ is the source, ▶ the target; labels at the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('source')", "source"),
        Binding("t", "choose('target')", "target"),
    ]

    view: reactive[tuple[CheckpointView, ...] | None] = reactive(None, layout=False)

    @dataclass
    class Choose(Message):
        """Make a checkpoint the source or the target."""

        checkpoint: CheckpointView
        end: str

    def watch_view(self) -> None:
        """Draw the lines again; before the library is read there are none."""
        if self.view is None:
            return
        lines: list[tuple[list[Part], list[Part], bool]] = []
        for checkpoint in self.view:
            mark: list[Part] = [
                ("◀" if checkpoint.is_source else " ", "lines--source"),
                ("▶" if checkpoint.is_target else " ", "lines--target"),
            ]
            name: Part = (f" {checkpoint.name}", "lines--error" if checkpoint.problem else "")
            right: list[Part] = [
                (f" {'!' if checkpoint.problem else checkpoint.labels}", "lines--dim")
            ]
            lines.append(([*mark, name], right, True))
        if not lines:
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
        view = self.view or ()
        return view[self.cursor] if self.cursor < len(view) else None

    def action_choose(self, end: str) -> None:
        """The checkpoint under the cursor becomes an end of the bridge."""
        if self.current is not None:
            self.post_message(self.Choose(self.current, end))
