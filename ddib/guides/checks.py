"""What holds for every guide is checked on its examples.

`check_guide(MyGuide)` in a test of one's own, or in the tests of this repository for every member
of the registry, raises AssertionError where the class breaks a promise that runs rely on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddib.guides.guide import GUIDES, Guide, State, with_guides
from ddib.operations.sweep_checks import check_file_and_sweep, check_parameters

if TYPE_CHECKING:
    from torch import Tensor

_PICTURES = (4, 3, 16, 12)
_POINTS = (4, 2, 1, 50)
_LEVELS = (0.02, 1.0, 40.0)


def check_guide(guide: type[Guide]) -> None:
    """Check a class of guides; raises AssertionError with what is wrong."""
    check_parameters(guide, "guide", GUIDES)
    for example in guide.examples():
        check_file_and_sweep(example)
        for shape in (_PICTURES,) if guide.pictures_only else (_PICTURES, _POINTS):
            for sigma in _LEVELS:
                check_shift(example, shape, sigma)
            check_range(example, shape)


def check_shift(example: Guide, shape: tuple[int, ...], sigma: float) -> None:
    """The shift has D's shape and dtype, is finite, and is each image's own; D and source stay."""
    import torch

    denoised, z, source = _randn(shape, 0), _randn(shape, 1), _randn(shape, 2).clamp(-1, 1)
    before = denoised.clone(), z.clone(), source.clone()
    with torch.inference_mode():
        shift = example.shift(denoised, State(z, sigma, source))
    assert shift.shape == denoised.shape, f"{example!r} changes the shape"
    assert shift.dtype == denoised.dtype, f"{example!r} changes the dtype"
    assert shift.isfinite().all(), f"{example!r} makes values that are not finite"
    for now, then in zip((denoised, z, source), before, strict=True):
        assert torch.equal(now, then), f"{example!r} changes its input"
    for i in range(len(z)):
        here = slice(i, i + 1)
        alone = example.shift(denoised[here], State(z[here], sigma, source[here]))
        assert torch.allclose(alone, shift[here], rtol=1e-5, atol=1e-6), (
            f"{example!r}: image {i} depends on the others of its batch"
        )


def check_range(example: Guide, shape: tuple[int, ...]) -> None:
    """Scale 0, switched off or outside its range, a guide changes no bit of the estimate."""
    import torch

    z, source = _randn(shape, 1), _randn(shape, 2)
    estimate = _randn(shape, 0)
    for change in ({"scale": 0.0}, {"enabled": False}, {"sigma_min": 2.0}, {"sigma_max": 0.5}):
        silent = example.model_copy(update=change)
        found = with_guides(lambda z, sigma: estimate, [silent], source)(z, 1.0)
        assert torch.equal(found, estimate), f"{silent!r} changes the estimate"


def _randn(shape: tuple[int, ...], seed: int) -> Tensor:
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
