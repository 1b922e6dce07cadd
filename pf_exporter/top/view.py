"""The screen as lines: a summary, the visible rows, the keys."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from pf_exporter.top.circuit import STREAMING, Kind, Reading, State
from pf_exporter.top.columns import Column, columns
from pf_exporter.top.controls import HELP, Controls
from pf_exporter.top.table import Row, Table

HEADER, FOOTER = 3, 1
"""Lines above the rows, the column titles included, and below them."""
SMALLEST = 20, HEADER + FOOTER + 1
"""Columns and lines of the smallest screen that is drawn."""
PLAIN_WIDTH = 160
"""Columns of the table where there is no terminal."""

_NOUNS = {Kind.PORTS: "ports", Kind.VCS: "VC ends"}
_OTHER_TAB = {Kind.PORTS: "VCs", Kind.VCS: "ports"}


def page_size(lines: int) -> int:
    """How many rows are visible on a screen."""
    return max(lines - HEADER - FOOTER, 1)


@dataclass(frozen=True)
class View:
    """Draws a table; which colours there are depends on NO_COLOR, TERM and COLORTERM."""

    blocks: bool = True
    """Whether the terminal can show block characters and arrows."""
    interactive: bool = True
    """Whether a screen is drawn, with colours and a mark at the column that sorts, or plain lines."""

    def screen(self, table: Table, controls: Controls, size: tuple[int, int]) -> list[str]:
        """The lines of a whole screen of so many columns and lines."""
        width, height = max(size[0], SMALLEST[0]), max(size[1], SMALLEST[1])
        rows = table.rows(controls.kind, controls.sort, backwards=controls.backwards, filter=controls.filter)
        page = page_size(height)
        controls.scroll_within(len(rows), page)
        visible = rows[controls.offset : controls.offset + page]
        if controls.help:
            body = self._lines(self._help(), width)
        elif visible:
            shown = columns(controls.kind, rows, width, bars=True, blocks=self.blocks)
            body = self._grid(shown, visible, controls, width)
        else:
            paragraphs = [self._why_empty(table, controls), table.reading.remedy]
            body = [line for text in filter(None, paragraphs) for line in self._paragraph(text, width)]
        body = body[: page + 1] + [""] * (page + 1 - len(body))
        top = [
            *self._lines(self._summary(table, controls), width)[:1],
            *self._lines(self._status(table.reading, controls, len(rows), len(visible)), width)[:1],
        ]
        return [*top, *body, *self._lines(self._footer(controls), width)[:1]]

    def plain(self, table: Table, controls: Controls) -> list[str]:
        """Every row, without bars and colours, for a pipe or a file."""
        rows = table.rows(controls.kind, controls.sort, backwards=controls.backwards, filter=controls.filter)
        shown = columns(controls.kind, rows, PLAIN_WIDTH, bars=False, blocks=False)
        return [line.rstrip() for line in self._grid(shown, rows, controls, sum(c.width + 2 for c in shown))]

    def _grid(
        self, shown: Sequence[Column], rows: Sequence[Row], controls: Controls, width: int
    ) -> list[str]:
        grid = Grid(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
        arrow = ("▲" if controls.backwards else "▼") if self.blocks else "*"
        mark = arrow if self.interactive else ""
        for column in shown:
            is_sorted = column.sort is controls.sort
            grid.add_column(
                Text(column.title + (mark if is_sorted else ""), "reverse" if is_sorted else ""),
                justify=column.justify,
                no_wrap=True,
                overflow="ellipsis",
                width=column.width,
            )
        for row in rows:
            grid.add_row(*(column.cell(row) for column in shown))
        return self._lines(grid, width)

    def _paragraph(self, text: str, width: int) -> list[str]:
        """An empty line, then the text, wrapped."""
        return ["", *self._lines(Text(textwrap.fill(text, width), "yellow"), width)]

    def _lines(self, renderable: Grid | Text, width: int) -> list[str]:
        console = Console(
            file=io.StringIO(),
            force_terminal=self.interactive,
            color_system="auto" if self.interactive else None,
            width=width,
        )
        with console.capture() as capture:
            console.print(renderable, no_wrap=True, overflow="ellipsis", crop=True, highlight=False)
        return capture.get().splitlines()

    def _summary(self, table: Table, controls: Controls) -> Text:
        counts = table.counts(controls.kind)
        total = sum(counts.values())
        text = Text.assemble(("pf-exporter top", "bold"), f"  {total:,} {_NOUNS[controls.kind]}")
        for state, word, style in (
            (State.DOWN, "down", "bold red"),
            (State.NO_DATA, "without data", "bold yellow"),
            (State.DISABLED, "disabled", "dim"),
        ):
            if counts[state]:
                text.append(", ").append(f"{counts[state]:,} {word}", style)
        for account, state_of_stream in sorted(table.reading.accounts.items()):
            style = "green" if state_of_stream == STREAMING else "bold red"
            text.append(f"  {account}: ").append(state_of_stream, style)
        return text

    def _status(self, reading: Reading, controls: Controls, rows: int, visible: int) -> Text:
        if controls.editing:
            return Text.assemble(("Filter: ", "bold"), controls.filter, ("_", "blink"))
        order = ", reversed" if controls.backwards else ""
        text = Text(f"Sorted by {controls.sort.value}{order}. ", "dim")
        if visible < rows:
            first = controls.offset + 1
            text.append(f"Rows {first:,} to {first + visible - 1:,} of {rows:,}. ", "dim")
        if controls.paused:
            text.append("Paused; p resumes. ", "bold yellow")
        if controls.filter:
            text.append(f"Filter: {controls.filter}. ", "bold")
        text.append(reading.problem, "bold red")
        if visible and reading.remedy:
            text.append(f". {reading.remedy}", "yellow")
        return text

    def _why_empty(self, table: Table, controls: Controls) -> str:
        if controls.filter:
            return f"No {_NOUNS[controls.kind]} match the filter; Esc clears it."
        if not table.reading.circuits:
            return "No data yet."
        return f"No {_NOUNS[controls.kind]}; Tab shows {_OTHER_TAB[controls.kind]}."

    def _help(self) -> Grid:
        grid = Grid(box=box.SIMPLE if self.blocks else box.ASCII, title="Keys", title_justify="left")
        grid.add_column("key", style="bold", no_wrap=True)
        grid.add_column("any key closes this help")
        for keys, what in HELP:
            grid.add_row(keys, what)
        return grid

    def _footer(self, controls: Controls) -> Text:
        sorts = "b r t e l a n s" if controls.kind is Kind.PORTS else "b r t a n s"
        text = Text()
        for key, what in (
            ("q", "quit"),
            ("Tab", _OTHER_TAB[controls.kind]),
            ("/", "filter"),
            (sorts, "sort"),
            ("p", "pause"),
            ("?", "help"),
        ):
            text.append(key, "bold reverse").append(f" {what}  ")
        return text
