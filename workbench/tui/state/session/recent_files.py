"""The session files that were opened or saved last."""

import json
from contextlib import suppress
from pathlib import Path

from workbench.support.files import atomic_write

KEPT = 20


class Recent:
    """A list in the state folder, newest first; it is a convenience and never in the way."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "recent.json"

    def paths(self) -> list[Path]:
        """Those that are still there."""
        try:
            listed = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return []
        names = listed if isinstance(listed, list) else []
        paths = [Path(name) for name in names if isinstance(name, str)]
        return [path for path in paths if _is_file(path)]

    def remember(self, path: Path) -> None:
        """Put a file first."""
        path = path.resolve()
        names = [str(path), *(str(other) for other in self.paths() if other != path)]
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file, json.dumps(names[:KEPT], indent=1).encode())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
