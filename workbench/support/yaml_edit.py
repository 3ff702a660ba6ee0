"""YAML text is changed where it has to be: comments, order and spelling of the rest stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from operator import itemgetter

from workbench.support.yaml_text import (
    Node,
    Plain,
    YamlProblem,
    block,
    flow,
    flow_item,
    is_list,
    is_mapping,
    read,
)


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
            lines = [self._moved(removed, *p) or f"{indent}- {flow_item(p[0])}" for p in pairs]
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
            lines = "".join(f"\n{indent}- {flow_item(value)}" for value in new)
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
