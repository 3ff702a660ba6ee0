"""The one rule for names that become file names: of checkpoints and of runs."""

from ddib.errors import InputError

NAME_BYTES = 200  # of the 255 that a file system gives; leaves room for a number and a suffix


def is_name(name: str) -> bool:
    """Whether `name` can be a file's just as it is: visible, of one line, in one folder."""
    fits = 0 < len(name.encode(errors="replace")) <= NAME_BYTES
    return fits and name.isprintable() and not name.startswith(".") and not set(name) & set("/\\")


def check_name(name: str, option: str) -> str:
    """`name`, when it is one; raises InputError that says what the option takes."""
    if not is_name(name):
        raise InputError(
            f"{option} {name!r}: not a name; expected 1 to {NAME_BYTES} printable characters "
            "without a slash, and no dot in front"
        )
    return name
