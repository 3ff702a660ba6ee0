"""Each file here is a source of images; importing the package registers them all."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddib.data.source import IMAGE_SOURCES, ImageSource
from ddib.registry import import_modules

__all__ = ["IMAGE_SOURCES", "domain_entry", "source_of", "source_of_dataset", "suggested_entry"]

import_modules(__name__, list(__path__))


def source_of(keys: Mapping[str, Any]) -> type[ImageSource] | None:
    """The source that an entry with these keys is of; None when the keys are no source's.

    With an unknown `dataset`: the one that shares most of its keys.
    """
    if meant := next((s for s in IMAGE_SOURCES.values() if s.has_keys(keys)), None):
        return meant
    likely = [s for s in IMAGE_SOURCES.values() if "dataset" in keys and s.datasets()]
    return max(likely, key=lambda source: len(keys.keys() & source.model_fields), default=None)


def source_of_dataset(dataset: str) -> type[ImageSource]:
    """The source of a dataset's name, else the one that takes it for a path."""
    named = (source for source in IMAGE_SOURCES.values() if dataset in source.datasets())
    of_path = source_of({"path": dataset})
    assert of_path is not None
    return next(named, of_path)


def domain_entry(
    data: Mapping[str, Any], labels: Sequence[int], of_points: bool
) -> ImageSource | None:
    """An entry of the images that a checkpoint was trained on, where a source has them.

    data: what the checkpoint's header says of them; labels: the classes that it holds.
    """
    entries = (source.domain_entry(data, labels) for source in _sources_of(of_points))
    return next(filter(None, entries), None)


def suggested_entry(data: Mapping[str, Any], labels: Sequence[int], of_points: bool) -> ImageSource:
    """An entry of the images that a checkpoint was trained on, else of others that it can read."""
    own = domain_entry(data, labels, of_points)
    return own or _sources_of(of_points)[0].default_entry(labels)


def _sources_of(of_points: bool) -> list[type[ImageSource]]:
    return [source for source in IMAGE_SOURCES.values() if source.of_points == of_points]
