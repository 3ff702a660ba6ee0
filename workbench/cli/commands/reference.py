"""These commands list what a session can hold: `operations`, `solvers`, `schema` and so on."""

import json

from workbench.cli.console import data, narrate, print_json


def operations() -> None:
    """List the operations, the user's own too, with their parameters."""
    from workbench.cli import tables

    data.print(tables.operations_page())
    report_skipped()


def guides() -> None:
    """List the guides of a decoding, the user's own too, with their parameters."""
    from workbench.cli import tables

    data.print(tables.guides_page())
    report_skipped()


def solvers() -> None:
    """List the solvers, the user's own too, the grids and their settings."""
    from workbench.cli import tables

    data.print(tables.solvers_page())
    report_skipped()


def sources() -> None:
    """List the image sources, the user's own too, with the keys of an entry."""
    from workbench.cli import tables

    data.print(tables.sources_page())
    report_skipped()


def metrics() -> None:
    """List the metrics, the user's own too, with their figures."""
    from workbench.cli import tables

    data.print(tables.metrics_page())
    report_skipped()


def print_schema() -> None:
    """Print the JSON Schema of session files, for editors."""
    from workbench.session.schema import schema

    print_json(json.dumps(schema()))
    report_skipped()


def report_skipped() -> None:
    """Say on stderr which of the user's own files were left out, and why."""
    from workbench.own_files import skipped_files

    for line in skipped_files():
        narrate.print(line, style="yellow", soft_wrap=True)
