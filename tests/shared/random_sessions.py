"""Random sessions, for properties that hold for any."""

from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from ddib.operations.operation import OPERATIONS
from ddib.schedules.grids import GRIDS
from ddib.solvers.scheme import SOLVERS
from workbench.session.schema import Session


def operations() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of([_parameters(o.model_json_schema()) for o in OPERATIONS.values()])


def _parameters(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: _values(field) for name, field in schema["properties"].items()}
    op = fields.pop("op")
    return st.fixed_dictionaries({"op": op}, optional=fields)


def _values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "const" in field:
        return st.just(field["const"])
    if "enum" in field:
        return st.sampled_from(field["enum"])
    if field["type"] == "boolean":
        return st.booleans()
    low, high = field["minimum"], field["maximum"]
    one = st.integers(low, high) if field["type"] == "integer" else st.floats(low, high)
    return one | st.lists(one, min_size=1, max_size=3)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]), max_size=30)
LABEL = st.none() | st.integers(0, 999)
IMAGES = st.fixed_dictionaries(
    {"dataset": st.just("colored-mnist"), "digit": st.integers(0, 9)},
    optional={"count": st.integers(1, 99), "repeat": st.booleans(), "root": TEXT},
) | st.fixed_dictionaries({"path": TEXT.filter(bool)})
SOLVER = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(list(SOLVERS)),
        "grid": st.sampled_from([grid for grid in GRIDS if grid != "reference"]),
        "steps": st.just("auto")
        | st.integers(1, 1000)
        | st.lists(st.integers(1, 1000), min_size=1, max_size=3),
        "tolerance": st.floats(1e-5, 1),
        "cycle": st.sampled_from(["free", "exact"]),
        "start_noise": st.floats(0, 10) | st.lists(st.floats(0, 10), min_size=1, max_size=3),
        "clip": st.sampled_from([False, "decode"]),
    },
)
SESSIONS = st.fixed_dictionaries(
    {
        "version": st.sampled_from([1, 2]),
        "source": st.fixed_dictionaries(
            {"checkpoint": TEXT.filter(bool), "images": st.lists(IMAGES, min_size=1, max_size=3)},
            optional={"label": LABEL},
        ),
        "target": st.fixed_dictionaries(
            {"checkpoint": TEXT.filter(bool)},
            optional={"label": LABEL | st.lists(st.integers(0, 999), min_size=1, max_size=3)},
        ),
    },
    optional={
        "title": TEXT,
        "solver": SOLVER,
        "recipe": st.fixed_dictionaries(
            {},
            optional={
                "image": st.lists(operations(), max_size=3),
                "latent": st.lists(operations(), max_size=3),
            },
        ),
    },
)


def session_of(data: dict[str, Any]) -> Session:
    try:
        return Session.model_validate(data)
    except ValueError:
        assume(False)
        raise


slow = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
