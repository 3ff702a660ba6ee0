"""The σ grid fitted to a checkpoint is read from a file beside the checkpoint."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ddib.errors import InputError
from ddib.schedules.grids import Curve

GRID_SUFFIX = ".grid.json"


class Figures(BaseModel):
    """RMS errors of one number of steps on the images of the fit: log grid, adapted grid."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: int
    latent: tuple[float, float]
    decoded: tuple[float, float]
    cycle: tuple[float, float]


class FittedGrid(BaseModel):
    """A curve and what it was fitted to."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    checkpoint: str = Field(pattern="[0-9a-f]{64}", description="sha256 of the checkpoint's file")
    sigmas: tuple[float, ...] = Field(min_length=2, description="the curve's knots, ascending")
    log_density: tuple[float, ...] = Field(
        description="log of the steps per unit of log σ at the knots, up to an additive constant"
    )
    solver: str
    images: int
    label: int | None
    figures: tuple[Figures, ...]
    versions: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        if not all(0 < a < b for a, b in zip(self.sigmas, self.sigmas[1:], strict=False)):
            raise ValueError("sigmas do not ascend from above 0")
        if len(self.sigmas) != len(self.log_density):
            raise ValueError("not as many log_density as sigmas")
        if max(map(abs, self.log_density)) > 20:
            raise ValueError("log_density beyond 20")
        return self

    @property
    def curve(self) -> Curve:
        """The curve, for `make_grid`."""
        return Curve(self.sigmas, self.log_density)


def grid_file(checkpoint: Path) -> Path:
    """Return the path of a checkpoint's fitted grid."""
    return checkpoint.with_name(checkpoint.stem + GRID_SUFFIX)


def read_grid(checkpoint: Path, sha256: str | None = None) -> FittedGrid:
    """Read the grid fitted to a checkpoint; compare the checkpoint's sha256 where it is given.

    Raises InputError, with what to do, when there is none, it is damaged, or it is another's.
    """
    path = grid_file(checkpoint)
    remedy = f"`ddib-workbench checkpoints adapt {checkpoint.stem}` fits it"
    try:
        fitted = FittedGrid.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{checkpoint.stem} has no adapted grid; {remedy}", key="solver.grid"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", key="solver.grid") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        said = ": ".join(filter(None, (place, first["msg"])))
        raise InputError(f"{path}: damaged: {said}; {remedy} anew", key="solver.grid") from None
    if sha256 is not None and sha256 != fitted.checkpoint:
        raise InputError(
            f"{path}: fitted to another checkpoint of that name; {remedy} anew", key="solver.grid"
        )
    return fitted
