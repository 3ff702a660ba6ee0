"""Turns good files into bad ones: texts, trees of values, and bytes."""

import random
from collections.abc import Callable
from typing import Any

Tree = Any  # what YAML or JSON holds: mappings, lists, text, numbers, null

LONG = "x" * 300  # a file system gives a name 255 bytes
VALUES: tuple[Tree, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 10**400, 0.5, -0.0,
    1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 1_000_000_000,
    "", " ", "own", "auto", "null", "~", "~alice/x", "~/x", "~alice", ".", "..", "/", "//", "a/b",
    "../" * 40 + "etc/passwd", "/dev/zero", "/dev/null", "/proc/self/mem", "/**/*.png",
    "**/**/**/*.png", "[", "[!", "[a-", "*" * 60, LONG, "a/" * 3000, LONG + "/*.png",
    LONG + ".safetensors", "sevens-0.5", "ema_0.9999_100000", ".hid", "a\0b", "\x1b]52;c;SEFD\x07",
    "\x9b31m", "\x07", "\r", "a\nb", "\t", "\u202e", "\u2028", "\ud800", "\udcff", "\U0010ffff",
    "é", "e\u0301", "🜲", "\ufeff", "[red]x[/red]", ":100:", "${HOME}", "%s%n", "{0}", "1..4",
    "0.1..0.9/5", "1..100000000", "0..1/1000000000", "0.001..1/4 log", "1e999", "0x10", "0o17",
    "1_000", "12:30:45", "2024-02-30", "yes", "!!python/object/apply:os.system", "__class__",
    [], {}, [[]], [{}], {"": ""}, [None], [1, 2, 3], [0.1] * 3, ["a", "b"], [[1], [2]],
    list(range(11_000)), [0] * 11_000, ["cmnist-sevens"] * 3, {"op": "scale"}, {"op": []},
    {"op": {"op": "scale"}}, {"dataset": ["moons"]}, {"dataset": "moons", "count": 10**9},
    {"path": "x", "dataset": "moons"}, {"checkpoint": None}, {"enabled": "no"},
)  # fmt: skip
TOKENS = (
    "&a x", "*a", "&a [*a]", "<<: *a", "<<: {version: 1}", "!!python/name:os.system", "!x y",
    "!!binary aGk=", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp 2001-01-01", "? [a, b] : c",
    "{a: 1, a: 2}", "[1, 2", "{a: ", '"\\ud800"', '"\\udcff"', '"\\0"', '"\\e[31m"', '"\\x9b"',
    '"\\U00110000"', '"\\uZZZZ"', "'", '"', "|", ">-", "|9", ">\n", "- - - -", "%YAML 9.9",
    "%TAG ! x:", "---", "...", "@", "`", "%", "\t", "\tkey: 1", ": :", "#", "\0", "\x1b[31m",
    "\x85", "\u2028", "\ufeff", "\ufffe", "\ud800", "\r", "\r\n", "1e400", "-1e400", ".nan",
    "-.inf", "0b101", "0777", "1__0", "+1", "1:2:3", "9" * 5000, "0." + "0" * 5000 + "1",
    "[" * 200, "{a: " * 200, "- " * 200, "[" * 20_000, "a: " * 50, "x" * 100_000,
)  # fmt: skip

TextMutation = Callable[[random.Random, str], str]


def mutate_text(rng: random.Random, text: str, other: str) -> bytes:
    """One to three changes of a text; a surrogate becomes bytes that are not UTF-8."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice(TEXT_MUTATIONS)(rng, text)
    if rng.random() < 0.03:
        text = text[: rng.randrange(len(text) + 1)] + other
    data = text.encode("utf-8", "surrogatepass")
    match rng.randrange(40):
        case 0:
            return text.encode("utf-16", "surrogatepass")
        case 1:
            return b"\xef\xbb\xbf" + data
        case 2:
            return mutate_bytes(rng, data)
        case 3:
            return text.encode("latin-1", "replace")
    return data


def _insert_token(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(TOKENS) + text[place:]


def _replace_value(rng: random.Random, text: str) -> str:
    """What follows a colon, up to where it ends, becomes something else."""
    places = [n for n, c in enumerate(text) if c == ":"]
    if not places:
        return _insert_token(rng, text)
    start = rng.choice(places) + 1
    end = next((n for n in range(start, len(text)) if text[n] in ",}]\n#"), len(text))
    return f"{text[:start]} {rng.choice(TOKENS)}{text[end:]}"


def _delete_span(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + text[start + rng.choice((1, 1, 2, 5, 20, 100)) :]


def _repeat_span(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    span = text[start : start + rng.choice((1, 3, 10, 50))]
    return text[:start] + span * rng.choice((2, 2, 3, 1000)) + text[start:]


def _move_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return "".join(lines)


def _repeat_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    return "".join((*lines[: at + 1], *lines[at:]))


def _indent_line(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    lines[at] = rng.choice((" ", "  ", "\t", "    ")) + lines[at]
    return "".join(lines)


def _end_lines_otherwise(rng: random.Random, text: str) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r\n", "\r", "\n\r", "\x85", "\u2028")))


def _exchange_character(rng: random.Random, text: str) -> str:
    at = rng.randrange(max(1, len(text)))
    return (
        text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x11000)))) + text[at + 1 :]
    )


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


TEXT_MUTATIONS: tuple[TextMutation, ...] = (
    _insert_token, _insert_token, _replace_value, _replace_value, _replace_value, _delete_span,
    _repeat_span, _move_line, _repeat_line, _indent_line, _end_lines_otherwise,
    _exchange_character, _cut,
)  # fmt: skip


def mutate_tree(rng: random.Random, tree: Tree, other: Tree) -> Tree:
    """One to three parts of a tree replaced, taken away, renamed, repeated or wrapped."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        path = rng.choice(list(_paths(tree)))
        tree = _changed(rng, tree, path, other)
    return tree


def _paths(tree: Tree, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            found += _paths(value, (*path, key))
    return found


def _changed(rng: random.Random, tree: Tree, path: tuple[str | int, ...], other: Tree) -> Tree:
    if not path:
        return _otherwise(rng, tree, other)
    key, rest = path[0], path[1:]
    if isinstance(tree, list):
        items = list(tree)
        if not rest and rng.random() < 0.2:
            repeated = rng.choice((0, 2, 2, 50))
            return [*items[: int(key)], *[items[int(key)]] * repeated, *items[int(key) + 1 :]]
        items[int(key)] = _changed(rng, items[int(key)], rest, other)
        return items
    if not rest and rng.random() < 0.25:
        renamed = rng.choice((None, f"{key}s", f"{key}"[1:], "", "op", "path", "needs", LONG))
        return {renamed if k == key else k: v for k, v in tree.items() if k != key or renamed}
    return {k: _changed(rng, v, rest, other) if k == key else v for k, v in tree.items()}


def _otherwise(rng: random.Random, value: Tree, other: Tree) -> Tree:
    changed = rng.choice(VALUES)
    match rng.randrange(12):
        case 0:
            changed = [value]
        case 1:
            changed = {"op": value}
        case 2:
            changed = _at(other, rng.choice(list(_paths(other))))
        case 3:
            changed = value
            for _ in range(rng.choice((3, 40, 300))):
                changed = [changed] if rng.random() < 0.5 else {"a": changed}
        case 4 if isinstance(value, int | float):
            changed = value * rng.choice((-1, 0, 1000, 10**12, 0.5))
        case 5 if isinstance(value, str):
            changed = value + rng.choice([v for v in VALUES if isinstance(v, str)])
        case 6 if isinstance(value, dict):
            changed = {**value, rng.choice(("x", "op", "needs", "root", "split")): changed}
    return changed


def _at(tree: Tree, path: tuple[str | int, ...]) -> Tree:
    for key in path:
        tree = tree[key]
    return tree


def mutate_bytes(rng: random.Random, data: bytes) -> bytes:
    """One to eight places of a file flipped, cut, repeated, blanked or overwritten."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        # The beginning of a file says what the rest is.
        reach = min(len(changed), rng.choice((32, 256, 4096, 2**30))) or 1
        at, count = rng.randrange(reach), rng.choice((1, 2, 4, 8, 64, 1000))
        match rng.randrange(7):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 2:
                del changed[rng.randrange(len(changed) + 1) :]
            case 3:
                changed[at:at] = changed[at : at + count]
            case 4:
                del changed[at : at + count]
            case 5:
                extreme = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80"))
                changed[at : at + count] = extreme * count
            case 6:
                changed[at : at + 4] = rng.choice((0, 1, 2**31 - 1, 2**32 - 1)).to_bytes(4, "big")
    return bytes(changed)
