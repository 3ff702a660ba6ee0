"""The checkpoints, classifiers and files that a session names, by key and as absolute paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ddib.data.file_names import escape_name, unescape_name
from workbench.session.schema import End, Session, Source, Target


def named_checkpoints(session: Session) -> dict[str, str]:
    """Every checkpoint by its key: source.checkpoint, target.checkpoint.1, chain.0.checkpoint."""
    target = session.target.checkpoint
    several = target if isinstance(target, tuple) else ()
    return {
        "source.checkpoint": session.source.checkpoint,
        **({} if isinstance(target, tuple) else {"target.checkpoint": target}),
        **{f"target.checkpoint.{index}": name for index, name in enumerate(several)},
        **{f"chain.{index}.checkpoint": end.checkpoint for index, end in enumerate(session.chain)},
    }


def named_classifiers(session: Session) -> dict[str, str]:
    """Every classifier that leads by its key: target.classifier, chain.0.classifier."""
    places = {f"chain.{index}": end for index, end in enumerate(session.chain)}
    ends: dict[str, End | Target] = {"source": session.source, "target": session.target, **places}
    return {f"{key}.classifier": end.classifier for key, end in ends.items() if end.classifier}


def with_absolute_paths(session: Session, base: str | Path) -> Session:
    """The session with paths that hold anywhere; relative ones start from the folder `base`.

    A checkpoint is a path when it has a folder or a suffix in it, otherwise a name.
    """

    def absolute(path: str) -> str:
        return escape_name(os.path.abspath(Path(base) / Path(unescape_name(path)).expanduser()))  # noqa: PTH100 no links resolved

    def checkpoint(name: str) -> str:
        return absolute(name) if "/" in name or Path(name).suffix else name

    def located(part: End | Target | Source) -> Any:
        name = part.checkpoint
        found = tuple(map(checkpoint, name)) if isinstance(name, tuple) else checkpoint(name)
        classifier = part.classifier and checkpoint(part.classifier)
        return part.model_copy(update={"checkpoint": found, "classifier": classifier})

    images = tuple(entry.with_path(absolute) for entry in session.source.images)
    return session.model_copy(
        update={
            "source": located(session.source.model_copy(update={"images": images})),
            "target": located(session.target),
            "chain": tuple(map(located, session.chain)),
        }
    )
