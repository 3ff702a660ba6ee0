"""Opening, saving and leaving sessions, with the questions that belong to them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.tui.screens.dialogs.ask import Ask, Prompt

if TYPE_CHECKING:
    from textual.app import App

    from workbench.tui.state.session.document import Document


class SessionFiles:
    """The session files that are opened and saved, and the copy of what is unsaved."""

    def __init__(self, app: App[None]) -> None:
        from workbench.library.folders import folders
        from workbench.tui.state.session.document import Autosave
        from workbench.tui.state.session.recent_files import Recent

        self._app = app
        self.recent = Recent(folders().state)
        self._autosave = Autosave(folders().state, os.getpid())

    # ---- the copy that survives a crash

    def keep(self, document: Document) -> None:
        """Keep what is unsaved; drop the copy when nothing is."""
        if document.history.dirty:
            self._autosave.write(document)
        else:
            self._autosave.clear()

    def forget(self) -> None:
        """The user leaves and has been asked."""
        self._autosave.clear()

    async def recover(self) -> Document | None:
        """What a program that is gone has left, if the user wants it."""
        from workbench.tui.state.session.document import recover

        left = await asyncio.to_thread(self._autosave.find)
        if left is None:
            return None
        what = f"Changes to {left.path} were" if left.path else "A session without a file was"
        answer = await self._app.push_screen_wait(
            Ask(
                "Unsaved work",
                f"{what} not saved when the program ended.",
                (("y", "take it up again"), ("d", "delete it"), ("esc", "later")),
            )
        )
        document = recover(left) if answer == "y" else None
        if document is not None:
            self._autosave.write(document)
        if answer in ("y", "d"):
            left.file.unlink(missing_ok=True)
        return document

    # ---- questions

    async def may_leave(self, document: Document) -> bool:
        """Whether a session may be put away: saved, or the user does not mind."""
        if not document.history.dirty:
            return True
        answer = await self._app.push_screen_wait(
            Ask(
                "Not saved",
                f"{document.name} has changes that are not saved.",
                (("s", "save"), ("d", "discard"), ("esc", "back")),
            )
        )
        if answer == "s":
            return await self.save(document)
        return answer == "d"

    async def save(self, document: Document) -> bool:
        """Save to the session's file, or to one that is asked for; whether it was saved."""
        if document.path is None:
            return await self.save_as(document)
        if document.changed_on_disk:
            answer = await self._app.push_screen_wait(
                Ask(
                    "The file has changed",
                    f"{document.path} was changed since it was opened here.",
                    (("r", "reload"), ("o", "overwrite"), ("a", "save as"), ("esc", "back")),
                )
            )
            if answer == "a":
                return await self.save_as(document)
            if answer == "r":
                self._reload(document)
            if answer != "o":
                return False
        return self._write(document, document.path)

    async def save_as(self, document: Document) -> bool:
        """Save to a file that is asked for, which becomes the session's; whether it was saved.

        When it cannot be written there, the question comes back with what was typed.
        """
        typed = f"{document.name}.yaml" if document.path is None else _short(document.path)
        while (answer := await self._ask_path(typed)) is not None:
            typed, path = answer
            if path is not None and self._write(document, path):
                return True
        return False

    def _reload(self, document: Document) -> None:
        """Take up the file as it is; the changes made here are one undo away."""
        from ddib.errors import InputError

        try:
            document.reload()
        except InputError as error:
            self._complain(str(error), "Not reloaded")
        else:
            self.keep(document)

    def _write(self, document: Document, path: Path) -> bool:
        from ddib.errors import InputError

        try:
            document.save(path)
        except InputError as error:
            self._complain(str(error), "Not saved")
            return False
        self.keep(document)
        self.recent.remember(path)
        self._app.notify(f"saved {path}", timeout=3, markup=False)
        return True

    async def on_disk(self, document: Document) -> bool:
        """Whether the session is in its file as it stands, after asking to save it."""
        if document.path is not None and not document.history.dirty:
            return True
        answer = await self._app.push_screen_wait(
            Ask(
                "Not saved",
                f"A replay reads the session's file, and {document.name} is not saved.",
                (("s", "save"), ("esc", "back")),
            )
        )
        return answer == "s" and await self.save(document)

    async def choose(self, present: Document) -> Document | None:
        """A session that the user picks, once the present one may be left."""
        from ddib.errors import InputError
        from ddib.paths import user_path
        from workbench.tui.present.recipe import preview_session
        from workbench.tui.screens.dialogs.pick import Picker
        from workbench.tui.state.session.document import Document
        from workbench.tui.state.session.session_files import session_files

        items = await asyncio.to_thread(session_files, Path.cwd(), self.recent.paths())
        typed = await self._app.push_screen_wait(
            Picker(
                "Open a session",
                items,
                placeholder="type to filter, or a path",
                free=True,
                about=lambda value: preview_session(Path(value)),
            )
        )
        if typed is None or not await self.may_leave(present):
            return None
        try:
            return await asyncio.to_thread(Document.open, user_path(typed))
        except InputError as error:
            self._complain(str(error), "This session cannot be opened")
            return None

    def _complain(self, words: str, title: str) -> None:
        self._app.notify(words, title=title, severity="error", timeout=12, markup=False)

    async def _ask_path(self, suggested: str) -> tuple[str, Path | None] | None:
        """What was typed, and the file that it names, None to ask again; None for no file."""
        from ddib.paths import user_path

        typed = await self._app.push_screen_wait(
            Prompt(
                "Save as",
                f"A file name, from {Path.cwd()}",
                suggested,
                _problem_of_path,
                takes="save",
            )
        )
        if typed is None:
            return None
        path = _with_suffix(user_path(typed))
        if path.exists():
            answer = await self._app.push_screen_wait(
                Ask("It is there", f"{path} exists.", (("o", "overwrite"), ("esc", "back")))
            )
            if answer != "o":
                return typed, None
        return typed, path


def _with_suffix(path: Path) -> Path:
    return path if path.suffix in (".yaml", ".yml") else path.with_name(path.name + ".yaml")


def _problem_of_path(text: str) -> str | None:
    """What is wrong with a path that was typed."""
    from ddib.errors import InputError
    from ddib.paths import check_path, user_path

    if not text:
        return "a name is needed"
    try:
        path = user_path(text)
        check_path(str(_with_suffix(path)))
        folder = path.parent
        if not folder.is_dir():
            return f"there is no folder {folder}"
        return f"{path} is a folder; name a file in it" if path.is_dir() else None
    except InputError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"no file can have that name: {error}"


def _short(path: Path) -> str:
    """From the working directory, if it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
