"""A run is copied to a new folder or a new zip file."""

import os
import shutil
import zipfile
from pathlib import Path

from ddib.errors import InputError, RunError
from ddib.files import temporary_name
from workbench.runs.leftovers import PARTIAL
from workbench.runs.manifest import read_manifest
from workbench.runs.writing import claim_name
from workbench.support.files import check_folder, new_file, why


def export_run(run: Path, destination: Path) -> Path:
    """Copy a run to a new `.zip` or a new folder (or into an existing folder); what was made.

    Links are left out. Raises InputError rather than overwrite, and RunError when the copy cannot
    be written.
    """
    read_manifest(run)
    if destination.is_dir():
        destination = destination / run.resolve().name
    if os.path.lexists(destination):
        raise InputError(f"{destination}: is already there and is not overwritten")
    if destination.resolve().is_relative_to(run.resolve()):
        raise InputError(f"{destination}: lies inside the run itself")
    check_folder(destination.parent, "an exported run")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.suffix.lower() == ".zip":
            with new_file(destination) as temporary:
                _zip(run, temporary)
            return destination
        partial = destination.with_name(temporary_name(destination.name, PARTIAL))
        try:
            shutil.copytree(run, partial, ignore=_foreign)
            claim_name(partial, destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except FileExistsError:
        raise InputError(f"{destination}: is already there and is not overwritten") from None
    except (OSError, shutil.Error) as error:
        raise RunError(f"{destination}: cannot be written: {_reason(error)}") from error
    return destination


def _zip(run: Path, path: Path) -> None:
    """Everything under the run's own name; PNG and float tensors do not compress further."""
    with zipfile.ZipFile(path, "x") as archive:
        for folder, folders, files in os.walk(run):
            for file in (Path(folder, name) for name in sorted((*folders, *files))):
                if _is_own(file):
                    archive.write(file, Path(run.resolve().name) / file.relative_to(run))


def _is_own(path: Path) -> bool:
    """Whether it is a file or a folder itself: not a link, which leads out, nor a device."""
    return not path.is_symlink() and (path.is_file() or path.is_dir())


def _foreign(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not _is_own(Path(folder, name))}


def _reason(error: Exception) -> str:
    if isinstance(error, shutil.Error):  # copytree's: a list of (source, destination, reason)
        return str(error.args[0][0][2])
    return why(error) if isinstance(error, OSError) else str(error)
