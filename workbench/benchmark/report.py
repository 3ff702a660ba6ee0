"""The tables, for the terminal, as Markdown and as JSON: the same rows in each."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Literal

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A field of the rows, its heading, and how its numbers are written (a format spec)."""

    key: str
    heading: str
    spec: str = ""

    def show(self, row: dict[str, Any]) -> str:
        """The cell of a row."""
        value = row[self.key]
        if value is None:
            return NOTHING
        if isinstance(value, float) and not isfinite(value):
            return "∞"
        return format(value, self.spec)

    @property
    def numeric(self) -> bool:
        """Whether the cells are numbers, which stand to the right."""
        return bool(self.spec)


@dataclass
class Table:
    """Rows under a title, how to read them, and notes on what is peculiar or missing."""

    name: str
    title: str
    columns: tuple[Column, ...]
    reading: str
    notes: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Any) -> None:
        """Append a dataclass as a row."""
        self.rows.append(asdict(row))

    @property
    def remarks(self) -> list[str]:
        """What stands under the rows."""
        return [self.reading, *self.notes] if self.rows else self.notes

    def cells(self) -> Iterable[list[str]]:
        """The rows as text."""
        return ([column.show(row) for column in self.columns] for row in self.rows)


@dataclass
class Report:
    """One run of the benchmark; `interrupted` when it holds what was finished until then."""

    machine: dict[str, str]
    tables: list[Table]
    status: Literal["done", "interrupted"] = "interrupted"

    @property
    def heading(self) -> str:
        """The machine in a line."""
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return facts if self.status == "done" else f"{facts}; interrupted, what was finished"

    @property
    def filled(self) -> list[Table]:
        """The tables that have something to say."""
        return [table for table in self.tables if table.rows or table.notes]


def as_json(report: Report) -> str:
    """The report as JSON; a number that is not finite is null."""
    tables = {
        table.name: {
            "title": table.title,
            "notes": table.remarks,
            "rows": [{key: _finite(value) for key, value in row.items()} for row in table.rows],
        }
        for table in report.filled
    }
    whole = {"status": report.status, "machine": report.machine, "tables": tables}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    parts = [report.heading]
    for table in report.filled:
        parts.append(f"## {table.title}")
        if table.rows:
            parts.append("\n".join(_markdown_lines(table)))
        parts.append("\n".join(f"- {remark}" for remark in table.remarks))
    return "\n\n".join(parts) + "\n"


def as_terminal(report: Report) -> Group:
    """The report as rich shows it."""
    parts: list[Text | RichTable] = [Text(report.heading)]
    for table in report.filled:
        parts.append(Text(f"\n{table.title}", style="bold"))
        if table.rows:
            shown = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
            for column in table.columns:
                shown.add_column(
                    column.heading, justify="right" if column.numeric else "left", overflow="fold"
                )
            for cells in table.cells():
                shown.add_row(*map(Text, cells))
            parts.append(shown)
        parts += [Text(remark, style="dim") for remark in table.remarks]
    return Group(*parts)


def _markdown_lines(table: Table) -> Iterable[str]:
    yield f"| {' | '.join(column.heading for column in table.columns)} |"
    yield f"|{'|'.join('--:' if column.numeric else '---' for column in table.columns)}|"
    for cells in table.cells():
        yield f"| {' | '.join(cells)} |"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
