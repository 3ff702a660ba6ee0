"""`ddib-workbench cache`: what is kept of solved chunks."""

import typer

from workbench.cli.console import data, narrate

app = typer.Typer(no_args_is_help=True, help="The cache of solved chunks.")


@app.command("list")
def list_cached() -> None:
    """List what is cached, by model, direction and solver."""
    from workbench.library import cache
    from workbench.library.folders import folders

    data.print(cache.table(cache.groups(folders().cache_chunks)))


@app.command("size")
def cache_size() -> None:
    """Print how large the cache is, how large it may become, and where it lies."""
    from workbench.library import cache
    from workbench.library.configuration import read_config
    from workbench.library.folders import folders
    from workbench.support.files import parse_size, readable_size

    chunks, size = cache.size(folders().cache_chunks)
    limit = readable_size(parse_size(read_config().cache_limit))
    found = f"{readable_size(size)} of {limit}, {chunks} chunks in {folders().cache_chunks}"
    data.print(found, soft_wrap=True)


@app.command("clear")
def clear_cache() -> None:
    """Delete what is cached; it is computed anew when it is wanted."""
    from workbench.library import cache
    from workbench.library.folders import folders
    from workbench.support.files import readable_size

    chunks, size = cache.clear(folders().cache_chunks)
    narrate.print(f"deleted {chunks} chunks, {readable_size(size)}")
