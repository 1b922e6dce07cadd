"""The columns of the table, and how wide each is on a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from pf_exporter.top.cells import (
    age_cell,
    errors_cell,
    light_cell,
    rate_cell,
    rate_width,
    short,
    state_cell,
    title_cell,
)
from pf_exporter.top.circuit import Circuit, Kind
from pf_exporter.top.table import Row, SortKey

MIN_NAME, READABLE_NAME, MAX_NAME = 12, 24, 48
MIN_BAR, MAX_BAR = 3, 24


class Column(NamedTuple):
    """One column."""

    title: str
    cell: Callable[[Row], Text]
    width: int
    justify: Literal["left", "right"] = "left"
    sort: SortKey | None = None


_HEAD = (
    Column("STATE", state_cell, 8, sort=SortKey.STATE),
    Column("SPEED", lambda row: Text(short(row.circuit.capacity)), 5, "right"),
)
_VC_NUMBERS = (Column("AGE", age_cell, 4, "right", SortKey.AGE),)
_PORT_NUMBERS = (
    Column("ERR/s(1m)", errors_cell, 10, "right", SortKey.ERRORS),
    Column("dBm", light_cell, 5, "right", SortKey.LIGHT),
    *_VC_NUMBERS,
)


def _rates(bar: int, *, blocks: bool) -> tuple[Column, Column]:
    """The columns of both directions, with bars of ``bar`` cells."""

    def receive(row: Row) -> Text:
        return rate_cell(row.circuit.receive, row.circuit.receive_load, bar, blocks=blocks)

    def transmit(row: Row) -> Text:
        return rate_cell(row.circuit.transmit, row.circuit.transmit_load, bar, blocks=blocks)

    receive_title, transmit_title = "RECEIVE bit/s", "TRANSMIT bit/s"
    width, mark = rate_width(bar), 1  # A title has a mark while the table is sorted by its column.
    return (
        Column(receive_title, receive, max(width, len(receive_title) + mark), sort=SortKey.RECEIVE),
        Column(transmit_title, transmit, max(width, len(transmit_title) + mark), sort=SortKey.TRANSMIT),
    )


def _optional(kind: Kind, rows: Sequence[Row]) -> Iterator[Column]:
    """The columns for which a narrow screen has no room, the most important first."""
    circuits = [row.circuit for row in rows]
    if kind is Kind.VCS:  # Tells the two ends of a virtual circuit apart.
        yield _text_column("PORT VLAN", lambda circuit: f"{circuit.port} {circuit.vlan}".strip(), circuits)
    if any(circuit.name for circuit in circuits):
        yield _text_column("ID", lambda circuit: circuit.circuit, circuits)
    if len({circuit.account for circuit in circuits}) > 1:
        yield _text_column("ACCOUNT", lambda circuit: circuit.account, circuits)


def _text_column(title: str, text: Callable[[Circuit], str], circuits: Iterable[Circuit]) -> Column:
    return Column(title, lambda row: Text(text(row.circuit)), _longest(title, map(text, circuits)))


def _longest(title: str, texts: Iterable[str]) -> int:
    widths = (len(text) if text.isascii() else cell_len(text) for text in texts)
    return max([len(title), *widths])


def columns(kind: Kind, rows: Sequence[Row], width: int, *, bars: bool, blocks: bool) -> list[Column]:
    """The columns that fit into ``width`` cells; ``rows`` are all rows, so that scrolling moves no column.

    The numbers always have room; the rest goes to the start of the name, the optional columns that fit
    whole, the rest of the name, and the bars, in this order.
    """
    tail = _PORT_NUMBERS if kind is Kind.PORTS else _VC_NUMBERS
    bar = MIN_BAR if bars else 0
    names = _longest("NAME ", (row.circuit.name or row.circuit.circuit for row in rows))
    name = min(names, MIN_NAME)
    numbers = (*_HEAD, *_rates(bar, blocks=blocks), *tail)
    left = width - sum(column.width + 1 for column in numbers) - name
    reserved = min(names, READABLE_NAME) - name
    optional = []
    for column in _optional(kind, rows):
        if column.width + 1 <= left - reserved:
            optional.append(column)
            left -= column.width + 1
    grown = max(min(min(names, MAX_NAME) - name, left), 0)
    if bars:
        bar = min(bar + max(left - grown, 0) // 2, MAX_BAR)
    title = Column("NAME", title_cell, name + grown, sort=SortKey.NAME)
    return [title, *optional, *_HEAD, *_rates(bar, blocks=blocks), *tail]
