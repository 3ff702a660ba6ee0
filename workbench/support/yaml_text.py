"""YAML as text with positions: read it safely, say where things stand.

A session is data and nothing else, so only a small part of YAML is read: mappings with text
keys, lists, numbers, text, true, false and null. Tags, anchors and aliases are refused before
anything is built from them, and so are duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import partial
from operator import itemgetter
from typing import Any, TypeGuard

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import Scanner

Scalar = None | bool | int | float | str
Plain = Scalar | Mapping[str, "Plain"] | Sequence["Plain"]

MAX_DEPTH = 32  # of brackets and braces within each other; a session has six
MAX_CHARACTERS = 256 * 1024  # thousands of lines; the pure Python reader takes about 2 s for it

_KINDS = ("null", "bool", "int", "float", "str", "timestamp", "map", "seq", "merge")
_TAGS = {f"tag:yaml.org,2002:{kind}": kind for kind in _KINDS}


_PLAIN = re.compile(r"(?:[^\W\d]|\.{0,2}/)(?:[\w ./*+-]*[\w./*+-])?")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # some in YAML 1.1 only
_ESCAPES = {"\n": "\\n", "\t": "\\t"}
_NUMBERS = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}


class YamlProblem(ValueError):
    """The text cannot be read; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Node:
    """A value and where it stands in the text.

    start, end: the characters it covers, without what follows a block; line: from 1, that of its
    key if it has one; column: from 0; flow: written with braces or brackets (or a scalar).
    """

    value: Plain
    line: int
    column: int
    start: int
    end: int
    flow: bool = True
    children: dict[str | int, Node] = field(default_factory=dict)

    def nearest(self, keys: Iterable[str | int]) -> Node:
        """The node that the keys lead to, or the last one on the way that is there."""
        node = self
        for key in keys:
            if key not in node.children:
                return node
            node = node.children[key]
        return node


def read(text: str) -> Node:
    """The one document in `text`; a text without content is null. Raises YamlProblem."""
    if len(text) > MAX_CHARACTERS:
        raise YamlProblem(1, f"is longer than {MAX_CHARACTERS // 1024} KiB: this is no session")
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    try:
        root = yaml.compose(text)
        if root is None:
            return Node(None, 1, 0, len(text), len(text))
        return _Reader(yaml, text).node(root)
    except YamlProblem:
        raise
    except RecursionError:
        raise YamlProblem(1, "is nested too deeply") from None
    except MarkedYAMLError as error:
        raise _unreadable(text, error) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlProblem(line, "a control character, which YAML does not allow") from None
    except YAMLError as error:
        raise YamlProblem(1, f"is not valid YAML: {error}") from None


class _Scanner(Scanner):
    """Reads what a session may be: nested a little, with escapes that stand for characters."""

    def fetch_flow_collection_start(self, *token: Any, **pushed: Any) -> None:
        """Brackets within brackets, whose number makes the library's scanner quadratic."""
        super().fetch_flow_collection_start(*token, **pushed)
        if len(self.flow_context) > MAX_DEPTH:
            raise YamlProblem(self.reader.line + 1, "is nested too deeply")

    def scan_flow_scalar(self, style: Any) -> Any:
        """Quoted text; raises YamlProblem for an escape beyond Unicode."""
        line = self.reader.line + 1
        try:
            return super().scan_flow_scalar(style)
        except (ValueError, OverflowError):
            raise YamlProblem(line, "an escape in quotes that stands for no character") from None


def printable(text: str) -> str:
    """The text with escapes in place of what would not be seen, or would act on a terminal."""
    return "".join(c if c.isprintable() else _ESCAPES.get(c, f"\\U{ord(c):08x}") for c in text)


def flow(value: Plain) -> str:
    """A value on one line, as it may stand inside braces: `{op: scale, factor: 1.5}`."""
    if is_mapping(value):
        return f"{{{', '.join(f'{_text(key)}: {flow(item)}' for key, item in value.items())}}}"
    if is_list(value):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _NUMBERS.get(repr(value), repr(value))


def block(data: Mapping[str, Plain], indent: int = 0) -> str:
    """Keys on lines of their own; what stands in a list on one line each. Ends with a newline."""
    return "".join(_entry(key, value, " " * indent) for key, value in data.items())


def is_mapping(value: Plain) -> TypeGuard[Mapping[str, Plain]]:
    """Whether a value is a mapping."""
    return isinstance(value, Mapping)


def is_list(value: Plain) -> TypeGuard[Sequence[Plain]]:
    """Whether a value is a list."""
    return isinstance(value, list | tuple)


def _entry(key: str, value: Plain, indent: str) -> str:
    if is_list(value) and any(map(is_mapping, value)):
        return f"{indent}{key}:\n" + "".join(f"{indent}  - {_item(item)}\n" for item in value)
    if is_mapping(value) and key not in _ON_ONE_LINE and value:
        return f"{indent}{key}:\n{block(value, len(indent) + 2)}"
    return f"{indent}{key}: {flow(value)}\n"


_ON_ONE_LINE = {"solver"}


def _item(value: Plain) -> str:
    """A new item of a list; `enabled: true` goes without saying."""
    if is_mapping(value) and value.get("enabled") is True:
        return flow({key: item for key, item in value.items() if key != "enabled"})
    return flow(value)


def _text(text: str) -> str:
    """Text without quotes where nobody could take it for anything else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(quoted)}"'


def edit(text: str, new: Mapping[str, Plain], essential: Mapping[str, Plain]) -> str:
    """`text` changed, where it has to be, to hold `new`; the rest stays to the last character.

    essential: the part of `new` that has to be written; what `text` leaves out and is not in
    there stays out. Raises YamlProblem if `text` holds no mapping.
    """
    root = read(text)
    if not is_mapping(root.value):
        raise YamlProblem(1, "has no keys and values to change")
    editor = _Editor(text)
    editor.change(root, new, essential)
    return editor.result()


class _Editor:
    """Collects replacements of spans of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.replacements: list[tuple[int, int, str]] = []

    def result(self) -> str:
        text, in_order = self.text, sorted(self.replacements, key=itemgetter(0))
        for start, end, new in reversed(in_order):
            text = text[:start] + new + text[end:]
        return text

    def change(self, node: Node, new: Plain, essential: Plain, in_flow: bool = False) -> None:
        """Make a node hold a value; `in_flow` when it stands within braces or brackets."""
        old = node.value
        if _same(old, new):
            return
        if is_mapping(old) and is_mapping(new) and old and old.keys() <= new.keys():
            self._change_keys(node, new, essential if is_mapping(essential) else {})
        elif is_list(old) and is_list(new) and old and not node.flow:
            self._change_lines(node, new, essential if is_list(essential) else new)
        elif is_list(old) and is_list(new) and len(old) == len(new):
            wanted = essential if is_list(essential) else new
            self._change_pairs(list(node.children.values()), new, wanted, in_flow=True)
        else:
            self._replace(node, new, in_flow)

    def _change_keys(
        self, node: Node, new: Mapping[str, Plain], essential: Mapping[str, Plain]
    ) -> None:
        for key, child in node.children.items():
            self.change(child, new[str(key)], essential.get(str(key)), node.flow)
        added = {k: v for k, v in new.items() if k not in node.children and k in essential}
        if added and node.flow:
            self._insert(max(child.end for child in node.children.values()), f", {_inside(added)}")
        elif added:
            column = next(iter(node.children.values())).column
            self._insert(self._line_end(node.end), "\n" + block(added, column).rstrip("\n"))

    def _change_pairs(
        self,
        nodes: Sequence[Node],
        new: Sequence[Plain],
        essential: Sequence[Plain],
        in_flow: bool = False,
    ) -> None:
        for node, value, needed in zip(nodes, new, essential, strict=True):
            self.change(node, value, needed, in_flow)

    def _change_lines(self, node: Node, new: Sequence[Plain], essential: Sequence[Plain]) -> None:
        """Items on lines of their own: what stays or moves keeps the comments on its lines."""
        items = list(node.children.values())
        if not new:
            self._replace_lines(items[0], " " * (node.column + 2) + "[]\n")
            for item in items[1:]:
                self._replace_lines(item, "")
            return
        first = self._line_start(items[0].start)
        indent = self.text[first : self.text.index("-", first)]
        kinds = [_kind(item.value) for item in items], [_kind(value) for value in new]
        opcodes = SequenceMatcher(None, *kinds, autojunk=False).get_opcodes()
        removed = [item for tag, a, b, _, _ in opcodes if tag != "equal" for item in items[a:b]]
        for tag, a, b, c, d in opcodes:
            if tag == "equal":
                self._change_pairs(items[a:b], new[c:d], essential[c:d])
                continue
            pairs = zip(new[c:d], essential[c:d], strict=True)
            lines = [self._moved(removed, *p) or f"{indent}- {_item(p[0])}" for p in pairs]
            if a:
                place = self._line_end(items[a - 1].end)
                self._insert(place, "".join(f"\n{line}" for line in lines))
            else:
                self._insert(first, "".join(f"{line}\n" for line in lines))
            for item in items[a:b]:
                self._replace_lines(item, "")

    def _moved(self, removed: Iterable[Node], new: Plain, essential: Plain) -> str | None:
        """The lines of the removed item that says `new`, if one does."""
        for item in removed:
            if _says(item.value, new, essential):
                return self.text[self._line_start(item.start) : self._line_end(item.end)]
        return None

    def _replace_lines(self, item: Node, new: str) -> None:
        start, end = self._line_start(item.start), self._line_end(item.end) + 1
        self.replacements.append((start, end, new))

    def _replace(self, node: Node, new: Plain, in_flow: bool) -> None:
        if is_list(new) and any(map(is_mapping, new)) and not node.value and not in_flow:
            indent = " " * (node.column + 2)
            start = len(self.text[: node.start].rstrip(" "))
            lines = "".join(f"\n{indent}- {_item(item)}" for item in new)
            self.replacements.append((start, node.end, lines))
        else:
            space = " " if node.start == node.end else ""  # nothing stood behind the colon
            self.replacements.append((node.start, node.end, space + flow(new)))

    def _insert(self, place: int, new: str) -> None:
        self.replacements.append((place, place, new))

    def _line_start(self, place: int) -> int:
        return self.text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        end = self.text.find("\n", place)
        return len(self.text) if end < 0 else end


def _inside(data: Mapping[str, Plain]) -> str:
    return flow(data)[1:-1]


def _kind(value: Plain) -> str:
    """What makes two items of a list the same thing with other values."""
    if is_mapping(value):
        return str(value.get("op") or sorted(value)[0])
    return flow(value)


def _same(old: Plain, new: Plain) -> bool:
    """Equal, and not one of them a bool and the other a number."""
    if is_mapping(old) and is_mapping(new):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if is_list(old) and is_list(new):
        return len(old) == len(new) and all(map(_same, old, new))
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _says(old: Plain, new: Plain, essential: Plain) -> bool:
    """Whether `old` means `new`, maybe by leaving out what goes without saying."""
    if is_mapping(old) and is_mapping(new) and is_mapping(essential):
        kept = {key: value for key, value in new.items() if key in old}
        return _same(old, kept) and essential.keys() <= old.keys()
    return _same(old, new)


def _unreadable(text: str, error: MarkedYAMLError) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "cannot be read"
    line = mark.line + 1 if mark else 1
    if mark and mark.index >= len(text.rstrip()):
        return YamlProblem(line, f"the text ends too early ({problem}); is the file cut off?")
    return YamlProblem(line, f"is not valid YAML: {problem}")


class _Reader:
    """Turns ruamel.yaml's nodes, which are text and marks only, into values with positions."""

    def __init__(self, yaml: YAML, text: str) -> None:
        self.yaml = yaml
        self.text = text

    def node(self, node: YamlNode) -> Node:
        line = node.start_mark.line + 1
        if node.anchor is not None:
            raise YamlProblem(line, "anchors (&) and aliases (*) are not used in sessions")
        if node.tag not in _TAGS:
            tag = str(node.tag).replace("tag:yaml.org,2002:", "!!")
            raise YamlProblem(
                line, f"the tag {printable(tag)} is not used in sessions: they are data only"
            )
        at = partial(Node, line=line, column=node.start_mark.column, start=node.start_mark.index)
        if isinstance(node, ScalarNode):
            span = self.text[node.start_mark.index : node.end_mark.index]
            return at(self._scalar(node), end=node.start_mark.index + len(span.rstrip()))
        children = self._children(node)
        keys, values = children.keys(), [child.value for child in children.values()]
        value: Plain = (
            dict(zip(map(str, keys), values, strict=True))
            if isinstance(node, MappingNode)
            else tuple(values)
        )
        last = max((child.end for child in children.values()), default=0)
        in_braces = isinstance(node, CollectionNode) and bool(node.flow_style)
        end = node.end_mark.index if in_braces or not children else last
        return at(value, end=end, flow=in_braces, children=children)

    def _children(self, node: YamlNode) -> dict[str | int, Node]:
        if isinstance(node, SequenceNode):
            return {index: self.node(item) for index, item in enumerate(node.value)}
        children: dict[str | int, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or key.anchor or key.tag not in _TAGS:
                raise YamlProblem(line, "a key has to be plain text")
            if key.value in children:
                first = children[key.value].line
                again = f"{printable(key.value)}: is already there on line {first}"
                raise YamlProblem(line, again)
            self._check_text(key)
            child = self.node(value)
            children[key.value] = replace(child, line=line, column=key.start_mark.column)
        return children

    def _scalar(self, node: ScalarNode) -> Scalar:
        self._check_text(node)
        kind = _TAGS[str(node.tag)]
        if kind in ("str", "timestamp", "merge"):
            return str(node.value)
        try:
            value: Scalar = self.yaml.constructor.construct_object(node)
            str(value)  # Python refuses to write, as to read, numbers of thousands of digits
        except (ValueError, YAMLError):
            line = node.start_mark.line + 1
            raise YamlProblem(line, f"{node.value[:20]}… is not a number") from None
        return value

    @staticmethod
    def _check_text(node: ScalarNode) -> None:
        """Raise YamlProblem for halves of characters, which no file can be written with."""
        if not node.value.isascii() and any("\ud800" <= c <= "\udfff" for c in node.value):
            line = node.start_mark.line + 1
            raise YamlProblem(line, f"{printable(node.value[:20])}: holds half a character")
