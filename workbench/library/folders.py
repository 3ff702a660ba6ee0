"""The program's folders and files on this machine."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from ddib.checkpoints.files import ZOO

_APP = "ddib-workbench"


@dataclass(frozen=True)
class Folders:
    """The program's places on this machine; none needs to exist."""

    zoo: Path  # checkpoints that ship with the package
    data: Path
    checkpoints: Path  # the user's own
    runs: Path
    cache: Path
    state: Path
    log: Path  # a file
    config: Path  # a file
    operations: Path  # the user's own, Python files

    @property
    def cache_chunks(self) -> Path:
        """The cache of solved chunks."""
        return self.cache / "chunks"


def folders() -> Folders:
    """Where things lie, following XDG (or the platform's habit)."""
    dirs = PlatformDirs(_APP, appauthor=False)
    return Folders(
        zoo=ZOO,
        data=dirs.user_data_path,
        checkpoints=dirs.user_data_path / "checkpoints",
        runs=dirs.user_data_path / "runs",
        cache=dirs.user_cache_path,
        state=dirs.user_state_path,
        log=dirs.user_state_path / f"{_APP}.log",
        config=dirs.user_config_path / "config.yaml",
        operations=dirs.user_config_path / "operations",
    )
