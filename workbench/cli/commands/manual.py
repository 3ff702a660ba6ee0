"""`ddib-workbench manual`: the manual's pages."""

from typing import Annotated

import typer

from workbench.cli.console import data


def print_manual(
    page: Annotated[str, typer.Argument(help="A page, such as solvers; `pages` lists them.")] = "",
    search: Annotated[str | None, typer.Option(help="Print the lines that contain this.")] = None,
) -> None:
    """Print a page of the manual: the first one, or PAGE."""
    from rich.markdown import Markdown

    from workbench import manual

    if search is not None:
        for name, lines in manual.search(search).items():
            for line in lines:
                data.print(f"{name}: {line}")
    elif page == "pages":
        for name, title in manual.pages().items():
            data.print(f"{name:16}{title}")
    elif data.is_terminal:
        data.print(Markdown(manual.page(page or manual.FIRST)))
    else:
        print(manual.page(page or manual.FIRST), end="")
