"""What the main screen reads when it starts: the user's files, keys, checkpoints, a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.tui.actions import ACTIONS
from workbench.tui.main.base import MainBase, Options

if TYPE_CHECKING:
    from workbench.tui.state.session.document import Document


def library_stamp(options: Options) -> object:
    """What the list of checkpoints depends on."""
    from ddib.errors import InputError
    from workbench.library.checkpoints import library_stamp as stamp

    try:
        return stamp(options.checkpoints)
    except InputError as error:
        return str(error)


def list_checkpoints(main: MainBase) -> list[Any]:
    """The checkpoints that are there; in a thread, since it complains where it cannot look."""
    from ddib.errors import InputError
    from workbench.library.checkpoints import list_checkpoints as listed

    try:
        return listed(main.options.checkpoints)
    except InputError as error:
        main.app.call_from_thread(main.complain, str(error))
        return []


def use_configured_keys(main: MainBase) -> None:
    """Use the configuration's keys; with an error in them, the usual ones."""
    from ddib.errors import InputError
    from workbench.library.configuration import read_config
    from workbench.tui.main.keymap import make_keymap

    ACTIONS.keymap = {}
    try:
        keys = read_config().keys
    except InputError:  # the list of checkpoints has complained
        keys = {}
    try:
        ACTIONS.keymap = make_keymap(keys)
    except InputError as error:
        main.complain(str(error), "The keys are the usual ones")
    main.app.set_keymap(ACTIONS.keymap)


def load_own_files() -> None:
    """Load what the user's own files add, before a session is read; slow, for a thread."""
    from workbench import own_files

    own_files.load_own_files()


def report_skipped_files(main: MainBase) -> None:
    """Complain of the user's own files that cannot be loaded."""
    from workbench.own_files import skipped_files

    if lines := skipped_files():
        main.complain("\n".join(lines), "Own files")


def first_document(main: MainBase, listed: list[Any]) -> Document:
    """The session that was asked for, or a new one."""
    from workbench.session.errors import SessionError
    from workbench.tui.state.session.document import Document, new_session

    path = main.options.path
    if path is not None and not path.is_dir():
        try:
            return Document.open(path)
        except SessionError as error:
            main.complain(str(error), "This session cannot be opened")
    return Document(new_session(listed))
