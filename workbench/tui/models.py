"""What the widgets show: plain values, so that no widget knows of sessions or engines.

Views that hold pixels are compared by identity.

Nothing heavy is imported here: the first frame stands before the session's schema is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.runs.curves import Swept

    Pixels = NDArray[np.uint8]

SHOWN = 64  # images the engine sends pictures of

Freshness = Literal["absent", "fresh", "stale", "computing", "partial"]
EditStage = Literal["image", "latent"]
FieldKind = Literal["integer", "number", "choice", "text"]


@dataclass(frozen=True)
class HeaderView:
    """The line at the top."""

    name: str = ""
    title: str = ""
    dirty: bool = False
    source: str = ""
    target: str = ""
    solver: str = ""
    engine: str = ""
    busy: bool = False


@dataclass(frozen=True)
class CheckpointView:
    """A line of the library."""

    name: str
    labels: str = ""
    facts: str = ""
    problem: str | None = None
    is_source: bool = False
    is_target: bool = False
    is_further: bool = False  # an end of the chain
    path: str = ""
    domain: str = ""
    parameters: int = 0
    modified: float = 0.0  # seconds since 1970
    details: tuple[str, ...] = ()
    sample: bytes | None = field(default=None, repr=False)  # a PNG

    @property
    def words(self) -> str:
        """What a filter looks at."""
        return f"{self.name} {self.domain} {self.labels}"


@dataclass(frozen=True)
class Position:
    """A place in the recipe: a stage and an index in it."""

    stage: EditStage
    index: int


START = Position("latent", 0)


@dataclass(frozen=True)
class Place:
    """What a line of the recipe stands for."""

    kind: Literal["solver", "heading", "operation", "add", "source", "target"]
    position: Position = START


@dataclass(frozen=True)
class Item:
    """A line of a picker: what it gives, its name, and a few words about it."""

    value: str
    name: str
    words: str = ""


@dataclass(frozen=True)
class OperationView:
    """A line of the recipe."""

    name: str
    summary: str
    enabled: bool = True


@dataclass(frozen=True)
class EndView:
    """The condition of an end, in a line of the recipe."""

    name: Literal["source", "target"]
    summary: str


@dataclass(frozen=True)
class RecipeView:
    """The recipe, and in one line each the solver and the conditions of its ends."""

    solver: str = ""
    image: tuple[OperationView, ...] = ()
    latent: tuple[OperationView, ...] = ()
    guide: tuple[OperationView, ...] = ()  # of the decoding; edited as YAML
    ends: tuple[EndView, ...] = ()

    def operations(self, stage: EditStage) -> tuple[OperationView, ...]:
        """The operations of a stage, in order."""
        return self.image if stage == "image" else self.latent


@dataclass(frozen=True)
class FieldView:
    """A parameter as the form draws it."""

    name: str
    kind: FieldKind
    value: Any
    description: str = ""
    default: Any = None
    bounds: str = ""
    choices: tuple[Any, ...] = ()
    sweepable: bool = False
    words: tuple[str, ...] = ()  # that may stand in place of a number
    low: float | None = None  # the bounds as numbers, both allowed
    high: float | None = None

    @property
    def numeric(self) -> bool:
        """Whether its value is a number, or several."""
        return self.kind in ("integer", "number")

    @property
    def title(self) -> str:
        """The name in words, as short as a form is narrow."""
        name = self.name.replace("_", " ")
        return {"start noise seed": "noise seed", "classifier scale": "scale"}.get(name, name)


@dataclass(frozen=True)
class FormView:
    """The parameters of one operation, or of the solver."""

    key: str  # the same key: the same fields, only their values may differ
    title: str
    help: str = ""
    fields: tuple[FieldView, ...] = ()


class Thumbnails(Protocol):
    """The images that are there by name, with thumbnails that are made when they are wanted."""

    @property
    def names(self) -> Sequence[str]:
        """A name for each image."""

    def get(self, place: int) -> Pixels | str | None:
        """A thumbnail, or why there is none; None while it is not made."""

    def want(self, places: Sequence[int], ready: Callable[[list[int]], None]) -> None:
        """Make the thumbnails of these images, and tell `ready`, in another thread, which are."""


@dataclass(frozen=True, eq=False)
class ImagesView:
    """The source images: all that are there, and which of them the session takes."""

    gallery: Thumbnails | None = None
    taken: Collection[int] = ()
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class PanelView:
    """One stop of the flow."""

    kind: str
    title: str
    freshness: Freshness = "absent"
    pixels: Pixels | None = None  # [H, W, C]
    captions: tuple[str, ...] = ()  # from the longest; the first that fits is shown
    hint: str = ""  # shown in place of a picture


@dataclass(frozen=True, eq=False)
class FlowView:
    """The algorithm for the image under the cursor, from left to right."""

    panels: tuple[PanelView, ...] = ()
    arrows: tuple[str, ...] = ()  # what happens between two panels
    size: int = 32  # pixels of a picture's edge


@dataclass(frozen=True, eq=False)
class SheetRowView:
    """A row of the contact sheet."""

    label: str
    notes: tuple[str, ...] = ()
    pixels: Pixels | None = None  # [N, H, W, C]
    freshness: Freshness = "absent"
    hint: str = ""  # shown in place of pictures
    variant: int | None = None  # None: shared by all variants
    kind: str = "result"
    end: int = 0  # of the chain, where it is an intermediate row


@dataclass(frozen=True, eq=False)
class SheetView:
    """The contact sheet."""

    title: str = ""
    rows: tuple[SheetRowView, ...] = ()
    columns: int = 0
    size: int = 32
    teach: tuple[tuple[str, str], ...] = ()  # keys and what they do, while there is nothing else
    names: tuple[str, ...] = ()  # of the images
    heads: tuple[str, ...] = ()  # above the columns, in place of numbers and names


@dataclass(frozen=True)
class TradeOffView:
    """A point for each variant: hue error in degrees, target accuracy in 0–1."""

    points: tuple[tuple[float, float], ...] = ()
    cursor: int = 0  # index of the point that is looked at


@dataclass(frozen=True)
class ProgressView:
    """The line at the bottom."""

    state: Literal["idle", "queued", "running", "done", "failed", "cancelled"] = "idle"
    stage: str = ""
    done: int = 0
    total: int = 0
    facts: tuple[str, ...] = ()  # the most important first; as many as fit are shown
    text: str = ""
    badges: tuple[str, ...] = ()  # what is switched on, at the right end


@dataclass(frozen=True)
class QueueLineView:
    """A run since the program started."""

    id: str
    number: int
    name: str
    recipe: str
    group: Literal["under way", "waiting", "ended"]
    state: str
    seconds: str = ""
    shown: bool = False


@dataclass(frozen=True)
class BarsView:
    """The heights of a bar chart, from 0 to `top`; what lies above is cut."""

    heights: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()
    far: tuple[bool, ...] = ()  # whether a height is far from what is expected
    top: float = 1.0
    axis: tuple[str, str, str] = ("", "", "")  # at the left end, in the middle, at the right end


# ---- the history


@dataclass(frozen=True, eq=False)
class RunLineView:
    """A kept run in the history; `read`: whether more than its name is known yet."""

    name: str  # of its directory
    title: str
    when: str
    pinned: bool = False
    status: Literal["done", "cancelled", "failed", "damaged"] = "done"
    recipe: str = ""
    numbers: str = ""
    size: str = ""
    pictures: Pixels | None = None  # [N, H, W, C], a few of its results
    read: bool = False


@dataclass(frozen=True, eq=False)
class RunPreview:
    """The run under the history's cursor."""

    title: str = ""
    note: str = ""
    facts: tuple[str, ...] = ()
    problem: str = ""
    sheet: SheetView = SheetView()


@dataclass(frozen=True, eq=False)
class PictureRow:
    """A row of pictures to look at closely: those of a variant, or of a whole run."""

    title: str
    pixels: Pixels  # [N, H, W, C]
    facts: tuple[str, ...] = ()  # of each picture
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TrajectoryView:
    """The states of one image, from encode to decode."""

    sheet: SheetView  # a row of states z, a row of estimates
    titles: tuple[str, ...]  # what each state is
    facts: tuple[str, ...]  # of each state


class Spot(NamedTuple):
    """A picture in the sheet."""

    row: int
    image: int


@dataclass(frozen=True, eq=False)
class PlotsView:
    """A sweep with its metrics so far, and its pictures; empty when nothing is swept."""

    sweep: tuple[Swept, ...] = ()
    sheet: SheetView = SheetView()
