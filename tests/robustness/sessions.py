"""Mutated sessions load or are refused: python tests/robustness/sessions.py --count 100000.

Each is a shipped session with parts of its text or of its tree changed. It either loads, and then
comes back the same from a file that it was saved to, or raises SessionError that says the file, the
line or the key in printable text; never anything else, and within a time limit. One in `--replay`
also goes through `replay --dry-run`, which knows the files that a session names.
"""

import argparse
import json
import random
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ruamel.yaml import YAML

from workbench.session import (
    Session,
    SessionError,
    dump_session,
    load_session,
    save_session,
    set_value,
)

from support.harness import (
    COUNTS,
    Case,
    Check,
    Fault,
    TooLong,
    read_options,
    run_cases,
    signature,
    time_limit,
)
from support.mutations import Tree, mutate_text, mutate_tree
from support.programs import Program, faults_of

SHIPPED = sorted((Path(__file__).parents[2] / "sessions").glob("*.yaml"))
SECONDS = 5.0  # of its own time that all of a session's reading and writing may take
AT_ONCE = 200


def main() -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--replay", type=int, default=50, metavar="N", help="one in N through replay (%(default)s)"
    )
    options, given = read_options(__doc__, 100_000, parser)
    run_cases(options, prepare(Program(options.keep / ".home"), given.replay), AT_ONCE)


def prepare(program: Program, replay: int = 10) -> Check:
    """What checks a case; one in `replay` also goes through the program, none for 0."""
    if replay:
        program.warm(["replay", str(SHIPPED[0]), "--dry-run"])

    def check(case: Case) -> Iterator[Fault]:
        path = case.folder / "session.yaml"
        path.write_bytes(make(case.random))
        yield from check_file(path)
        if replay and case.number % replay == 0:
            ended = program.run("replay", path.name, "--dry-run", folder=case.folder)
            COUNTS["through replay --dry-run"] += 1
            yield from faults_of(ended)

    return check


def make(rng: random.Random) -> bytes:
    """A mutated session."""
    one, other = (rng.choice(SHIPPED).read_text() for _ in range(2))
    if rng.random() < 0.5:
        return mutate_text(rng, one, other)
    yaml = YAML(typ="safe", pure=True)
    return written(rng, mutate_tree(rng, yaml.load(one), yaml.load(other)))


def written(rng: random.Random, tree: Tree) -> bytes:
    """A tree as YAML in a single line, which JSON is, or a key a line."""
    if isinstance(tree, dict) and rng.random() < 0.7:
        lines = (f"{json.dumps(str(key))}: {_scalars(tree[key])}\n" for key in tree)
        text = "".join(lines)
    else:
        text = _scalars(tree)
    return text.encode("utf-8", "surrogatepass")


def _scalars(tree: Tree) -> str:
    text = json.dumps(tree, ensure_ascii=True)
    for name, meant in (("-Infinity", "-.inf"), ("Infinity", ".inf"), ("NaN", ".nan")):
        text = text.replace(name, meant)
    return text


def check_file(path: Path) -> Iterator[Fault]:
    """What is wrong with how a session's file is read and written again."""
    try:
        with time_limit(SECONDS):
            try:
                session = load_session(path)
            except SessionError as error:
                COUNTS["refused"] += 1
                yield from check_refusal(error, path)
                return
            COUNTS["loaded"] += 1
            yield from check_writing(session, path)
    except TooLong as error:
        yield Fault(f"slow: {signature(error)}", traceback.format_exc())
    except Exception as error:
        yield Fault(signature(error), traceback.format_exc())


def check_refusal(error: SessionError, path: Path) -> Iterator[Fault]:
    said = str(error)
    if not all(line.isprintable() for line in said.split("\n")):
        yield Fault("a refusal that cannot be printed", ascii(said))
    for problem in error.problems:
        if problem.file != str(path) or not problem.message:
            yield Fault("a refusal that does not say file and cause", said)
        if not (problem.line or problem.key or path.stat().st_size > 2**17):
            yield Fault("a refusal that says neither line nor key", said)


def check_writing(session: Session, path: Path) -> Iterator[Fault]:
    """Saving gives the session again: afresh, over its own text, and with a title changed."""
    original = path.read_bytes().decode("utf-8-sig")
    titled = set_value(session, "title", "changed")
    for what, changed, text in (
        ("afresh", session, None),
        ("over its text", session, original),
        ("with another title", titled, original),
    ):
        saved = path.with_name("saved.yaml")
        save_session(changed, saved, text)
        try:
            same = load_session(saved) == changed
        except SessionError as error:
            yield Fault(f"saved {what}, it does not load", str(error))
            continue
        if not same:
            yield Fault(f"saved {what}, it is another session", saved.read_text("utf-8"))
    ends = original.count("\r\n")
    if ends and ends == original.count("\n") == original.count("\r"):
        text = dump_session(titled, original)
        if text.count("\n") != text.count("\r\n"):
            yield Fault("line ends are mixed after saving", ascii(text))


if __name__ == "__main__":
    main()
