"""The rows of pictures and figures that a run has finished so far."""

from dataclasses import dataclass, field

import numpy as np

from ddib.data.pixels import Pixels
from workbench.engine.planning.plan import Plan
from workbench.engine.protocol.messages import Metrics, RowKind
from workbench.engine.results.measure import PerImage, summary
from workbench.runs.curves import Swept

SHOWN = 64  # images that a row of pictures has at most


@dataclass
class Row:
    """A row of images as it grows: the pixels that are shown and the metrics of all of them."""

    count: int = 0
    shown: list[Pixels] = field(default_factory=list)
    metrics: PerImage = field(default_factory=dict)

    def add(self, count: int, pixels: Pixels, metrics: PerImage | None = None) -> None:
        """`count` more images; `pixels` are those of the first ones, as many as are shown."""
        self.count += count
        self.shown.append(pixels)
        for name, values in (metrics or {}).items():
            self.metrics.setdefault(name, []).extend(values)

    @property
    def pixels(self) -> Pixels:
        """The first 64 images."""
        return np.concatenate(self.shown)[:SHOWN]


@dataclass
class RunResults:
    """What a run has finished so far, by kind of row, index of the variant, and end.

    encodings: for each variant, the one whose encoding it shares.
    exact: the variants whose decoding exactly inverted their encoding.
    """

    plan: Plan
    encodings: list[int]
    rows: dict[tuple[RowKind, int, int], Row] = field(default_factory=dict)
    exact: set[int] = field(default_factory=set)

    def row(self, kind: RowKind, index: int, end: int = 0) -> Row:
        """A row, empty when there is nothing of it yet; the results' end is the last."""
        end = self.plan.links if kind == "result" else end
        return self.rows.setdefault((kind, index, end), Row())

    def pictures(self, index: int) -> dict[int, Row]:
        """What the ends after the source have decoded of a variant, those that are whole."""
        last, count = self.plan.links, len(self.plan.images.names)
        strips = {
            end: self.row("result" if end == last else "intermediate", index, end)
            for end in range(1, last + 1)
        }
        return {end: strip for end, strip in strips.items() if strip.count == count}

    @property
    def reached(self) -> list[int]:
        """Variants with at least one complete row of decoded images, intermediate or final."""
        return [index for index in range(len(self.plan.variants)) if self.pictures(index)]

    @property
    def finished(self) -> list[int]:
        """The variants all of whose results are there."""
        return [index for index in self.reached if self.plan.links in self.pictures(index)]

    def variant_metrics(self) -> list[Metrics]:
        """The figures of the variants that are reached, in their order."""
        return [self.figures(index) for index in self.reached]

    def figures(self, index: int) -> Metrics:
        """The figures of a variant over its images."""
        return summary(self.per_image(index))

    def per_image(self, index: int) -> PerImage:
        """The figures of each of a variant's images."""
        result = self.pictures(index).get(self.plan.links, Row())
        return (
            self.row("latent", self.encodings[index]).metrics
            | self.row("edited_latent", index).metrics
            | result.metrics
        )

    def sweep(self) -> list[Swept]:
        """The variants that are finished, as points of curves."""
        variants = self.plan.variants
        return [
            Swept(variants[index].values, variants[index].label, self.figures(index))
            for index in self.finished
        ]
