"""What the engine reported of a run, and what of it still follows from the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from workbench.engine.protocol.messages import Finished, Progress, Row, RowKind, Started
from workbench.tui.models import Freshness

if TYPE_CHECKING:
    from workbench.session.schema import Session
    from workbench.tui.models import Pixels

ORDER: tuple[RowKind, ...] = (
    "source",
    "edited_image",
    "latent",
    "edited_latent",
    "intermediate",
    "intermediate_latent",
    "result",
)
SHARED: tuple[RowKind, ...] = ORDER[:3]  # by variants of the same encoding
_STAGES: dict[str, Sequence[RowKind]] = {
    "load": (),
    "encode": ("latent", "intermediate_latent"),
    "edit": ("edited_latent",),
    "decode": ("intermediate", "result"),
    "measure": (),
    "write": (),
}


@dataclass(frozen=True, eq=False)
class RowPictures:
    """A row as the engine sent it, pixels uint8 [N, H, W, C]."""

    pixels: Pixels
    partial: bool
    metrics: dict[str, float]
    per_image: dict[str, list[float | None]]

    def number(self, name: str, image: int) -> float | None:
        """A metric of one image, where there is one."""
        values = self.per_image.get(name, [])
        return values[image] if image < len(values) else None


@dataclass(eq=False)
class RunState:
    """A run that waits, is under way or has ended.

    An auto-run takes the first images and variants of its session; image i is the session's i.
    """

    id: str
    session: Session
    name: str = ""  # the session file's stem
    base: Path | None = None  # where the session's relative paths start
    auto: bool = False
    number: int = 0  # since the program started, from 1 on
    begun: float | None = None  # when it left the queue, by the queue's clock
    started: Started | None = None
    progress: Progress | None = None
    finished: Finished | None = None
    cancelling: bool = False
    _rows: dict[tuple[RowKind, int | None, int], RowPictures] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Queued or running."""
        return self.finished is None

    @property
    def done(self) -> bool:
        """Whether it ended with all of its results."""
        return self.finished is not None and self.finished.status == "done"

    @property
    def released(self) -> bool:
        """Whether its pictures are in its run directory only."""
        return self.directory is not None and not self._rows

    @property
    def directory(self) -> Path | None:
        """The run directory that has all of its results."""
        run = self.finished.run if self.finished is not None and self.done else None
        return None if run is None else Path(run)

    def release(self) -> None:
        """Give up the pictures in memory, where the run directory has them."""
        if self.directory is not None:
            self._rows.clear()

    def take_pictures(self, reopened: RunState) -> None:
        """Take the pictures that were read from the run directory."""
        self._rows = reopened._rows

    @property
    def failed_empty(self) -> bool:
        """Whether it failed before there was any result to show."""
        failed = self.finished is not None and self.finished.status == "failed"
        return failed and not any(kind == "result" for kind, _, _ in self._rows)

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        return sum(pictures.pixels.nbytes for pictures in self._rows.values())

    def receive(self, event: Started | Row | Progress | Finished) -> None:
        """Take in what the engine says."""
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, Finished):
            self.finished = event
        else:
            pixels = split(event.png, event.columns)
            pictures = RowPictures(pixels, event.partial, event.metrics, event.per_image)
            self._rows[event.kind, event.variant, event.end] = pictures

    def put(self, kind: RowKind, variant: int | None, pictures: RowPictures, end: int = 0) -> None:
        """Store a row of pictures."""
        self._rows[kind, variant, end] = pictures

    def values(self, variant: int | None) -> dict[str, Any]:
        """The sweep's values of a variant."""
        if self.started is None or variant is None or variant >= len(self.started.variants):
            return {}
        return self.started.variants[variant].values

    def row(self, kind: RowKind, variant: int | None = None, end: int = 0) -> RowPictures | None:
        """The pictures of a kind for a variant: its own, or those that it shares with others.

        end: of intermediate ones, which end of the chain they are of.
        """
        for owner in (variant, self._encoded_as(variant) if kind in SHARED else None, None):
            if (pictures := self._rows.get((kind, owner, end))) is not None:
                return pictures
        return None

    def _encoded_as(self, variant: int | None) -> int | None:
        """The first variant that has the same encoding."""
        if self.started is None or variant is None:
            return variant
        encodings = [_encoding(info.values) for info in self.started.variants]
        return encodings.index(encodings[variant]) if variant < len(encodings) else variant

    def freshness(
        self, kind: RowKind, variant: int | None, session: Session, end: int = 0
    ) -> Freshness:
        """Whether what is there for a kind follows from `session`, or is being computed."""
        pictures = self.row(kind, variant, end)
        unchanged = row_dependencies(self.session, kind, end) == row_dependencies(
            session, kind, end
        )
        if self.active and unchanged:
            if pictures is not None and not pictures.partial:
                return "fresh"
            if pictures is not None or self._is_computing(kind, variant, end):
                return "computing"
            return "absent"
        if pictures is None:
            return "absent"
        if not unchanged:
            return "stale"
        return "partial" if pictures.partial else "fresh"

    def _is_computing(self, kind: RowKind, variant: int | None, end: int) -> bool:
        progress = self.progress
        if progress is None or kind not in _STAGES[progress.stage]:
            return False
        if progress.end != (1 + len(self.session.chain) if kind == "result" else end):
            return False
        shown = self._encoded_as(variant) if kind in SHARED else variant
        return progress.variant is None or progress.variant == shown


def _encoding(values: dict[str, Any]) -> dict[str, Any]:
    """The swept values that an encoding depends on."""
    return {path: value for path, value in values.items() if path.startswith(("solver.", "image."))}


def row_dependencies(session: Session, kind: RowKind, end: int = 0) -> tuple[object, ...]:
    """All of a session that pictures of a kind, of an end of the chain, depend on."""
    place = ORDER.index(kind)
    source, target, recipe = session.source, session.target, session.recipe
    parts: list[object] = [source.images, source.checkpoint]
    if place >= ORDER.index("edited_image"):
        parts.append(tuple(op for op in recipe.image if op.enabled))
    if place >= ORDER.index("latent"):
        solver = session.solver
        parts.append(source)
        decoded = place >= ORDER.index("intermediate")
        parts.append(solver if decoded else solver.model_copy(update={"clip": False}))
    if place >= ORDER.index("edited_latent"):
        parts.append(tuple(op for op in recipe.latent if op.enabled))
    if place >= ORDER.index("intermediate"):
        parts.append(tuple(guide for guide in recipe.guide if guide.enabled))
        parts += [target, session.chain if kind == "result" else session.chain[: end - 1]]
    return tuple(parts)


def split(png: bytes, columns: int) -> Pixels:
    """Split a PNG of pictures of equal size side by side into uint8 [columns, H, W, C]."""
    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        strip = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    if strip.ndim == 2:
        strip = strip[..., None]
    height, width, channels = strip.shape
    parts = strip.reshape(height, columns, width // columns, channels).transpose(1, 0, 2, 3)
    return np.ascontiguousarray(parts)
