"""The session being edited: its history, its file, and the copy that survives a crash."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ddib.errors import InputError
from workbench.library.checkpoints import Listed
from workbench.session.needs import MissingParts
from workbench.session.paths import with_absolute_paths
from workbench.session.reading import parse_session, read_session_text
from workbench.session.schema import Recipe, Session, Source, Target
from workbench.session.writing import dump_session, save_session
from workbench.support.files import atomic_write, is_alive
from workbench.tui.state.images.image_specs import fitting
from workbench.tui.state.session.session_files import examples
from workbench.tui.state.session.undo import History

START_NOISE = 0.03  # σ; makes the latents of flat backgrounds Gaussian
_ORIGIN = "# unsaved: "  # first line of a recovery file: where the session came from


class Document:
    """A session with undo, and the file it belongs to."""

    def __init__(
        self,
        session: Session,
        path: Path | None = None,
        original: str | None = None,
        name: str = "untitled",
        folder: Path | None = None,
    ):
        """`original`: the file's text as it was read, whose comments saving keeps;
        `name`: what a session without a file is called; `folder`: where its relative paths start.
        """
        self.history = History(session)
        self.path = path
        self._name = name
        self._folder = folder
        self._original = self._saved = original

    @classmethod
    def open(cls, path: Path) -> Self:
        """The session in a file, an example of the program's without a file of its own.

        Raises SessionError.
        """
        text = read_session_text(path)
        session, place = parse_session(text, file=str(path)), path.resolve()
        if place.parent == examples():
            return cls(session, None, text, name=place.stem, folder=place.parent)
        return cls(session, place, text)

    @property
    def session(self) -> Session:
        """The session as it stands."""
        return self.history.present

    @property
    def name(self) -> str:
        """What the header calls it."""
        return self.path.name if self.path else self._name

    @property
    def stem(self) -> str:
        """What its runs are called."""
        return self.path.stem if self.path else self._name

    @property
    def base(self) -> Path:
        """Where relative paths in the session start."""
        return self.path.parent if self.path else self._folder or Path.cwd()

    @property
    def yaml(self) -> str:
        """The session as it would be saved."""
        return dump_session(self.session, self._original)

    def take_text(self, session: Session, text: str) -> bool:
        """A session and the text it was written as, whose comments saving keeps; one undo step."""
        self._original = text
        return self.history.push(session, "edit as YAML")

    @property
    def changed_on_disk(self) -> bool:
        """Whether its file is not what was read or saved last; a file that is gone is not."""
        if self.path is None or not self.path.exists():
            return False
        try:
            return read_session_text(self.path) != self._saved
        except InputError:
            return True

    def reload(self) -> None:
        """Take up the file as it is now, as one step of undo; raises SessionError."""
        if self.path is not None:
            text = read_session_text(self.path)
            self.history.push(parse_session(text, file=str(self.path)), "reload")
            self._original = self._saved = text
            self.history.mark_saved()

    def save(self, path: Path) -> None:
        """Write the session to a file, keeping the comments it has; raises InputError.

        In another folder, paths that were relative to the old one are made absolute.
        """
        if path.resolve().parent != self.base.resolve():
            moved = with_absolute_paths(self.session, self.base)
            self.history.push(moved, "absolute paths")
        save_session(self.session, path, self._original)
        self._original = self._saved = read_session_text(path)
        self.path = path.resolve()
        self.history.mark_saved()


def new_session(listed: Iterable[Listed]) -> Session:
    """Where everybody starts: colored fives to sevens if they are there, else what there is."""
    usable = [one for one in listed if one.facts is not None and one.facts.kind == "denoiser"]
    names = [one.name for one in usable]
    source = _prefer("cmnist-fives", names, 0)
    target = _prefer("cmnist-sevens", names, 1)
    facts = next((one.facts for one in usable if one.name == source), None)
    label = facts.labels[0] if facts and facts.class_conditional and facts.labels else None
    plain = Session(
        source=Source(checkpoint=source, label=label, images=(fitting(facts),)),
        target=Target(checkpoint=target),
        recipe=Recipe(),
    )
    solver = plain.solver.model_copy(update={"start_noise": START_NOISE})
    return plain.model_copy(update={"solver": solver})


def _prefer(name: str, names: list[str], index: int) -> str:
    if name in names or not names:
        return name
    return names[min(index, len(names) - 1)]


# ---- recovery


@dataclass(frozen=True)
class Recovered:
    """An unsaved session that a program which is gone has left."""

    session: Session
    path: Path | None
    file: Path


class Autosave:
    """One file in the state folder for this process, there while something is unsaved."""

    def __init__(self, folder: Path, process: int) -> None:
        self._folder = folder
        self._file = folder / f"unsaved-{process}.yaml"

    def write(self, document: Document) -> None:
        """Keep the unsaved session; a state folder that cannot be written is no reason to stop."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            text = f"{_ORIGIN}{document.path or ''}\n{document.yaml}"
            atomic_write(self._file, text.encode())

    def clear(self) -> None:
        """Nothing is unsaved."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def find(self) -> Recovered | None:
        """The newest session left by a program that is gone; unreadable ones are removed.

        One that needs an operation which is not here waits for it.
        """
        with suppress(OSError):
            left = sorted(self._folder.glob("unsaved-*.yaml"), key=lambda f: f.stat().st_mtime)
            for file in reversed(left):
                number = file.stem.removeprefix("unsaved-")
                if file == self._file or not number.isdecimal() or is_alive(int(number)):
                    continue
                try:
                    text = read_session_text(file)
                    session = parse_session(text, file=str(file))
                except MissingParts:
                    continue
                except InputError:
                    file.unlink(missing_ok=True)
                    continue
                origin = text.partition("\n")[0].removeprefix(_ORIGIN).strip()
                return Recovered(session, Path(origin) if origin else None, file)
        return None


def recover(left: Recovered) -> Document:
    """A document of an unsaved session: unsaved still, and of its file if that is there."""
    original: str | None = None
    path = left.path if left.path is not None and left.path.is_file() else None
    if path is not None:
        with suppress(InputError):
            original = read_session_text(path)
    document = Document(left.session, path, original)
    document.history = History(left.session, saved=False)
    return document
