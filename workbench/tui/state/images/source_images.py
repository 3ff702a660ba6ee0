"""The source images of a session, listed and read; slow, for a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddib.data.loading import distinct_names, load_readable
from ddib.data.source import Images, ImageSource
from ddib.errors import InputError
from workbench.session.schema import Session
from workbench.tui.models import SHOWN
from workbench.tui.state.images.thumbnails import Gallery

if TYPE_CHECKING:
    from workbench.tui.models import Pixels


@dataclass(frozen=True, eq=False)
class SourceImages:
    """Source images, loaded for one state of the session."""

    pixels: Pixels | None = None  # the first that the session takes
    names: tuple[str, ...] = ()  # theirs
    count: int = 0  # of all that the session takes
    before: int = 0  # of those, taken by the entries before the one under the form
    available: Gallery | None = None  # those the entry under the form could take
    plain: ImageSource | None = None  # that entry, whatever it takes
    key: tuple[object, ...] = ()  # all that the gallery depends on
    problem: str | None = None


def load(
    session: Session, part: int, base: Path, shape: tuple[int, int], before: SourceImages
) -> SourceImages:
    """List the images and read the first.

    `part`: the entry that the form shows; `base`: where relative paths start; `shape`: edge and
    channels of an image; `before`: what was loaded last, whose gallery is kept where it holds.
    """
    import workbench.tui.terminal.half_blocks  # noqa: F401  # its first use would hold the screen up

    size, channels = shape
    entries = session.source.images
    plain = entries[part].untaken()
    key = gallery_key(entries[part], base, channels, session.version)
    gallery = before.available if key == before.key else None
    counts: list[int] = []
    first: list[Images] = []
    try:
        if gallery is None:
            found = entries[part].in_version(session.version).find(base)
            gallery = Gallery(found, channels)
        for index, spec in enumerate(entries):
            there = (
                gallery.available if index == part else spec.in_version(session.version).find(base)
            )
            taken = there.taken(spec)
            room = SHOWN - sum(counts)
            if room > 0:
                first.append(load_readable(there, taken[:room], size, channels))
            counts.append(len(taken))
    except InputError as error:
        return SourceImages(available=gallery, plain=plain, key=key, problem=str(error))
    return SourceImages(
        np.concatenate([images.pictures for images in first]),
        distinct_names(
            [name for images in first for name in images.names],
            [file for images in first for file in images.files],
        ),
        sum(counts),
        sum(counts[:part]),
        gallery,
        plain,
        key,
    )


def gallery_key(spec: ImageSource, base: Path, channels: int, version: int) -> tuple[object, ...]:
    """What the images depend on that an entry could take."""
    return base, spec.untaken(), channels, version, spec.folder_stamp(base)
