"""These checks try what holds for every image source on the source's own examples.

`check_source(Gratings, folder)` in a test of one's own, or in the tests of this repository for
every member of the registry, raises AssertionError where the class breaks a promise that sessions,
forms or training rely on.
"""

from pathlib import Path

import numpy as np

from ddib.data.loading import load_images, load_readable
from ddib.data.mnist import PACKAGED_MNIST
from ddib.data.pixels import POINT_CHANNELS, to_tensor
from ddib.data.source import IMAGE_SOURCES, ImageSource, TrainingRequest
from ddib.data.sources import source_of
from ddib.errors import InputError

_SIZE = 32  # of the pictures that are loaded, in pixels


def check_source(source: type[ImageSource], folder: Path) -> None:
    """Check a class of image sources; raises AssertionError with what is wrong.

    folder: an empty one, into which the source writes what its examples need.
    """
    check_documentation(source)
    for example in source.examples(folder):
        check_keys(example)
        check_loading(example, folder)
        check_refusal(example, folder)
        check_places(example, folder)
        check_path(example)
        if _trains(source):
            check_training_data(example, folder)


def check_documentation(source: type[ImageSource]) -> None:
    """The class is registered and each of its keys is described."""
    assert IMAGE_SOURCES[source.name] is source, f"{source.name} is not registered"
    for name, key in source.model_json_schema()["properties"].items():
        assert name == "dataset" or key.get("description"), f"{name} has no description"


def check_keys(example: ImageSource) -> None:
    """An entry survives writing and reading, and its keys are no other source's."""
    source, keys = type(example), example.model_dump(mode="json")
    assert source_of(keys) is source, f"{keys} are taken for another source's"
    assert source.model_validate(keys) == example, f"{example!r} is another when it is read"
    others = [other for other in IMAGE_SOURCES.values() if other is not source]
    assert not any(other.has_keys(keys) for other in others), f"{keys} are another source's too"


def check_loading(example: ImageSource, base: Path) -> None:
    """Each image that an entry takes is loaded with a name and a label, the same each time."""
    source = type(example)
    size, channels = _readable_shape(source)
    there = example.find(base)
    taken = there.taken(example)
    images = there.load(taken, size, channels)
    counts = {len(images.pixels), len(images.names), len(images.labels), len(images.files)}
    assert counts == {len(taken)}, f"{example!r} takes {len(taken)} images and gives {counts}"
    assert images.pictures.dtype == np.uint8, f"{example!r} shows no pixels of 8 bits"
    assert set(images.labels) <= {None, *source.class_labels}, f"{example!r} gives other labels"
    tensor = to_tensor(images.pixels)
    assert tensor.shape[:2] == (len(taken), channels), f"{example!r} gives {tuple(tensor.shape)}"
    assert bool(tensor.isfinite().all()), f"{example!r} gives values that are not finite"
    assert source.of_points or float(tensor.abs().max()) <= 1
    again = load_images([example, example], size=size, channels=channels, base=base)
    twice = np.concatenate([images.pixels] * 2)
    assert np.array_equal(again.pixels, twice), f"{example!r} gives others when loaded again"
    assert np.array_equal(load_readable(there, taken, size, channels).pixels, images.pixels)


def check_refusal(example: ImageSource, base: Path) -> None:
    """A checkpoint that cannot read the images is refused with what to change."""
    size, channels = (_SIZE, 3) if example.of_points else (1, POINT_CHANNELS)
    try:
        load_images([example], size=size, channels=channels, base=base)
    except InputError as error:
        assert "source.checkpoint" in str(error), f"the message names no key: {error}"
    else:
        raise AssertionError(f"{example!r} loads for {channels} channels: call check_reader first")


def check_places(example: ImageSource, base: Path) -> None:
    """The entry that takes the places of another takes what the other took."""
    there = example.find(base)
    taken = list(there.taken(example))
    picked = example.with_places(there.names, taken)
    assert sorted(picked.find(base).taken(picked)) == sorted(taken), f"{picked!r} takes others"
    assert picked.untaken() == example.untaken(), f"{picked!r} changes more than what is taken"


def check_path(example: ImageSource) -> None:
    """With another path nothing else changes."""
    moved = example.with_path(lambda path: f"/elsewhere/{Path(path).name}")
    changed = {key for key, value in moved if value != getattr(example, key)}
    assert changed <= {example.path_key}, f"{changed} change with the path"


def check_training_data(example: ImageSource, folder: Path) -> None:
    """A batch to train on is a function of its generator; digits come from the package's own."""
    import torch

    source = type(example)
    path = getattr(example, source.path_key) if source.path_key else None
    root = Path(path) if path else PACKAGED_MNIST if source.class_labels else None
    dataset = getattr(example, "dataset", str(folder))
    data = source.training_data(TrainingRequest(dataset, (), root, 16, "test", folder))
    images, labels = data.batch(4, torch.Generator().manual_seed(1))
    again, _ = data.batch(4, torch.Generator().manual_seed(1))
    assert torch.equal(images, again), f"{source.name}: the batch is another with the same seed"
    assert images.shape[:2] == (4, data.channels), f"{source.name} gives {tuple(images.shape)}"
    assert set(labels.tolist()) <= set(data.labels or (-1,)), f"{source.name} gives other labels"
    assert data.domain, f"{source.name}: the training data have no domain"
    assert data.facts, f"{source.name}: the training data have no facts"


def _trains(source: type[ImageSource]) -> bool:
    """Whether a source has training data of its own."""
    return source.training_data.__func__ is not ImageSource.training_data.__func__  # type: ignore[attr-defined]


def _readable_shape(source: type[ImageSource]) -> tuple[int, int]:
    """Size and channels of a checkpoint that reads the source."""
    return (1, POINT_CHANNELS) if source.of_points else (_SIZE, 3)
