"""The manual: one Markdown file a page, shown on the screen and by `ddib-workbench manual`."""

from pathlib import Path

from ddib.errors import InputError
from ddib.registry import unknown_name

FOLDER = Path(__file__).parent
FIRST = "start"


def pages() -> dict[str, str]:
    """The title of each page by its name, the first page first, the others by name."""
    names = sorted((path.stem for path in FOLDER.glob("*.md")), key=lambda n: (n != FIRST, n))
    return {name: _title(name) for name in names}


def page(name: str) -> str:
    """The Markdown of a page; raises InputError for a name that there is no page of."""
    known = pages()
    if name not in known:
        raise InputError(unknown_name("page of the manual", name, known))
    return (FOLDER / f"{name}.md").read_text("utf-8")


def search(words: str) -> dict[str, list[str]]:
    """The lines that contain `words`, whatever their case, by the name of the page."""
    found = {
        name: [line for line in page(name).splitlines() if words.lower() in line.lower()]
        for name in pages()
    }
    return {name: lines for name, lines in found.items() if lines}


def _title(name: str) -> str:
    with (FOLDER / f"{name}.md").open(encoding="utf-8") as lines:
        return next(lines).removeprefix("# ").strip()
