"""The entries of images that the open session takes, and what was loaded for them."""

from __future__ import annotations

from collections.abc import Sequence

from ddib.data.pixels import POINT_CHANNELS
from ddib.data.scatter import SIZE
from ddib.data.source import ImageSource
from ddib.errors import InputError
from workbench.tui.models import ImagesView
from workbench.tui.state.images import source_images
from workbench.tui.state.images.image_selection import What, pick
from workbench.tui.state.images.source_images import SourceImages
from workbench.tui.state.images.thumbnails import Gallery
from workbench.tui.state.session import edits
from workbench.tui.state.session.document import Document
from workbench.tui.state.session.library import Library


class ImageEntries:
    """A session's entries of images, one of which the form shows."""

    def __init__(self, document: Document, library: Library) -> None:
        self._document, self._library = document, library
        self.loaded = SourceImages()
        self._entry = 0
        self._view = ImagesView()

    @property
    def entry(self) -> int:
        """Which entry the form shows."""
        return min(self._entry, self.count - 1)

    @entry.setter
    def entry(self, entry: int) -> None:
        self._entry = entry

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self._document.session.source.images)

    @property
    def spec(self) -> ImageSource:
        """The entry that the form shows."""
        return self._document.session.source.images[self.entry]

    @property
    def size(self) -> int:
        """Edge of the source checkpoint's images in pixels, or of what is drawn of points."""
        size, channels = self.shape
        return SIZE if channels == POINT_CHANNELS else size

    @property
    def shape(self) -> tuple[int, int]:
        """Edge in pixels and channels of the images that the source checkpoint reads."""
        facts = self._library.facts(self._document.session.source.checkpoint)
        return (facts.image_size, facts.channels) if facts else (32, 3)

    # ---- changes

    def add(self) -> None:
        """Put another entry after the one that the form shows, and show it."""
        at = self.entry + 1
        session = edits.add_images(self._document.session, at)
        self._document.history.push(session, "add images")
        self._entry = at

    def remove(self) -> None:
        """Remove the entry that the form shows."""
        session = edits.remove_images(self._document.session, self.entry)
        self._document.history.push(session, "remove images")

    def pick(self, what: What, place: int, shown: Sequence[int]) -> str:
        """Take other images of those that are there; return what is wrong with that, or ""."""
        gallery = self._gallery()
        if gallery is None:
            return ""
        try:
            spec = pick(self.spec, gallery.names, self.taken(), what, place, shown)
        except ValueError as error:
            return str(error)
        session = edits.with_images(self._document.session, self.entry, spec)
        self._document.history.push(session, "choice of images")
        return ""

    # ---- which are taken

    def taken(self) -> Sequence[int]:
        """Places of the images that the shown entry takes, of those that are there."""
        gallery = self._gallery()
        try:
            return () if gallery is None else gallery.available.taken(self.spec)
        except InputError:
            return ()

    def column(self, place: int) -> int | None:
        """Where an image of the gallery stands in the session's, if it is taken."""
        taken = self.taken()
        return self.loaded.before + taken.index(place) if place in taken else None

    def place(self, column: int) -> int | None:
        """Where an image of the session stands in the gallery, if it comes from there."""
        taken, index = self.taken(), column - self.loaded.before
        return taken[index] if 0 <= index < len(taken) else None

    def _gallery(self) -> Gallery | None:
        """What was loaded for the shown entry as it stands."""
        return self.loaded.available if self.loaded.plain == self.spec.untaken() else None

    # ---- loading

    def key(self) -> tuple[object, ...]:
        """What the loaded images depend on."""
        document = self._document
        session = document.session
        return self.shape, session.source.images, session.version, self.entry, document.base

    def load(self) -> SourceImages:
        """List the images and read the first; slow, for a thread. Does not change anything here."""
        document = self._document
        return source_images.load(
            document.session, self.entry, document.base, self.shape, self.loaded
        )

    def folder_changed(self) -> bool:
        """Whether the folder of the images is another than when it was listed."""
        base, version = self._document.base, self._document.session.version
        now = source_images.gallery_key(self.spec, base, self.shape[1], version)
        return self.loaded.key not in ((), now)

    # ---- showing

    def view(self) -> ImagesView:
        """The thumbnails and which are taken; those of before until others are loaded."""
        if self._gallery() is not None or self.loaded.available is None:
            taken = self.taken()
            self._view = ImagesView(
                self.loaded.available,
                taken if isinstance(taken, range) else frozenset(taken),
                self.loaded.problem,
            )
        return self._view

    def count_text(self) -> str:
        """How many images the session takes, and of how many: `16 of 100`, `all 100`."""
        gallery = self._gallery()
        if gallery is None:
            return ""
        entry = f"{self.entry + 1}: " if self.count > 1 else ""
        taken, there = len(self.taken()), len(gallery.names)
        return f"{entry}all {there:,}" if taken == there > 1 else f"{entry}{taken:,} of {there:,}"
