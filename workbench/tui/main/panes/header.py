"""The line at the top: which session, from where to where, how, and on what."""

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.models import HeaderView


class HeaderLine(Widget):
    """Session name, unsaved mark and title at the left; ends, solver and engine at the right."""

    view: reactive[HeaderView] = reactive(HeaderView(), layout=False)

    def render(self) -> Content:
        """As much as fits of the program's name and the title; then the solver gives way."""
        view, width = self.view, self.size.width
        name = view.name or "…"
        left: list[tuple[str, str] | str] = [(name, "bold $foreground")]
        if view.dirty:
            left.append((" ●", "$warning"))
        right: list[list[tuple[str, str] | str]] = []
        if view.source or view.target:
            right.append(
                [(view.source, "$source"), (" → ", "$dim"), (view.target, "$target")],
            )
        right.append([(view.solver, "$dim")])
        right.append([(view.engine, "$success" if view.busy else "$dim")])
        brand: list[tuple[str, str] | str] = [("ddib-workbench   ", "$dim")]
        title: list[tuple[str, str] | str] = [(f"  {view.title}", "$dim")] if view.title else []
        for parts, start in (
            (right, brand + left + title),
            (right, left + title),
            (right, brand + left),
            (right, left),
            (right[:1] + right[2:], left),
            (right[2:], left),
        ):
            end = _join([part for part in parts if part[0][0]])
            gap = width - 2 - _width(start) - _width(end)
            if gap >= 2:
                return Content.assemble(" ", *start, " " * gap, *end, " ")
        return Content.assemble(" ", *left).truncate(width, ellipsis=True)


def _join(parts: list[list[tuple[str, str] | str]]) -> list[tuple[str, str] | str]:
    joined: list[tuple[str, str] | str] = []
    for part in parts:
        if joined:
            joined.append("   ")
        joined.extend(part)
    return joined


def _width(parts: list[tuple[str, str] | str]) -> int:
    return sum(cell_len(part if isinstance(part, str) else part[0]) for part in parts)
