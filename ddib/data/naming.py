"""Images of one name are told apart by as much of their paths as it takes."""

from collections.abc import Sequence
from pathlib import Path

from ddib.data.file_names import escape_name


def distinct_names(names: Sequence[str], files: Sequence[Path | None]) -> tuple[str, ...]:
    """The names; those that several files share become the shortest ends of paths that differ.

    x.png and x.bmp of one folder keep their suffixes, x.png of two folders become one/x.png and
    two/x.png. A file that is there twice keeps one name.
    """
    sharing: dict[str, set[Path]] = {}
    for name, file in zip(names, files, strict=True):
        if file is not None:
            sharing.setdefault(name, set()).add(file)
    told_apart = {
        file: end
        for together in sharing.values()
        if len(together) > 1
        for file, end in _shortest_ends(together).items()
    }
    return tuple(
        name if file is None else told_apart.get(file, name)
        for name, file in zip(names, files, strict=True)
    )


def _shortest_ends(files: set[Path]) -> dict[Path, str]:
    """The last parts of each path, as many as tell all of them apart."""
    longest = max(len(file.parts) for file in files)
    for count in range(1, longest):
        ends = {file: escape_name("/".join(file.parts[-count:])) for file in files}
        if len(set(ends.values())) == len(files):
            return ends
    return {file: escape_name(file) for file in files}
