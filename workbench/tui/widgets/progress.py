"""The line above the keys: how far a run is, or how the last one ended."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.views import ProgressView

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
        return line.truncate(width, ellipsis=True)

    def _under_way(self, view: ProgressView, width: int) -> Content:
        share = view.done / view.total if view.total else 0.0
        share = min(max(share, 0.0), 1.0)
        bar = max(6, min(BAR, width // 5))
        full = round(share * bar)
        counted = f"{view.done:,} of {view.total:,} evaluations" if view.total else ""
        left = "" if view.seconds_left is None else f" · {in_words(view.seconds_left)} left"
        return Content.assemble(
            " ",
            (f"{view.stage:<7}", "bold $primary"),
            ("▇" * full, "$primary"),
            ("▁" * (bar - full), "$line"),
            (f" {share:>4.0%}", "bold"),
            (f"  {counted}{left}", "$dim"),
        ).truncate(width, ellipsis=True)


def in_words(seconds: float) -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min, 2 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
