"""Slerp against the geometry of the sphere."""

import pytest
import torch
from random_tensors import randn
from torch import Tensor

from ddib.errors import InputError
from ddib.operations.operation import Context
from ddib.operations.sphere import Slerp
from ddib.operations.tensors import standard_noise


def test_slerp_keeps_to_the_arc() -> None:
    z = randn(1, 3, 16, 16)
    noise = standard_noise(7, None, (3, 16, 16))
    torch.testing.assert_close(Slerp(fraction=1, seed=7)(z)[0], noise)
    half = Slerp(fraction=0.5, seed=7)(z)[0].flatten()
    angles = [
        torch.acos(torch.cosine_similarity(half, end.flatten(), dim=0)) for end in (z[0], noise)
    ]
    equal = torch.cosine_similarity(z.flatten() / z.norm(), noise.flatten() / noise.norm(), dim=0)
    assert abs(sum(angles) - torch.acos(equal)) < 1e-3  # in the plane of the two, between them
    assert 0.9 < half.std() < 1.1
    assert torch.equal(Slerp()(torch.zeros_like(z)), Slerp()(torch.zeros_like(z)))


def test_slerp_leads_to_the_latent_of_the_image_so_many_places_further(z: Tensor) -> None:
    everything = randn(6, 3, 16, 12, seed=5)
    here = Context(first_index=3, everything=everything)
    for fraction, ends in ((0.0, everything[3:6]), (1.0, everything[[5, 0, 1]])):
        slerp = Slerp(fraction=fraction, other="image", offset=2)
        assert torch.equal(slerp(everything[3:6], here), ends)
    itself = Slerp(fraction=0.7, other="image", offset=6)
    assert torch.equal(itself(everything[3:6], here), everything[3:6])


def test_slerp_has_the_weights_of_two_unit_vectors_at_a_right_angle() -> None:
    east, north = torch.tensor([[[[3.0, 0.0]]], [[[0.0, 3.0]]]])
    slerp = Slerp(fraction=1 / 3, other="image")
    turned = slerp(east[None], Context(everything=torch.stack([east, north])))
    torch.testing.assert_close(turned, torch.tensor([[[[3 * 3**0.5 / 2, 1.5]]]]))


def test_slerp_needs_a_latent_of_another_image(z: Tensor) -> None:
    operation = Slerp(other="image")
    assert operation.reads_everything
    with pytest.raises(InputError, match="everything"):
        operation(z)
    with pytest.raises(InputError, match=r"shape \(4, 3, 16, 12\), not \(4, 3, 16, 11\)"):
        operation(z, Context(everything=z[..., :11]))
