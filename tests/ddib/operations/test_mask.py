"""A mask, pixel by pixel, and how it counts the operations above it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ddib.errors import InputError
from ddib.operations.mask import Mask
from ddib.operations.operation import Context, Operation
from ddib.operations.recipe import apply_operations
from ddib.operations.values import Normalize, Scale


@given(
    st.sampled_from(["ellipse", "rectangle"]),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2), st.floats(0, 2)),
    st.sampled_from(["inside", "outside"]),
)
def test_mask_pixel_by_pixel(shape: str, place: tuple[float, ...], keep: str) -> None:
    x, y, width, height = place
    mask = Mask(shape=shape, keep=keep, x=x, y=y, width=width, height=height)  # type: ignore[arg-type]
    z, before = torch.ones(1, 2, 7, 9), torch.zeros(1, 2, 7, 9)
    result = mask(z, Context(before=(before,)))
    for i in range(7):
        for j in range(9):
            across, down = (j + 0.5) / 9 - x, (i + 0.5) / 7 - y
            if shape == "rectangle":
                margin = min(width / 2 - abs(across), height / 2 - abs(down))
            else:  # inside where (2·across/width)² + (2·down/height)² ≤ 1
                margin = (width * height / 2) ** 2 - (across * height) ** 2 - (down * width) ** 2
            if abs(margin) > 1e-9:
                kept = (margin > 0) == (keep == "inside")
                assert (result[..., i, j] == float(kept)).all()


def test_mask_keeps_an_edit_in_the_foreground_or_takes_it_back_there(z: Tensor) -> None:
    image = torch.full_like(z, -1)
    image[:, 1, 4:8, 5:9] = 0.5
    inside = torch.zeros(4, 1, 16, 12, dtype=torch.bool)
    inside[..., 4:8, 5:9] = True
    for keep, region in (("inside", inside), ("outside", ~inside)):
        mask = Mask(shape="foreground", keep=keep)  # type: ignore[arg-type]
        stack = [Normalize(), Scale(factor=3), mask]
        result = apply_operations(stack, z, Context(image))
        normalized = Normalize()(z)
        assert torch.equal(result, torch.where(region, 3 * normalized, normalized))
    with pytest.raises(InputError, match="source image"):
        apply_operations([Scale(), Mask(shape="foreground")], z, Context())


def test_mask_counts_the_operations_above_it(z: Tensor) -> None:
    half = {"shape": "rectangle", "x": 0.25, "height": 1.0}  # the left half
    left = torch.arange(12) < 6

    def result(*stack: Operation) -> Tensor:
        return apply_operations(stack, z, Context())

    def both(inside: Tensor, outside: Tensor) -> Tensor:
        return torch.where(left, inside, outside)

    two, three, mask = Scale(factor=2), Scale(factor=3), Mask(**half)  # type: ignore[arg-type]
    assert torch.equal(result(two, three, mask), both(6 * z, 2 * z))
    all_of_them = mask.model_copy(update={"operations": 9})
    assert torch.equal(result(two, three, all_of_them), both(6 * z, z))
    off = three.model_copy(update={"enabled": False})
    assert torch.equal(result(two, off, mask), 2 * z), "what is off is counted, not another"
    over_both = mask.model_copy(update={"operations": 2})
    assert torch.equal(result(two, off, over_both), both(2 * z, z))
    assert torch.equal(result(two, mask, three), 3 * both(2 * z, z))
    assert torch.equal(result(mask, two), 2 * z)
    outer = Mask(keep="outside", operations=2, **half)  # type: ignore[arg-type]
    assert torch.equal(result(two, mask, outer), z), "a mask can be masked"
