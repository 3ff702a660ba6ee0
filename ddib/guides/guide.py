"""A guide moves the denoised estimate D while decoding.

A guide is a frozen pydantic model, one class each, as an operation is: its fields are the keys in a
session file and the form on the screen, its docstring is the help, `shift` is the effect. At every
evaluation at a level σ from `sigma_min` to `sigma_max` the estimate becomes D + scale·shift. A
guide of scale 0, one that is switched off, and one outside its range leave every byte as it is.

Importing this module loads no torch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from ddib.data.pixels import POINT_CHANNELS
from ddib.errors import InputError
from ddib.operations.sweeps import check_usable
from ddib.registry import Registry, register_model
from ddib.solvers.scheme import Denoise

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SIGMA = 1e6


@dataclass(frozen=True)
class State:
    """Where the decoding is.

    z: the variance-preserving state [N, C, H, W]; sigma: its level.
    source: the session's unedited source images [N, C, H, W] in [-1, 1], row for row with z.
    """

    z: Tensor
    sigma: float
    source: Tensor


class Guide(BaseModel):
    """What moves D while decoding; subclasses register themselves in GUIDES."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    pictures_only: ClassVar[bool] = False
    """Whether it means nothing for a cloud of points."""

    guide: str
    enabled: bool = Field(default=True, description="false: kept in the session, not applied")
    scale: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="what the shift of D is multiplied by; 0: no byte changes",
        json_schema_extra={"symbol": "s"},
    )
    sigma_min: float = Field(
        default=0.0, ge=0, le=LARGEST_SIGMA, description="the lowest noise level σ it acts at"
    )
    sigma_max: float = Field(
        default=LARGEST_SIGMA, ge=0, le=LARGEST_SIGMA, description="the highest noise level σ"
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register a class that names itself; one that only widens another's fields does not."""
        super().__pydantic_init_subclass__(**kwargs)
        if "guide" in get_annotations(cls):
            register_model(GUIDES, "guide", cls)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Settings that cover what the class can do, for `ddib.guides.checks`."""
        return (cls.model_validate({"guide": cls.model_fields["guide"].default}),)

    @property
    def acts(self) -> bool:
        """Whether it changes anything at any level."""
        return self.enabled and self.scale != 0 and self.sigma_min <= self.sigma_max

    @abstractmethod
    def shift(self, denoised: Tensor, state: State) -> Tensor:
        """Return what is added to the estimate D at scale 1, [N, C, H, W]; changes neither."""


GUIDES: Registry[type[Guide]] = Registry("guide", "guides", check_usable)
"""Every guide by its name."""


class LossGuide(Guide):
    """A guide that lowers a loss of the estimate D by a step down its gradient.

    D is moved by minus the gradient of the loss with respect to D, so the network is neither
    differentiated nor evaluated once more (MPGD, He et al. 2024, arXiv 2311.16424).
    """

    @abstractmethod
    def loss(self, denoised: Tensor, state: State) -> Tensor:
        """Return the loss of each image, [N], differentiable in the estimate D."""

    def shift(self, denoised: Tensor, state: State) -> Tensor:
        """Return minus the gradient of the loss with respect to D."""
        import torch

        with torch.inference_mode(False), torch.enable_grad():
            estimate = denoised.detach().clone().requires_grad_()
            plain = State(state.z.clone(), state.sigma, state.source.clone())
            return -torch.autograd.grad(self.loss(estimate, plain).sum(), estimate)[0]


def acting(guides: Sequence[Guide]) -> tuple[Guide, ...]:
    """Return the guides that change anything, in order."""
    return tuple(guide for guide in guides if guide.acts)


def check_guides(guides: Sequence[Guide], start: Tensor, source: Tensor | None) -> None:
    """Raise InputError where guides cannot act on states of start's shape [N, C, H, W]."""
    for guide in acting(guides):
        if guide.pictures_only and start.shape[1] == POINT_CHANNELS:
            raise InputError(f"the guide {guide.guide} needs pictures, and these are points")
        if source is None:
            raise InputError(f"the guide {guide.guide} needs the source images: pass source=…")
        if source.shape != start.shape:
            raise InputError(
                f"the guide {guide.guide} needs source images of the latent's shape "
                f"{tuple(start.shape)}, not {tuple(source.shape)}"
            )


def with_guides(denoise: Denoise, guides: Sequence[Guide], source: Tensor | None) -> Denoise:
    """Return D(z, σ) with the shifts of guides, each applied to the estimate of the one before.

    source: as `State.source`; None only where no guide acts.
    """
    active = acting(guides)
    if not active or source is None:
        return denoise

    def guided(z: Tensor, sigma: float) -> Tensor:
        denoised: Tensor = denoise(z, sigma)
        for guide in active:
            if guide.sigma_min <= sigma <= guide.sigma_max:
                state = State(z, sigma, source.to(denoised))
                denoised = denoised + guide.scale * guide.shift(denoised, state)
        return denoised

    return guided


def settings_of(guides: Sequence[Guide]) -> list[object]:
    """Return what a decoding depends on, for a cache's key; empty where no guide acts."""
    return [
        [
            guide.model_dump(exclude={"enabled"}),
            origin.sha256 if (origin := GUIDES.origins.get(guide.guide)) else "",
        ]
        for guide in acting(guides)
    ]
