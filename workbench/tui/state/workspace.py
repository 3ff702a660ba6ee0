"""The work on the bench without the screen: session, library, images, run, and their views.

The screen imports this after its first frame; everything heavy hangs below here.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ddib.checkpoints.header import CheckpointFacts
from ddib.data.file_names import escape_name
from ddib.data.pixels import POINT_CHANNELS as CHANNELS
from ddib.data.scatter import SIZE
from ddib.data.source import ImageSource
from ddib.errors import InputError
from ddib.operations.operation import OPERATIONS
from workbench.engine.protocol.client import EngineState
from workbench.engine.protocol.messages import Ready, RunSession, Sample
from workbench.library.library import Listed, folders
from workbench.runs.store import has_runs
from workbench.session.schema import Session
from workbench.support.ranges import parse_numbers
from workbench.tui.forms import conditions, forms
from workbench.tui.forms import image_entries as image_forms
from workbench.tui.present import (
    checkpoints as checkpoint_views,
)
from workbench.tui.present import (
    flow as flow_views,
)
from workbench.tui.present import (
    recipe as recipe_views,
)
from workbench.tui.present import (
    runs as run_views,
)
from workbench.tui.present import (
    sheet as sheet_views,
)
from workbench.tui.present import (
    sweeps as sweep_views,
)
from workbench.tui.present.models import (
    CheckpointView,
    FieldView,
    FlowView,
    FormView,
    HeaderView,
    ImagesView,
    PictureRow,
    PlotsView,
    Position,
    ProgressView,
    QueueLineView,
    RecipeView,
    SheetView,
    TradeOffView,
)
from workbench.tui.state import (
    edits as editing,
)
from workbench.tui.state import (
    image_selection as picking,
)
from workbench.tui.state import (
    source_images as sources,
)
from workbench.tui.state.document import Document
from workbench.tui.state.run_queue import RunQueue
from workbench.tui.state.run_state import RunView
from workbench.tui.state.source_images import Pictures
from workbench.tui.state.thumbnails import Gallery
from workbench.tui.terminal import keymap as keys
from workbench.tui.widgets.recipe import Place

_SOLVER_HELP = "How the ODE is solved, the same in both directions."


class Desk:
    """What is being worked on."""

    def __init__(
        self,
        document: Document,
        listed: Sequence[Listed],
        runs: Path | None = None,
        queue: RunQueue | None = None,
    ) -> None:
        self.document: Document = document
        self.listed = list(listed)
        self.pictures = Pictures()
        self.queue: RunQueue = queue or RunQueue()
        self._part = 0  # see part
        self._runs = runs
        self._images = ImagesView()

    @property
    def session(self) -> Session:
        """The session as it stands."""
        return self.document.session

    @property
    def part(self) -> int:
        """Which entry of the session's images the form shows."""
        return min(self._part, len(self.session.source.images) - 1)

    @property
    def store(self) -> Path:
        """The folder that runs are kept in."""
        return self._runs or folders().runs

    @property
    def has_history(self) -> bool:
        """Whether there are kept runs."""
        return has_runs(self.store)

    # ---- changes

    def change(self, session: Session, what: str, merge: str | None = None) -> bool:
        """Make a session the present one; False when it is that already."""
        return self.document.history.push(session, what, merge)

    def take_text(self, session: Session, text: str) -> bool:
        """Make an edited text the present session; False when only its words are others."""
        return self.document.take_text(session, text)

    def labels_of(self, name: str) -> tuple[int, ...]:
        """The labels to choose from, none for a checkpoint that takes none."""
        found = checkpoint_views.find(self.listed, name)
        return found.facts.labels if found and found.facts and found.facts.class_conditional else ()

    def label(self, typed: str) -> Any:
        """A typed label, a tuple of several, or "own"; raises ValueError."""
        if typed.strip() == "own":
            return "own"
        value = parse_numbers(typed, integer=True)
        return tuple(value) if isinstance(value, list) else value

    def label_problem(self, typed: str, labels: Sequence[int], *, sweep: bool) -> str | None:
        """What is wrong with a typed label, if anything."""
        try:
            value = self.label(typed)
        except ValueError as error:
            return str(error)
        if value == "own":
            return None
        if isinstance(value, tuple) and not sweep:
            return "one label is needed: only the target's can be swept"
        missing = [v for v in (value if isinstance(value, tuple) else (value,)) if v not in labels]
        return f"it has no label {missing[0]}" if missing else None

    def choose(self, end: str, name: str, label: Any = None) -> bool:
        """Make a checkpoint the source or the target, or go on to it from the last end."""
        if end == "further":
            return self.change(editing.with_further(self.session, name, label), f"on to {name}")
        if end == "target":
            return self.change(editing.with_target(self.session, name, label), f"target {name}")
        session = editing.with_source(self.session, name, label)
        facts = self._facts(name)
        if facts and not all(image_forms.fits(spec, facts) for spec in session.source.images):
            session = editing.with_only_images(session, image_forms.fitting(facts))
        return self.change(session, f"source {name}")

    def _facts(self, name: str) -> CheckpointFacts | None:
        found = checkpoint_views.find(self.listed, name)
        return found.facts if found else None

    def offered_operations(self) -> list[tuple[str, str]]:
        """What the palette has for the session's domain: name and what it does."""
        facts = self._facts(self.session.source.checkpoint)
        return editing.offered_operations(of_points=facts is not None and facts.of_points)

    def shorten(self) -> str:
        """Take the last end off the chain; what is wrong with that, or ""."""
        if not self.session.chain:
            return "the bridge ends at the target; + on a checkpoint goes on from there"
        last = recipe_views.ends(self.session)[-1]
        self.change(editing.without_further(self.session), f"no {last} at the end")
        return ""

    def add(self, name: str, position: Position) -> Place:
        """A new operation; where it is."""
        session = editing.insert(self.session, position, editing.new_operation(name))
        self.change(session, f"add {name.replace('_', ' ')}")
        return Place("operation", position)

    def edit(self, what: str, position: Position) -> Place:
        """Toggle, remove, duplicate or move an operation; where the cursor belongs."""
        session, at = self.session, position
        name = recipe_views.title_of(editing.operation_at(session, position))
        if what == "toggle":
            session = editing.toggle(session, position)
        elif what == "remove":
            session = editing.remove(session, position)
        elif what == "duplicate":
            session = editing.duplicate(session, position)
            at = Position(position.stage, position.index + 1)
        else:
            session, at = editing.move(session, position, -1 if what == "up" else 1)
        self.change(session, f"{what} {name}")
        there = len(editing.operations(session, at.stage))
        return Place("operation" if at.index < there else "add", at)

    def rename(self, title: str) -> bool:
        """Give the session another title; False when it is that already."""
        return self.change(editing.with_title(self.session, title), "title")

    def add_images(self) -> None:
        """Another entry of images after the one under the form, which then shows it."""
        part = self.part + 1
        self.change(editing.add_images(self.session, part), "add images")
        self._part = part

    def remove_images(self) -> None:
        """The entry of images under the form goes."""
        self.change(editing.remove_images(self.session, self.part), "remove images")

    def pick(self, what: picking.What, place: int, shown: Sequence[int]) -> str:
        """Take other images of those that are there; what is wrong with that, or ""."""
        gallery = self._gallery()
        if gallery is None:
            return ""
        try:
            spec = picking.pick(self.spec, gallery.names, self.taken(), what, place, shown)
        except ValueError as error:
            return str(error)
        self.change(editing.with_images(self.session, self.part, spec), "choice of images")
        return ""

    def taken(self) -> Sequence[int]:
        """Places of the images that the entry under the form takes, of those that are there."""
        gallery = self._gallery()
        try:
            return () if gallery is None else gallery.available.taken(self.spec)
        except InputError:
            return ()

    def _gallery(self) -> Gallery | None:
        """What was loaded for the entry under the form as it stands."""
        loaded = self.pictures.plain == self.spec.untaken()
        return self.pictures.available if loaded else None

    def column(self, place: int) -> int | None:
        """Where an image of the gallery stands in the session's, if it is taken."""
        taken = self.taken()
        return self.pictures.before + taken.index(place) if place in taken else None

    def place(self, column: int) -> int | None:
        """Where an image of the session stands in the gallery, if it comes from there."""
        taken, index = self.taken(), column - self.pictures.before
        return taken[index] if 0 <= index < len(taken) else None

    @property
    def spec(self) -> ImageSource:
        """The entry of the session's images that the form shows."""
        return self.session.source.images[self.part]

    def set_field(self, key: str, place: Place, field: FieldView, typed: Any) -> str:
        """A typed value into the session; what is wrong with it, or the empty string."""
        try:
            session = self._with_field(key, place, field, typed)
        except ValueError as error:
            return str(error)
        self.change(session, f"{field.title} {typed}", merge=f"{key}.{field.name}")
        return ""

    def _with_field(self, key: str, place: Place, field: FieldView, typed: Any) -> Session:
        session = self.session
        if key.startswith("images"):
            return self._with_images(field, typed)
        model: BaseModel
        if place.kind in conditions.ENDS:
            return forms.checked(conditions.changed(session, place.kind, field, typed))
        if place.kind == "operation":
            model = forms.changed(editing.operation_at(session, place.position), field, typed)
            session = editing.replace(session, place.position, model)  # type: ignore[arg-type]
        else:
            model = forms.changed(session.solver, field, typed)
            session = editing.with_solver(session, model)  # type: ignore[arg-type]
        return forms.checked(session)

    def _with_images(self, field: FieldView, typed: Any) -> Session:
        if field.name == "entry":
            self._part = int(typed) - 1
            return self.session
        facts = self._facts(self.session.source.checkpoint)
        spec = image_forms.changed(self.spec, field, typed, facts)
        return editing.with_images(self.session, self.part, spec)

    # ---- runs

    @property
    def run(self) -> RunView | None:
        """The run that is shown."""
        return self.queue.shown

    def request(self, *, auto: bool = False) -> RunSession:
        """Queue a run of the session as it stands; what to send to the engine."""
        document, run_id = self.document, uuid.uuid4().hex
        self.queue.add(RunView(run_id, self.session, document.stem, document.base, auto))
        return RunSession(
            id=run_id,
            session=self.session.model_dump(mode="json"),
            base=escape_name(document.base),
            name=escape_name(document.stem),
            store=None if self._runs is None else escape_name(self._runs),
            keep=not auto,
            sample=Sample() if auto else None,
            previews_per_second=self.queue.previews,
        )

    # ---- images

    @property
    def size(self) -> int:
        """Edge of the source checkpoint's images in pixels, or of what is drawn of points."""
        size, channels = self._shape()
        return SIZE if channels == CHANNELS else size

    def _shape(self) -> tuple[int, int]:
        facts = self._facts(self.session.source.checkpoint)
        return (facts.image_size, facts.channels) if facts else (32, 3)

    def pictures_key(self) -> tuple[object, ...]:
        """What the loaded source images depend on."""
        images, version = self.session.source.images, self.session.version
        return self._shape(), images, version, self.part, self.document.base

    def load_pictures(self) -> Pictures:
        """List the images and read the first; slow, for a thread. Does not change anything here."""
        part, before = self.part, self.pictures
        return sources.load(self.session, part, self.document.base, self._shape(), before)

    def _gallery_key(self) -> tuple[object, ...]:
        """What the images depend on that the entry under the form could take."""
        channels, version = self._shape()[1], self.session.version
        return sources.gallery_key(self.spec, self.document.base, channels, version)

    def images_changed(self) -> bool:
        """Whether the folder of the images is another than when it was listed."""
        return self.pictures.key not in ((), self._gallery_key())

    # ---- views

    def header(self, state: EngineState, ready: Ready | None) -> HeaderView:
        """The line at the top."""
        source, target = recipe_views.way(self.session)
        engine = {"stopped": "no engine", "starting": "engine starts…"}.get(state, "")
        if ready is not None:
            engine = ready.device
        return HeaderView(
            self.document.name,
            self.session.title,
            self.document.history.dirty,
            source,
            target,
            recipe_views.solver(self.session),
            engine,
            busy=bool(self.queue.active),
        )

    def images(self) -> ImagesView:
        """The library of images; those of before until others are loaded."""
        if self._gallery() is not None or self.pictures.available is None:
            taken = self.taken()
            self._images = ImagesView(
                self.pictures.available,
                taken if isinstance(taken, range) else frozenset(taken),
                self.pictures.problem,
            )
        return self._images

    def images_count(self) -> str:
        """How many images the session takes, and of how many: `16 of 100`, `all 100`."""
        gallery = self._gallery()
        if gallery is None:
            return ""
        parts = len(self.session.source.images)
        entry = f"{self.part + 1}: " if parts > 1 else ""
        taken, there = len(self.taken()), len(gallery.names)
        return f"{entry}all {there:,}" if taken == there > 1 else f"{entry}{taken:,} of {there:,}"

    def images_form(self) -> FormView:
        """The form of the entry of images."""
        return image_forms.form_of(self.spec, self.part, len(self.session.source.images))

    def form(self, place: Place) -> FormView:
        """The form of what the recipe's cursor stands on."""
        if place.kind == "operation":
            operation = editing.operation_at(self.session, place.position)
            title = f"{recipe_views.title_of(operation)} · {place.position.stage}"
            key = f"{place.position.stage}.{place.position.index}.{operation.op}"
            return forms.form_of(operation, key, title)
        if place.kind == "solver":
            form = forms.form_of(self.session.solver, "solver", "solver")
            return FormView(form.key, form.title, _SOLVER_HELP, form.fields)
        if place.kind in conditions.ENDS:
            return conditions.form(self.session, self.listed, place.kind)
        words = {
            "image": "Operations here edit the image before it is encoded.",
            "latent": "Operations here edit the latent before it is decoded.",
        }[place.position.stage]
        choose = f"enter or {keys.key('add')}: choose one of {len(OPERATIONS)}."
        return FormView("add", "add", f"{words}\n\n{choose}")

    def flow(self, image: int, variant: int | None) -> FlowView:
        """The middle of the screen."""
        pictures = self.pictures
        return flow_views.flow(
            self.session, self.run, pictures.pixels, pictures.names, image, variant, self.size
        )

    def sheet(self, latents: bool) -> SheetView:
        """The contact sheet."""
        return sheet_views.sheet(
            self.session,
            self.run,
            self.pictures.pixels,
            self.listed,
            self.size,
            latents,
            self.pictures.count,
            self.has_history,
            self.pictures.names
            if self.run is None or self.run.started is None
            else self.run.started.names,
        )

    def picture_rows(self, view: SheetView) -> tuple[PictureRow, ...]:
        """What there is to look at closely: the sheet's rows, or before a run the images."""
        pictures = self.pictures
        if not view.rows and pictures.pixels is not None:
            return (PictureRow("source", pictures.pixels, (), pictures.names),)
        return sheet_views.picture_rows(view, self.run)

    @property
    def sheet_file(self) -> str | None:
        """The contact sheet of the run that is shown, when it was kept."""
        finished = self.run.finished if self.run else None
        return finished.sheet if finished else None

    def trade_off(self, variant: int | None) -> TradeOffView:
        """The small plot of a sweep."""
        return sweep_views.trade_off(self.run, variant)

    def plots(self) -> PlotsView:
        """The sweep that is shown, as curves."""
        return PlotsView(sweep_views.sweep(self.run), self.sheet(latents=False))

    def checkpoints(self) -> tuple[CheckpointView, ...]:
        """The library's lines."""
        return checkpoint_views.checkpoints(self.session, self.listed)

    def recipe(self) -> RecipeView:
        """The recipe's lines."""
        ends = conditions.lines(self.session, self.listed)
        return replace(recipe_views.recipe(self.session), ends=ends)

    def progress(self, device: str) -> ProgressView:
        """The line at the bottom."""
        return run_views.progress(self.queue, self.session, self.document.base, device)

    def queue_lines(self) -> tuple[QueueLineView, ...]:
        """The runs of this sitting."""
        return run_views.queue_lines(self.queue)
