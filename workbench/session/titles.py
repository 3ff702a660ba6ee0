"""The ends of a session in words, as captions and tables have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.session.schema import End, Session, Target


def end_titles(session: Session) -> list[str]:
    """The ends in words, from the source's to the last: `cmnist-digits (5, guidance 2)`, values
    that are swept together."""
    passed: tuple[End | Target, ...] = (session.source, session.target, *session.chain)
    return [end_title(end.checkpoint, end.label, *strength(end)) for end in passed]


def without_family(names: Sequence[str]) -> list[str]:
    """Names without what stands before the first hyphen of all: `sevens` for `cmnist-sevens`."""
    families = {name.partition("-")[0] for name in names}
    family = families.pop() if len(families) == 1 else ""
    return [name.removeprefix(f"{family}-") for name in names]


def strength(end: End | Target) -> list[str]:
    """How an end is led, in words: `guidance 1 2`, `cmnist-classifier × 4`; empty when plainly."""
    words = [] if end.guidance == 1 else [f"guidance {_listed(end.guidance)}"]
    if end.classifier is not None:
        words.append(f"{checkpoint_stem(end.classifier)} × {_listed(end.classifier_scale)}")
    return words


def end_title(checkpoint: str | tuple[str, ...], label: Any = None, *more: str) -> str:
    """An end in words: `cmnist-digits (5)`; values that are swept side by side."""
    names = checkpoint if isinstance(checkpoint, tuple) else (checkpoint,)
    text = ", ".join(map(checkpoint_stem, names))
    facts = [*([] if label is None else [_listed(label)]), *more]
    return f"{text} ({', '.join(facts)})" if facts else text


def _listed(value: Any) -> str:
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(str(each).removesuffix(".0") for each in values)


def checkpoint_stem(checkpoint: str) -> str:
    """A checkpoint's name without its folder and suffix."""
    return Path(checkpoint).name.removesuffix(".safetensors")
