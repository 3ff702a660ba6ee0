"""Edits of a session: pure functions from a session to a session."""

from __future__ import annotations

from typing import Any

from ddib.data.source import ImageSource
from ddib.operations.operation import OPERATIONS, Operation
from ddib.operations.sweeps import sweepable
from ddib.solvers.solver import Solver
from workbench.session.schema import End, Session
from workbench.tui.models import EditStage, Position


def operations(session: Session, stage: EditStage) -> tuple[Operation, ...]:
    """The operations of a stage, in order."""
    return tuple(getattr(session.recipe, stage))


def operation_at(session: Session, position: Position) -> Operation:
    """The operation at a position; raises IndexError."""
    return operations(session, position.stage)[position.index]


def new_operation(name: str, **values: Any) -> Operation:
    """An operation by its name, with its defaults where no value is given."""
    return sweepable(OPERATIONS[name]).model_validate({"op": name, **values})


def offered_operations(of_points: bool = False) -> list[tuple[str, str]]:
    """Every operation by name, with what it does and what it comes with if it is not ddib's.

    of_points: only those that mean something for points.
    """
    return [
        (
            name,
            _described(name, made),
        )
        for name, made in OPERATIONS.items()
        if not (of_points and made.pictures_only)
    ]


def _described(name: str, operation: type[Operation]) -> str:
    origin = OPERATIONS.origins.get(name)
    return f"{_first_line(operation)} ({origin.name})" if origin else _first_line(operation)


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").strip().partition("\n")[0]


def operation_title(operation: Operation) -> str:
    """An operation's name in words."""
    return operation.op.replace("_", " ")


def insert(session: Session, position: Position, operation: Operation) -> Session:
    """The session with one operation more."""
    there = operations(session, position.stage)
    at = position.index
    return _with_stage(session, position.stage, (*there[:at], operation, *there[at:]))


def remove(session: Session, position: Position) -> Session:
    """The session without the operation at a position."""
    there = operations(session, position.stage)
    at = position.index
    return _with_stage(session, position.stage, (*there[:at], *there[at + 1 :]))


def replace(session: Session, position: Position, operation: Operation) -> Session:
    """The session with another operation at a position."""
    there = operations(session, position.stage)
    at = position.index
    return _with_stage(session, position.stage, (*there[:at], operation, *there[at + 1 :]))


def duplicate(session: Session, position: Position) -> Session:
    """The session with the operation at a position twice, one after the other."""
    after = Position(position.stage, position.index + 1)
    return insert(session, after, operation_at(session, position))


def toggle(session: Session, position: Position) -> Session:
    """The session with the operation at a position switched off, or on again."""
    operation = operation_at(session, position)
    flipped = operation.model_copy(update={"enabled": not operation.enabled})
    return replace(session, position, flipped)


def move(session: Session, position: Position, by: int) -> tuple[Session, Position]:
    """The operation one place up (-1) or down (1), over the border between the stages too.

    Returns the session and where the operation now is; both unchanged at the ends.
    """
    stage, target = position.stage, position.index + by
    if 0 <= target < len(operations(session, stage)):
        goal = Position(stage, target)
    elif stage == "image" and by > 0:
        goal = Position("latent", 0)
    elif stage == "latent" and by < 0:
        goal = Position("image", len(operations(session, "image")))
    else:
        return session, position
    return insert(remove(session, position), goal, operation_at(session, position)), goal


def with_source(session: Session, checkpoint: str, label: Any = None) -> Session:
    """The session with another checkpoint to encode with."""
    source = session.source.model_copy(update=_end_update(checkpoint, label))
    return session.model_copy(update={"source": source})


def with_target(session: Session, checkpoint: str, label: Any = None) -> Session:
    """The session with another checkpoint to decode with; a tuple of labels is a sweep."""
    target = session.target.model_copy(update=_end_update(checkpoint, label))
    return session.model_copy(update={"target": target})


def _end_update(checkpoint: str, label: Any) -> dict[str, Any]:
    """What another checkpoint and label change of an end; without a label it has no guidance."""
    plain = {"guidance": 1.0, "classifier": None, "classifier_scale": 1.0}
    return {"checkpoint": checkpoint, "label": label, **({} if label is not None else plain)}


def with_further(session: Session, checkpoint: str, label: Any = None) -> Session:
    """The session with one more end at the end of its chain."""
    end = End(checkpoint=checkpoint, label=label)
    return session.model_copy(update={"chain": (*session.chain, end)})


def without_further(session: Session) -> Session:
    """The session without the last end of its chain."""
    return session.model_copy(update={"chain": session.chain[:-1]})


def with_images(session: Session, part: int, spec: ImageSource) -> Session:
    """The session with another entry in place of one in its list of images."""
    there = session.source.images
    return _with_entries(session, (*there[:part], spec, *there[part + 1 :]))


def add_images(session: Session, part: int) -> Session:
    """The session with an entry of images more at `part`: what may follow the one before it."""
    there = session.source.images
    spec = there[part - 1].next_entry()
    return _with_entries(session, (*there[:part], spec, *there[part:]))


def remove_images(session: Session, part: int) -> Session:
    """The session without an entry of images; one has to stay."""
    there = session.source.images
    return _with_entries(session, (*there[:part], *there[part + 1 :]) or there)


def _with_entries(session: Session, images: tuple[ImageSource, ...]) -> Session:
    source = session.source.model_copy(update={"images": images})
    return session.model_copy(update={"source": source})


def with_only_images(session: Session, spec: ImageSource) -> Session:
    """The session with one entry of images in place of all."""
    source = session.source.model_copy(update={"images": (spec,)})
    return session.model_copy(update={"source": source})


def with_solver(session: Session, solver: Solver) -> Session:
    """The session with another solver."""
    return session.model_copy(update={"solver": solver})


def with_title(session: Session, title: str) -> Session:
    """The session with another title."""
    return session.model_copy(update={"title": title})


def _with_stage(session: Session, stage: EditStage, there: tuple[Operation, ...]) -> Session:
    recipe = session.recipe.model_copy(update={stage: there})
    return session.model_copy(update={"recipe": recipe})
