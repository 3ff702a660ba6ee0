"""What holds for every image source, tried with its own examples."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field

from ddib.data.checks import check_source
from ddib.data.points import Places, Points, SyntheticPoints
from ddib.data.source import IMAGE_SOURCES, Available, ImageSource
from ddib.data.sources import source_of, source_of_dataset, suggested_entry
from ddib.errors import InputError

SOURCES = pytest.mark.parametrize("source", IMAGE_SOURCES.values(), ids=list(IMAGE_SOURCES))
Source = type[ImageSource]


@SOURCES
def test_a_source_keeps_what_all_promise(source: Source, tmp_path: Path) -> None:
    check_source(source, tmp_path)


def test_a_broken_promise_is_found(tmp_path: Path) -> None:
    before = dict(IMAGE_SOURCES)
    try:

        class Unfit(SyntheticPoints):
            """Draw points that no checkpoint reads."""

            name: ClassVar[str] = "unfit"
            dataset: Literal["unfit"] = Field("unfit", description="which shape")

            @property
            def deviation(self) -> float:
                return np.nan

            def draw(self, places: Places, generator: np.random.Generator) -> Points:
                return np.stack([places, places], 1)

        with pytest.raises(AssertionError, match="values that are not finite"):
            check_source(Unfit, tmp_path)
    finally:
        IMAGE_SOURCES.replace_members(before)


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

        class Empty(ImageSource):
            def find(self, base: Path) -> Available:
                raise InputError("nothing is there")

        class OtherMoons(Empty):
            """Moons again."""

            name: ClassVar[str] = "other_moons"
            dataset: Literal["moons"] = "moons"

        with pytest.raises(ValueError, match="dataset moons is taken by Moons"):
            IMAGE_SOURCES.check("other_moons", OtherMoons)

        class Keyless(Empty):
            """Nothing to know it by."""

            name: ClassVar[str] = "keyless"

        with pytest.raises(ValueError, match="needs a key dataset"):
            IMAGE_SOURCES.check("keyless", Keyless)
    finally:
        IMAGE_SOURCES.replace_members(before)
