"""The recipe: solver, operations on the image and on the latent, the conditions of its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from workbench.tui.actions import Action, ActionGroup, register
from workbench.tui.models import EditStage, Place, Position, RecipeView
from workbench.tui.widgets.lines import Lines, Part

STAGES: tuple[EditStage, EditStage] = ("image", "latent")


RECIPE_ACTIONS = register(
    ActionGroup(
        "4 Recipe",
        (
            Action(
                "edit('toggle')",
                "space",
                "on/off",
                "switch an operation off and on; off, it stays in the session",
                shown=True,
            ),
            Action("edit('form')", "enter", "edit", "edit its parameters", shown=True),
            Action("edit('remove')", "d", "remove", "remove it", shown=True),
            Action("edit('duplicate')", "D", "duplicate", "duplicate it"),
            Action(
                "edit('down')",
                "J,ctrl+down",
                "down",
                "move it down (also ctrl+↓), over the stage's border too",
                shown=True,
                key_display="J",
            ),
            Action(
                "edit('up')",
                "K,ctrl+up",
                "up",
                "move it up (also ctrl+↑)",
                shown=True,
                key_display="K",
            ),
        ),
        page="recipes",
    )
)


class RecipeList(Lines):
    """One line each; the form below shows the line under the cursor."""

    ACTION_GROUP: ClassVar[ActionGroup] = RECIPE_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = RECIPE_ACTIONS.bindings()

    view: reactive[RecipeView] = reactive(RecipeView(), layout=False)

    @dataclass
    class Edit(Message):
        """Something shall be done with an operation; "form" and "add" also elsewhere."""

        what: str
        place: Place

    def watch_view(self) -> None:
        """Draw the lines again."""
        self._places = [Place("solver")]
        lines: list[tuple[list[Part], list[Part], bool]] = [
            ([(" solver ", "")], [(f"{self.view.solver} ", "lines--dim")], True)
        ]
        for stage in STAGES:
            operations = self.view.operations(stage)
            self._places.append(Place("heading"))
            lines.append(([(f" {stage}", "lines--heading")], [], False))
            for index, operation in enumerate(operations):
                self._places.append(Place("operation", Position(stage, index)))
                on = operation.enabled
                left: list[Part] = [
                    (f" {index + 1} ", "lines--dim"),
                    ("● " if on else "○ ", "lines--on" if on else "lines--dim"),
                    (operation.name, "" if on else "lines--dim"),
                ]
                lines.append((left, [(f" {operation.summary} ", "lines--dim")], True))
            self._places.append(Place("add", Position(stage, len(operations))))
            lines.append(([("   + add", "lines--accent")], [], True))
        for guide in self.view.guide:
            self._places.append(Place("heading"))
            name: list[Part] = [(" guide ", "lines--heading"), (guide.name, "lines--dim")]
            state = guide.summary if guide.enabled else "off"
            lines.append((name, [(f" {state} ", "lines--dim")], False))
        if self.view.ends:
            self._places.append(Place("heading"))
            lines.append(([(" condition", "lines--heading")], [], False))
        for end in self.view.ends:
            self._places.append(Place(end.name))
            left = [(f"   {end.name}", "")]
            lines.append((left, [(f" {end.summary} ", "lines--dim")], True))
        self.set_lines(lines)

    @property
    def place(self) -> Place:
        """What the cursor stands on."""
        return self.place_at(self.cursor)

    def place_at(self, index: int) -> Place:
        """What a line stands for."""
        return self._places[index] if 0 <= index < len(self._places) else Place("solver")

    def select(self, place: Place) -> None:
        """Put the cursor on a line, or near where it would be."""
        if place in self._places:
            self.cursor = self._places.index(place)

    def action_edit(self, what: str) -> None:
        """Hand the wish to the screen."""
        place = self.place
        if place.kind == "add":
            what = "add"
        self.post_message(self.Edit(what, place))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only operations can be toggled, moved and removed."""
        if action == "edit" and parameters != ("form",):
            return self.place.kind == "operation" or parameters == ("toggle",)
        return True

    def watch_cursor(self, index: int) -> None:
        """Other keys may do something now."""
        super().watch_cursor(index)
        self.refresh_bindings()
