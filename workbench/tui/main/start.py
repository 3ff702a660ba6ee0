"""What the bench reads when it starts: keys, checkpoints, the first session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.tui.terminal.keymap import make_keymap, use

if TYPE_CHECKING:
    from workbench.tui.main.screen import Bench
    from workbench.tui.state.document import Document


def library_stamp(bench: Bench) -> object:
    """What the list of checkpoints depends on."""
    from ddib.errors import InputError
    from workbench.library import library

    try:
        return library.library_stamp(bench.checkpoints)
    except InputError as error:
        return str(error)


def checkpoint_options(bench: Bench) -> list[str]:
    """The folders of checkpoints as the command line takes them."""
    return [
        part for folder in bench.checkpoints for part in ("--checkpoints", str(folder.resolve()))
    ]


def list_checkpoints(bench: Bench) -> list[Any]:
    """The checkpoints that are there; in a thread, since it complains where it cannot look."""
    from ddib.errors import InputError
    from workbench.library import library

    try:
        return library.list_checkpoints(bench.checkpoints)
    except InputError as error:
        bench.app.call_from_thread(bench.complain, str(error))
        return []


def take_keys(bench: Bench) -> None:
    """The configuration's keys; with an error in them, the usual ones."""
    from ddib.errors import InputError
    from workbench.library.library import read_config

    try:
        keys = read_config().keys
    except InputError:  # the list of checkpoints has complained
        keys = {}
    try:
        bench.keymap = make_keymap(keys)
    except InputError as error:
        bench.complain(str(error), "The keys are the usual ones")
    use(bench.keymap)
    bench.app.set_keymap(bench.keymap)


def load_own_files() -> None:
    """What the user's own files add, before a session is read; takes a while, so in a thread."""
    from workbench import own_files

    own_files.load_own_files()


def report_skipped_files(bench: Bench) -> None:
    """Complain of the user's own files that cannot be loaded."""
    from workbench.own_files import skipped_files

    if lines := skipped_files():
        bench.complain("\n".join(lines), "Own files")


def first_document(bench: Bench, listed: list[Any]) -> Document:
    """The session that was asked for, or a new one."""
    from workbench.session.errors import SessionError
    from workbench.tui.state.document import Document, new_session

    if bench.path is not None and not bench.path.is_dir():
        try:
            return Document.open(bench.path)
        except SessionError as error:
            bench.complain(str(error), "This session cannot be opened")
    return Document(new_session(listed))
