"""YAML as text with positions: read it safely, say where things stand.

A session is data and nothing else, so only a small part of YAML is read: mappings with text
keys, lists, numbers, text, true, false and null. Tags, anchors and aliases are refused before
anything is built from them, and so are duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
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
        return f"{indent}{key}:\n" + "".join(f"{indent}  - {flow_item(one)}\n" for one in value)
    if is_mapping(value) and key not in _ON_ONE_LINE and value:
        return f"{indent}{key}:\n{block(value, len(indent) + 2)}"
    return f"{indent}{key}: {flow(value)}\n"


_ON_ONE_LINE = {"solver"}


def flow_item(value: Plain) -> str:
    """A new item of a list; `enabled: true` goes without saying."""
    if is_mapping(value) and value.get("enabled") is True:
        return flow({key: there for key, there in value.items() if key != "enabled"})
    return flow(value)


def _text(text: str) -> str:
    """Text without quotes where nobody could take it for anything else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(quoted)}"'


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
