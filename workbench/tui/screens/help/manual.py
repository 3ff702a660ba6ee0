"""The manual on the screen: a page of it, and a search through all pages."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Markdown

from workbench import manual
from workbench.tui.screens.dialogs.dialog import Dialog
from workbench.tui.screens.help.actions import MANUAL_ACTIONS
from workbench.tui.widgets.form import LineInput
from workbench.tui.widgets.lines import Lines, Part

HITS = 50  # lines that a search shows
_Line = tuple[list[Part], list[Part], bool]


class SearchInput(LineInput):
    """The words to search for; up, down and enter belong to the list of what was found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.step(-1)", "up", show=False),
        Binding("down", "screen.step(1)", "down", show=False),
        Binding("enter", "screen.open_hit", "open", show=False),
    ]


class ManualScreen(Dialog[None]):
    """A page of the manual; gives nothing back."""

    BINDINGS: ClassVar[list[BindingType]] = MANUAL_ACTIONS.bindings()

    def __init__(self, page: str = manual.FIRST) -> None:
        """`page`: the name of the page to begin with."""
        super().__init__()
        self.page = page
        self._titles = manual.pages()
        self._hits: list[str] = []  # the page of each line that was found

    def compose(self) -> ComposeResult:
        """Show the search, which is hidden at first, what it finds, and the page."""
        with Vertical(classes="dialog dialog-tall manual") as dialog:
            dialog.border_subtitle = "/ search · n p pages · esc back"
            yield SearchInput(placeholder="words to search for in all pages", compact=True)
            yield Lines()
            with VerticalScroll():
                yield Markdown(open_links=False)

    async def on_mount(self) -> None:
        """Open the first page."""
        self._show_search(False)
        await self.open_page(self.page)

    async def open_page(self, page: str) -> None:
        """Show a page from its beginning."""
        self.page = page
        self.query_one(".dialog").border_title = f"Manual · {self._titles[page]}"
        await self.query_one(Markdown).update(manual.page(page))
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_home(animate=False)
        scroll.focus()

    async def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Open another page of the manual; other links are only read."""
        name, _, _ = event.href.partition(".md")
        if name in self._titles:
            await self.open_page(name)

    async def action_next_page(self, by: int) -> None:
        """Open the next page; after the last one comes the first."""
        names = list(self._titles)
        await self.open_page(names[(names.index(self.page) + by) % len(names)])

    def action_back(self) -> None:
        """Leave the search first, then the manual."""
        if self.query_one(SearchInput).display:
            self._show_search(False)
            self.query_one(VerticalScroll).focus()
        else:
            self.dismiss()

    # ---- search

    def action_search(self) -> None:
        """Type words to search for."""
        self._show_search(True)
        self.set_focus(self.query_one(SearchInput))  # at once: the next key may be on its way

    def _show_search(self, shown: bool) -> None:
        self.query_one(SearchInput).display = shown
        self.query_one(Lines).display = shown
        self.query_one(VerticalScroll).display = not shown
        self.query_one(Lines).can_focus = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the lines of all pages that contain what is typed."""
        words = event.value.strip()
        found = manual.search(words) if words else {}
        hits = [(page, line) for page, lines in found.items() for line in lines][:HITS]
        self._hits = [page for page, _ in hits]
        lines: list[_Line] = [
            ([(f" {self._titles[page]:<22} ", "lines--accent"), (line.strip(), "")], [], True)
            for page, line in hits
        ]
        if words and not lines:
            lines = [([(f" No page has “{words}”.", "lines--dim")], [], False)]
        self.query_one(Lines).set_lines(lines)
        self.query_one(Lines).action_jump(0)

    def action_step(self, by: int) -> None:
        """Go through what was found."""
        self.query_one(Lines).action_step(by)

    async def action_open_hit(self) -> None:
        """Open the page of the line under the cursor."""
        cursor = self.query_one(Lines).cursor
        if cursor < len(self._hits):
            self._show_search(False)
            await self.open_page(self._hits[cursor])

    async def on_lines_chosen(self) -> None:
        """Open the page of the line that was clicked."""
        await self.action_open_hit()
