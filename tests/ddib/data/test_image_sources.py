"""What holds for every image source, tried with its own examples."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch

from ddib.data.loading import load_images, load_readable
from ddib.data.mnist import PACKAGED_MNIST
from ddib.data.pixels import to_tensor
from ddib.data.source import IMAGE_SOURCES, ImageSource, TrainingRequest
from ddib.data.sources import source_of, source_of_dataset, suggested_entry
from ddib.errors import InputError

SOURCES = pytest.mark.parametrize("source", IMAGE_SOURCES.values(), ids=list(IMAGE_SOURCES))
Source = type[ImageSource]


def shape_of(source: Source) -> tuple[int, int]:
    """Size and channels of a checkpoint that reads it."""
    return (1, 2) if source.of_points else (32, 3)


@SOURCES
def test_an_entry_is_known_by_its_keys(source: Source, tmp_path: Path) -> None:
    for example in source.examples(tmp_path):
        keys = example.model_dump(mode="json")
        assert source_of(keys) is source
        assert source.model_validate(keys) == example
        assert source.has_keys(keys) and not any(
            other.has_keys(keys) for other in IMAGE_SOURCES.values() if other is not source
        )


@SOURCES
def test_what_is_found_is_loaded(source: Source, tmp_path: Path) -> None:
    size, channels = shape_of(source)
    for example in source.examples(tmp_path):
        there = example.find(tmp_path)
        taken = there.taken(example)
        images = there.load(taken, size, channels)
        assert len(images.pixels) == len(taken) == len(images.names) == len(images.labels)
        assert images.pictures.dtype == np.uint8
        assert set(images.labels) <= {None, *source.class_labels}
        tensor = to_tensor(images.pixels)
        assert tensor.shape[:2] == (len(taken), channels)
        assert bool(tensor.isfinite().all())
        assert source.of_points or float(tensor.abs().max()) <= 1
        again = load_images([example, example], size=size, channels=channels, base=tmp_path)
        assert np.array_equal(again.pixels, np.concatenate([images.pixels] * 2))
        readable = load_readable(there, taken, size, channels)
        assert np.array_equal(readable.pixels, images.pixels)


@SOURCES
def test_what_a_checkpoint_cannot_read_is_said(source: Source, tmp_path: Path) -> None:
    size, channels = (32, 3) if source.of_points else (1, 2)
    for example in source.examples(tmp_path):
        with pytest.raises(InputError, match=r"source.checkpoint"):
            load_images([example], size=size, channels=channels, base=tmp_path)


@SOURCES
def test_the_entry_that_takes_what_another_took(source: Source, tmp_path: Path) -> None:
    for example in source.examples(tmp_path):
        there = example.find(tmp_path)
        taken = list(there.taken(example))
        picked = example.with_places(there.names, taken)
        assert sorted(picked.find(tmp_path).taken(picked)) == sorted(taken)
        assert picked.untaken() == example.untaken()


@SOURCES
def test_a_path_is_the_only_thing_that_moves(source: Source, tmp_path: Path) -> None:
    for example in source.examples(tmp_path):
        moved = example.with_path(lambda path: f"/elsewhere/{Path(path).name}")
        changed = {k for k, value in moved if value != getattr(example, k)}
        assert changed <= {source.path_key}


@SOURCES
def test_batches_to_train_on(source: Source, tmp_path: Path) -> None:
    """Each is a pure function of its generator; digits come from the package's test digits."""
    for example in source.examples(tmp_path):
        root = getattr(example, source.path_key) if source.path_key else None
        root = (root and Path(root)) or (source.class_labels and PACKAGED_MNIST) or None
        dataset = getattr(example, "dataset", str(tmp_path))
        request = TrainingRequest(dataset, (), root, 16, "test", tmp_path)
        data = source.training_data(request)
        images, labels = data.batch(4, torch.Generator().manual_seed(1))
        again, _ = data.batch(4, torch.Generator().manual_seed(1))
        assert torch.equal(images, again)
        assert images.shape[:2] == (4, data.channels)
        assert set(labels.tolist()) <= set(data.labels or (-1,))
        assert data.domain and data.facts


def test_a_checkpoints_own_images() -> None:
    for source in IMAGE_SOURCES.values():
        for dataset in source.datasets():
            entry = suggested_entry({"dataset": dataset}, (7,), source.of_points)
            assert entry.of_points == source.of_points
            if source.domain_entry({"dataset": dataset}, (7,)) is not None:
                assert getattr(entry, "dataset", None) == dataset
    assert suggested_entry({}, (), of_points=True).of_points


def test_a_name_is_a_dataset_and_the_rest_is_a_path() -> None:
    for source in IMAGE_SOURCES.values():
        for dataset in source.datasets():
            assert source_of_dataset(dataset) is source
    assert source_of_dataset("/some/folder") is source_of({"path": "x"})
    assert source_of({}) is None
    unknown = source_of({"dataset": "moonz"})
    assert unknown is not None and unknown.datasets()
    assert source_of({"dataset": ["moons"]}) is not None


def test_a_dataset_has_one_source() -> None:
    before = dict(IMAGE_SOURCES)
    try:

        class OtherMoons(ImageSource):
            """Moons again."""

            name: ClassVar[str] = "other_moons"
            dataset: Literal["moons"] = "moons"

        with pytest.raises(ValueError, match="dataset moons is taken by Moons"):
            IMAGE_SOURCES.check("other_moons", OtherMoons)

        class Keyless(ImageSource):
            """Nothing to know it by."""

            name: ClassVar[str] = "keyless"

        with pytest.raises(ValueError, match="needs a key dataset"):
            IMAGE_SOURCES.check("keyless", Keyless)
    finally:
        IMAGE_SOURCES.replace_members(before)
