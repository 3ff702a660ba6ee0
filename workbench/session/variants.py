"""The variants of a session: every combination of its swept values, and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel

from ddib.guides.guide import Guide, acting
from ddib.operations.operation import Operation
from ddib.operations.recipe import enabled
from ddib.operations.sweeps import Sweepable, expand
from ddib.solvers.solver import Solver
from workbench.session.schema import End, Session, enabled_parts, sweeps
from workbench.session.titles import checkpoint_stem


@dataclass(frozen=True)
class Variant:
    """One combination of sweep values, and what it makes of the session.

    values: by the path under recipe, or from the root: "latent.1.coefficient", "solver.steps";
    image, latent: the enabled operations, without sweeps; guide: the guides that act.
    """

    values: dict[str, Any]
    label: str
    solver: Solver
    target: End
    image: tuple[Operation, ...]
    latent: tuple[Operation, ...]
    guide: tuple[Guide, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether the recipe changes anything on the way from the source to the result."""
        return bool(self.image or self.latent or self.guide)


def variants(session: Session) -> list[Variant]:
    """Every combination of the swept values, the last one varying fastest; at least one."""
    symbols = _symbols(session)
    return [_variant(session, symbols, values) for values in expand(sweeps(session))]


def _variant(session: Session, symbols: Mapping[str, str], values: dict[str, Any]) -> Variant:
    return Variant(
        values=values,
        label=", ".join(f"{symbols[p]} = {_shown(v)}" for p, v in values.items()) or "result",
        solver=cast(Solver, _at("solver", session.solver, values)),
        target=End(**{n: values.get(f"target.{n}", value) for n, value in session.target}),
        image=_running("image", session.recipe.image, values),
        latent=_running("latent", session.recipe.latent, values),
        guide=acting(
            [
                cast(Guide, _at(f"guide.{index}", guide, values))
                for index, guide in enumerate(session.recipe.guide)
                if guide.enabled
            ]
        ),
    )


def _running(
    stage: str, operations: Sequence[Operation], values: Mapping[str, Any]
) -> tuple[Operation, ...]:
    """The enabled operations of a stage, without sweeps."""
    return enabled(
        [
            cast(Operation, _at(f"{stage}.{index}", one, values)) if one.enabled else one
            for index, one in enumerate(operations)
        ]
    )


def _at(place: str, model: BaseModel, values: Mapping[str, Any]) -> BaseModel:
    prefix = f"{place}."
    own = {path.removeprefix(prefix): v for path, v in values.items() if path.startswith(prefix)}
    return cast(Sweepable, model).at(own)


def _symbols(session: Session) -> dict[str, str]:
    """A name for each sweep, as short as it can be told from the others: `c`, `blend p`."""
    names = {path: _names(session, path) for path in sweeps(session)}
    taken = Counter(name for candidates in names.values() for name in candidates)
    return {
        path: next((name for name in candidates if taken[name] == 1), path)
        for path, candidates in names.items()
    }


def _names(session: Session, path: str) -> tuple[str, str, str]:
    """Names of a swept parameter, all different, from the shortest to the clearest."""
    place, _, name = path.rpartition(".")
    if place == "target":
        short = name.replace("checkpoint", "target").replace("_", " ")
        return short, f"target {short}", path
    model = session.solver if place == "solver" else enabled_parts(session)[place]
    extra = type(model).model_fields[name].json_schema_extra
    symbol = extra.get("symbol", name) if isinstance(extra, dict) else name
    short = str(symbol).replace("_", " ")
    kind = _kind(model) or place
    return short, f"{kind.replace('_', ' ')} {short}", f"{place.replace('.', ' ')} {short}"


def _kind(model: BaseModel) -> str:
    """The name of an operation or a guide; empty for anything else."""
    if isinstance(model, Operation):
        return model.op
    return model.guide if isinstance(model, Guide) else ""


def _shown(value: float | str) -> str:
    """The shortest text that is exactly this number, without `.0`, or a checkpoint's name."""
    if isinstance(value, str):
        return checkpoint_stem(value)
    return repr(value).removesuffix(".0")


def ends(session: Session, variant: Variant) -> tuple[End, ...]:
    """What a variant passes, from the source to the last of the chain; at least two."""
    source = End(**{name: getattr(session.source, name) for name in End.model_fields})
    return source, variant.target, *session.chain
