"""The keys that do something here and now; a click presses them."""

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget


class KeyHints(Widget):
    """One line of keys, those of the focused pane first, as many as fit; help stays at the end."""

    LAST = ("help",)  # actions that never give way

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def on_unmount(self) -> None:
        """Stop following."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _bindings_updated(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        """Key and word, key and word."""
        parts: list[tuple[str, str] | str] = []
        for _start, _end, binding, enabled in self._spans():
            key, word = self.app.get_key_display(binding), binding.description
            parts += [
                (f" {key} ", "bold $foreground" if enabled else "$faint"),
                (f"{word} ", "$dim" if enabled else "$faint"),
            ]
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """A click on a hint is the key."""
        for start, end, binding, enabled in self._spans():
            if start <= event.x < end and enabled:
                self.app.simulate_key(binding.key)

    def _spans(self) -> list[tuple[int, int, Binding, bool]]:
        """Where each hint lies: start, end, binding, enabled."""
        shown: dict[str, tuple[Binding, bool]] = {}
        for binding, enabled in self._in_order():
            if binding.show:
                shown.setdefault(binding.action, (binding, enabled))
        last = [item for action, item in shown.items() if action in self.LAST]
        first = [item for action, item in shown.items() if action not in self.LAST]
        room = self.size.width - sum(self._width(binding) for binding, _ in last)
        spans: list[tuple[int, int, Binding, bool]] = []
        x = 0
        for binding, enabled in first:
            width = self._width(binding)
            if x + width > room:
                continue
            spans.append((x, x + width, binding, enabled))
            x += width
        for binding, enabled in last:
            spans.append((x, x + self._width(binding), binding, enabled))
            x += self._width(binding)
        return spans

    def _in_order(self) -> list[tuple[Binding, bool]]:
        """The focused widget's bindings first, each node's as its class lists them.

        A remapped binding comes last with Textual, wherever it was.
        """
        active = list(self.screen.active_bindings.values())
        places: dict[tuple[DOMNode, str], int] = {}
        for node in dict.fromkeys(one.node for one in active):
            for binding in Binding.make_bindings(node.BINDINGS):
                places.setdefault((node, binding.action), len(places))
        last = len(places)
        active.sort(key=lambda one: places.get((one.node, one.binding.action), last))
        return [(one.binding, one.enabled) for one in active if one.enabled]

    def _width(self, binding: Binding) -> int:
        return cell_len(self.app.get_key_display(binding)) + cell_len(binding.description) + 3
