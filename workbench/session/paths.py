"""The checkpoints, classifiers and files that a session names, by key and as absolute paths."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from ddib.checkpoints.files import is_path
from ddib.data.file_names import escape_name, unescape_name
from ddib.errors import InputError
from ddib.paths import user_path
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

    Raises InputError for the home of nobody, with the key at fault.
    """

    def absolute(path: str, key: str) -> str:
        try:
            there = user_path(unescape_name(path), Path(base))
        except InputError as error:
            raise InputError(str(error), key) from error
        return escape_name(os.path.abspath(there))  # noqa: PTH100 no links resolved

    def named(name: str, key: str) -> str:
        return absolute(name, key) if is_path(name) else name

    def located(part: End | Target | Source, key: str) -> Any:
        name, classifier = part.checkpoint, part.classifier
        found: str | tuple[str, ...] = (
            tuple(named(one, f"{key}.checkpoint.{place}") for place, one in enumerate(name))
            if isinstance(name, tuple)
            else named(name, f"{key}.checkpoint")
        )
        led = classifier and named(classifier, f"{key}.classifier")
        return part.model_copy(update={"checkpoint": found, "classifier": led})

    images = tuple(
        entry.with_path(partial(absolute, key=f"source.images.{place}"))
        for place, entry in enumerate(session.source.images)
    )
    source = session.source.model_copy(update={"images": images})
    return session.model_copy(
        update={
            "source": located(source, "source"),
            "target": located(session.target, "target"),
            "chain": tuple(located(end, f"chain.{n}") for n, end in enumerate(session.chain)),
        }
    )
