"""The messages between the screen and the engine: one JSON object a line.

Paths are always the engine's paths and pixels travel as PNG bytes in base64, so that an engine
on another machine understands them too.
"""

from typing import Annotated, Any, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, TypeAdapter

from ddib.paths import PathText

Stage = Literal["load", "encode", "decode", "write"]
RowKind = Literal[
    "source",
    "edited_image",
    "latent",
    "edited_latent",
    "intermediate",  # what an end of a chain decoded and encodes again
    "intermediate_latent",  # what it made of that
    "result",
]
Status = Literal["done", "failed", "cancelled"]
Metrics = dict[str, float]


class Message(BaseModel):
    """One line of the conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- from the screen to the engine


class Sample(Message):
    """The first images and variants of a session, which keep their places in the whole."""

    images: int = Field(4, ge=1)
    variants: int = Field(8, ge=1)


class RunSession(Message):
    """Run a session; the answer is Started, then Row and Progress, then Finished."""

    type: Literal["run"] = "run"
    id: str
    session: dict[str, Any]  # as the session's YAML has it
    base: PathText  # the folder that relative paths in the session start from
    name: str = "untitled"  # the session file's stem
    store: PathText | None = None  # the folder of runs; None: the user's run store
    keep: bool = True  # False: leave no run directory (auto-run)
    sample: Sample | None = None  # of a run that is not kept; None: the whole session
    previews_per_second: float = 4.0  # of the emerging picture; 0: none


class Cancel(Message):
    """Stop a run within one solver step, or drop it from the queue."""

    type: Literal["cancel"] = "cancel"
    id: str


class Inspect(Message):
    """Look at a variant's latents after every operation; the answer is Inspection, or Finished
    when it fails or is cancelled."""

    type: Literal["inspect"] = "inspect"
    id: str
    session: dict[str, Any]
    base: PathText
    sample: Sample | None = None  # of the run whose latents they are
    variant: int = Field(0, ge=0)  # index into Started.variants
    image: int | None = Field(None, ge=0)  # None: all images as one


class Previews(Message):
    """Change the preview rate of a waiting or running run."""

    type: Literal["previews"] = "previews"
    id: str
    per_second: float = Field(ge=0)


class Trace(Message):
    """Follow one image of one variant step by step, to the target; the answer is States, or else
    Finished."""

    type: Literal["trace"] = "trace"
    id: str
    session: dict[str, Any]  # as the session's YAML has it
    base: PathText  # the folder that relative paths in the session start from
    variant: int = Field(ge=0)
    image: int = Field(ge=0)  # its place in the session


# ---- from the engine to the screen


class Ready(Message):
    """The engine has loaded what it needs and waits for work."""

    type: Literal["ready"] = "ready"
    device: str
    device_name: str
    torch: str
    threads: int


class VariantInfo(Message):
    """One combination of sweep values: {"latent.1.coefficient": 0.1} and its label `c = 0.1`."""

    values: dict[str, Any]
    label: str


class Started(Message):
    """A run left the queue; everything it was given has been checked."""

    type: Literal["started"] = "started"
    id: str
    images: int
    names: list[str]  # of the shown images, at most 64
    variants: list[VariantInfo]
    evaluations: int  # network evaluations per image the run would need without a cache


class Row(Message):
    """A row of pictures: `columns` images of equal size side by side in one PNG.

    The same (kind, variant, end) may come again, each time replacing what came before; `partial` is
    true while the picture is still emerging. Images beyond the first 64 are not shown.
    """

    type: Literal["row"] = "row"
    id: str
    kind: RowKind
    variant: int | None = None  # index into Started.variants; None: shared by all variants
    end: int = 0  # of intermediate rows: which end, 1 is the target
    columns: int
    png: Base64Bytes
    partial: bool = False
    metrics: Metrics = {}  # means over the images of this row, names as in the manifest
    per_image: dict[str, list[float | None]] = {}


class Progress(Message):
    """Where a run is; only the newest one matters."""

    type: Literal["progress"] = "progress"
    id: str
    stage: Stage
    variant: int | None = None
    end: int = 0  # the one whose model is at work, 1 is the target
    step: int = 0  # solver steps done in this stage and chunk
    steps: int = 0
    evaluations: int = 0  # done so far, counting what the cache spared
    total: int = 0
    seconds_left: float | None = None
    images_per_second: float | None = None  # through the whole session
    memory: int | None = None  # bytes: a GPU's in use, else the engine process's


class Finished(Message):
    """A run ended. `error` is a message for the user: what happened and what to do."""

    type: Literal["finished"] = "finished"
    id: str
    status: Status
    error: str | None = None
    run: str | None = None  # the run directory
    sheet: str | None = None
    metrics: list[Metrics] = []  # per variant
    nfe: dict[str, int] = {}
    seconds: dict[str, float] = {}
    cache: dict[str, Literal["hit", "miss"]] = {}
    notes: list[str] = []


class State(Message):
    """Where an image is after a number of solver steps; step 0 is where they start."""

    direction: Literal["encode", "decode"]
    step: int
    steps: int  # in this direction
    sigma: float | None  # None: infinite
    evaluations: int  # in this direction so far
    std: float  # of z


class States(Message):
    """The trajectory of one image, encode and then decode, as pictures side by side in two PNGs."""

    type: Literal["states"] = "states"
    id: str
    states: list[State]
    png_state: Base64Bytes  # z, on a grey scale that goes from an image's to a latent's
    png_denoised: Base64Bytes  # the estimates of the clean image that led to z


class LatentStep(Message):
    """A latent before the first operation, or after one of them."""

    label: str
    mean: float
    std: float
    kurtosis: float | None  # None for a constant, as the autocorrelation
    autocorrelation: float | None  # at a lag of one pixel
    spectrum: list[float]  # power of each ring of frequencies, 1 for white noise
    histogram: list[int]  # 64 bins from -4 to 4
    png: Base64Bytes  # the channels side by side; of several images their mean


class Inspection(Message):
    """The latents of an image, or of all, before and after each of a variant's operations."""

    type: Literal["inspection"] = "inspection"
    id: str
    images: int
    values: int  # numbers in a latent, those of all images together
    steps: list[LatentStep]
    bands: dict[str, tuple[float, float]]  # of white noise: expected value, standard error
    spectrum_errors: list[float]


Asked = RunSession | Inspect | Trace
Request = Annotated[Asked | Cancel | Previews, Field(discriminator="type")]
Event = Annotated[
    Ready | Started | Row | Progress | Finished | Inspection | States, Field(discriminator="type")
]

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)
_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


def to_line(message: Message) -> bytes:
    """A message as one line of JSON, newline included."""
    return message.model_dump_json().encode() + b"\n"


def read_request(line: bytes) -> Request:
    """The request in a line; raises pydantic.ValidationError."""
    return _REQUESTS.validate_json(line)


def read_event(line: bytes) -> Event:
    """The event in a line; raises pydantic.ValidationError."""
    return _EVENTS.validate_json(line)
