"""A session's recipe, solver and ends in a few words. Pure functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ddib.guides.guide import Guide
from ddib.operations.operation import Operation
from ddib.operations.sweeps import Sweepable
from workbench.session.errors import SessionError
from workbench.session.reading import load_session
from workbench.session.schema import Session
from workbench.tui.models import OperationView, RecipeView
from workbench.tui.state.session.edits import operation_title
from workbench.tui.state.session.ends import ends
from workbench.tui.state.values import summarize


def recipe(session: Session) -> RecipeView:
    """The recipe's lines."""
    return RecipeView(
        solver(session),
        tuple(map(_operation, session.recipe.image)),
        tuple(map(_operation, session.recipe.latent)),
        tuple(map(_guide, session.recipe.guide)),
    )


def recipe_line(session: Session) -> str:
    """`latent: normalize standard, add noise c 0.1 0.4`, what is switched off in parentheses."""
    view, stages = recipe(session), []
    for stage, operations in (
        ("image", view.image),
        ("latent", view.latent),
        ("guide", view.guide),
    ):
        words = [f"{one.name} {one.summary}".strip() for one in operations]
        shown = [
            word if one.enabled else f"({word})"
            for one, word in zip(operations, words, strict=True)
        ]
        if shown:
            stages.append(f"{stage}: {', '.join(shown)}")
    return " · ".join(stages) or "no operation"


def _operation(operation: Operation) -> OperationView:
    return OperationView(operation_title(operation), _summary(operation), operation.enabled)


def _guide(guide: Guide) -> OperationView:
    return OperationView(guide.guide.replace("_", " "), _summary(guide), guide.enabled)


def _summary(operation: Operation | Guide) -> str:
    """What is swept, or else the first parameter."""
    swept: dict[str, Any] = operation.sweeps() if isinstance(operation, Sweepable) else {}
    kinds = ("op", "guide", "enabled")
    names = [name for name in type(operation).model_fields if name not in kinds]
    shown = list(swept) or names[:1]
    return ", ".join(_named(operation, name) for name in shown)


def _named(operation: Operation | Guide, name: str) -> str:
    extra = type(operation).model_fields[name].json_schema_extra
    symbol = extra.get("symbol") if isinstance(extra, dict) else None
    value = summarize(getattr(operation, name))
    return f"{symbol} {value}" if symbol else value


def solver(session: Session) -> str:
    """`dpmpp_2m · 20`."""
    return f"{session.solver.name} · {summarize(session.solver.steps)}"


def preview_session(path: Path) -> str:
    """What a session does, in four lines; what is wrong with it if it cannot be read."""
    try:
        session = load_session(path)
    except SessionError as error:
        return str(error)
    return "\n".join(
        (
            session.title or "no title",
            " → ".join(ends(session)),
            recipe_line(session),
            solver(session),
        )
    )
