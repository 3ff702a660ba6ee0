"""The line above the keys: how far a run is, or how the last one ended."""

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.models import ProgressView

BAR = 24  # cells of the bar at most


class ProgressLine(Widget):
    """Stage, bar, evaluations and time left."""

    view: reactive[ProgressView] = reactive(ProgressView(), layout=False)

    def render(self) -> Content:
        """One line, cut at the right when there is no room."""
        view, width = self.view, self.size.width
        if view.state == "running":
            return self._under_way(view, width)
        mark, style = {
            "idle": ("", "$dim"),
            "queued": ("… ", "$primary"),
            "done": ("✓ ", "$success"),
            "failed": ("✗ ", "$error"),
            "cancelled": ("■ ", "$warning"),
        }[view.state]
        quiet = "$foreground" if view.state in ("failed", "queued") else "$dim"
        line = Content.assemble(" ", (mark, style), (view.text, quiet))
        return self._with_badges(line, width)

    def _under_way(self, view: ProgressView, width: int) -> Content:
        share = view.done / view.total if view.total else 0.0
        share = min(max(share, 0.0), 1.0)
        bar = max(6, min(BAR, width // 5))
        full = round(share * bar)
        line = Content.assemble(
            " ",
            (f"{view.stage:<7}", "bold $primary"),
            ("▇" * full, "$primary"),
            ("▁" * (bar - full), "$line"),
            (f" {share:>4.0%}", "bold"),
        )
        room = width - line.cell_length - cell_len(_badges(view)) - 2
        facts = list(view.facts)
        while facts and cell_len(" · ".join(facts)) > room:
            facts.pop()
        line = Content.assemble(line, (f"  {' · '.join(facts)}", "$dim"))
        return self._with_badges(line, width)

    def _with_badges(self, line: Content, width: int) -> Content:
        """The line, cut where it has no room, and what is switched on at the right end."""
        badges = _badges(self.view)
        room = width - cell_len(badges)
        line = line.truncate(room, ellipsis=True)
        return Content.assemble(line, " " * (room - line.cell_length), (badges, "$accent"))


def _badges(view: ProgressView) -> str:
    return "".join(f"  {badge} " for badge in view.badges)
