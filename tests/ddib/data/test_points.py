"""Clouds of points: their shapes against geometry, and how they enter as images."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ddib.data.loading import load_images
from ddib.data.outlines import WIDTH
from ddib.data.pixels import to_pixels, to_tensor
from ddib.data.points import SyntheticPoints
from ddib.data.source import IMAGE_SOURCES, TrainingRequest
from ddib.data.sources import source_of_dataset
from ddib.data.sources.colored_mnist import ColoredMNIST
from ddib.errors import InputError
from ddib.operations.geometry import Flip, Rotate
from ddib.operations.noise import AddNoise
from ddib.operations.values import Clamp, Normalize

NAMES = [
    dataset
    for source in IMAGE_SOURCES.values()
    if issubclass(source, SyntheticPoints)
    for dataset in source.datasets()
]


def entry(dataset: str, count: int = 2000, seed: int = 0) -> SyntheticPoints:
    made = source_of_dataset(dataset).model_validate({"dataset": dataset, "seed": seed})
    assert isinstance(made, SyntheticPoints)
    return made.model_copy(update={"count": count})


def cloud(dataset: str, count: int, seed: int) -> NDArray[np.float32]:
    return entry(dataset, count, seed).cloud()


def raw(dataset: str, count: int = 30_000) -> NDArray[np.floating]:
    """Points before they were standardised."""
    shape = entry(dataset)
    return cloud(dataset, count, 0) * shape.deviation + shape.mean


@pytest.mark.parametrize("name", NAMES)
def test_zero_mean_and_unit_variance_over_both_coordinates(name: str) -> None:
    points = cloud(name, 200_000, seed=1).astype(np.float64)
    assert points.mean() == pytest.approx(0, abs=0.005)
    assert points.std() == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_is_a_cloud(name: str) -> None:
    assert np.array_equal(cloud(name, 100, 3), cloud(name, 100, 3))
    assert not np.array_equal(cloud(name, 100, 3), cloud(name, 100, 4))
    assert np.isfinite(cloud(name, 1, 0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_neighbours_in_the_order_are_near_along_the_shape(name: str) -> None:
    """What colours by order rely on; a board's fields lie above one another."""
    points = cloud(name, 3000, 0)
    steps = np.abs(np.diff(points[:, :1] if name == "checkerboards" else points, axis=0)).max(1)
    assert np.median(steps) < 0.2
    assert (steps > 0.8).sum() <= 3


def test_moons_are_two_half_circles_with_noise() -> None:
    points = raw("moons")
    upper, lower = np.split(points, 2)
    for half, centre, side in ((upper, (0, 0), 1), (lower, (1, 0.5), -1)):
        radii = np.linalg.norm(half - centre, axis=1)
        assert radii.mean() == pytest.approx(1, abs=0.005)
        assert radii.std() == pytest.approx(0.05, abs=0.003)
        assert ((half - centre)[:, 1] * side > -0.25).all()


def test_checkerboards_fill_every_other_field() -> None:
    across, up = np.floor(raw("checkerboards")).astype(int).T
    assert set((across + up) % 2) == {0}
    fields, counts = np.unique(np.stack([across, up]), axis=1, return_counts=True)
    assert fields.shape[1] == 8
    assert counts == pytest.approx(30_000 / 8, rel=0.06)


@pytest.mark.parametrize("name", ["concentric-rings", "parallel-rings"])
def test_three_rings_of_a_width(name: str) -> None:
    concentric = name == "concentric-rings"
    for number, ring in enumerate(np.split(raw(name), 3)):
        radius, centre = (number + 1, 0) if concentric else (1, 2.8 * (number - 1))
        radii = np.linalg.norm(ring - (centre, 0), axis=1)
        assert np.abs(radii - radius).max() <= WIDTH / 2 + 1e-6
        assert radii.mean() == pytest.approx(radius, abs=0.01)
        assert (ring - (centre, 0)).mean(0) == pytest.approx((0, 0), abs=0.05)


@pytest.mark.parametrize("name", ["concentric-squares", "parallel-squares"])
def test_three_squares_of_a_width(name: str) -> None:
    concentric = name == "concentric-squares"
    for number, square in enumerate(np.split(raw(name), 3)):
        size, centre = (number + 1, 0) if concentric else (1, 3 * (number - 1))
        edge = np.abs(square - (centre, 0)).max(1)
        assert np.abs(edge - size).max() <= WIDTH / 2 + 1e-6
        assert edge.mean() == pytest.approx(size, abs=0.01)


def test_training_draws_the_same_distribution_and_never_the_same_points() -> None:
    generator = torch.Generator().manual_seed(0)
    images, _ = (
        source_of_dataset("moons").training_data(TrainingRequest("moons")).batch(512, generator)
    )
    assert images.shape == (512, 2, 1, 16)
    drawn = images.movedim(1, -1).reshape(-1, 2).numpy()
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    assert drawn.std() == pytest.approx(1, abs=0.03)
    held_out = {tuple(point) for point in cloud("moons", 8192, 0)}
    assert not held_out & {tuple(point) for point in drawn}


def test_a_cloud_is_an_image_of_one_row_that_nothing_rounds() -> None:
    spec = entry("moons", 50, 2)
    images = load_images([spec, spec], size=1, channels=2)
    assert images.pixels.shape == (2, 1, 50, 2)
    assert images.pixels.dtype == np.float32
    tensor = to_tensor(images.pixels)
    assert np.array_equal(tensor[0, :, 0].T.numpy(), cloud("moons", 50, 2))
    assert np.array_equal(to_pixels(tensor), images.pictures)
    assert load_images([spec, spec], size=1, channels=2, limit=1).pixels.shape[0] == 1


def test_what_does_not_fit_is_said() -> None:
    points = entry("moons", 5)
    with pytest.raises(InputError, match="choose synthetic-moons as source"):
        load_images([points], size=32, channels=3)
    with pytest.raises(InputError, match="reads points; give it such a dataset"):
        load_images([ColoredMNIST()], size=1, channels=2)
    more = points.model_copy(update={"count": 7})
    with pytest.raises(InputError, match="clouds of 5 and 7 points") as error:
        load_images([points, more], size=1, channels=2)
    assert error.value.key == "source.images"


def test_operations_on_points_of_a_plane() -> None:
    z = torch.tensor([[[[1.0, 0.0]], [[0.0, 2.0]]]])  # (1, 0) and (0, 2)
    turned = Rotate(degrees=90)(z)
    assert torch.allclose(turned, torch.tensor([[[[0.0, -2.0]], [[1.0, 0.0]]]]), atol=1e-6)
    assert torch.equal(Flip()(z)[0, 0], -z[0, 0])
    assert torch.equal(Flip(direction="vertical")(z)[0, 1], -z[0, 1])
    assert torch.equal(Clamp(low=-1, high=1)(z), z.clamp(-1, 1))
    points = torch.from_numpy(cloud("moons", 200, 0)).T[None, :, None]
    whole = Normalize()(3 * points + 1)
    assert float(whole.mean()) == pytest.approx(0, abs=1e-6)  # over the cloud, not a point
    assert float(whole.std(correction=0)) == pytest.approx(1, abs=1e-6)
    noise = AddNoise(coefficient=1.0)(points) - points
    assert float(noise.std()) == pytest.approx(1, abs=0.1)  # each point its own
