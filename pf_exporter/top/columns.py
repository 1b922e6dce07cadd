"""The columns of the table, and how wide each is on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

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
from pf_exporter.top.circuit import Kind
from pf_exporter.top.table import Row, SortKey

MIN_NAME, READABLE_NAME, MAX_NAME = 13, 24, 48
MIN_BAR, MAX_BAR = 3, 24


class Cell(Protocol):
    """Makes the text of a cell."""

    def __call__(self, row: Row, bar: int, blocks: bool, /) -> Text:
        """The text; ``bar`` is the width of its bar."""


class Column(NamedTuple):
    """One column."""

    title: str
    cell: Cell
    width: int
    justify: Literal["left", "right"] = "left"
    sort: SortKey | None = None
    bar: int = 0


def _name(row: Row, bar: int, blocks: bool) -> Text:
    return title_cell(row.circuit)


def _id(row: Row, bar: int, blocks: bool) -> Text:
    return Text(row.circuit.circuit)


def _end(row: Row, bar: int, blocks: bool) -> Text:
    circuit = row.circuit
    return Text(f"{circuit.port} {circuit.vlan}".strip())


def _account(row: Row, bar: int, blocks: bool) -> Text:
    return Text(row.circuit.account)


def _state(row: Row, bar: int, blocks: bool) -> Text:
    return state_cell(row)


def _speed(row: Row, bar: int, blocks: bool) -> Text:
    return Text(short(row.circuit.capacity))


def _receive(row: Row, bar: int, blocks: bool) -> Text:
    return rate_cell(row.circuit.receive, row.circuit.receive_load, bar, blocks=blocks)


def _transmit(row: Row, bar: int, blocks: bool) -> Text:
    return rate_cell(row.circuit.transmit, row.circuit.transmit_load, bar, blocks=blocks)


def _errors(row: Row, bar: int, blocks: bool) -> Text:
    return errors_cell(row)


def _light(row: Row, bar: int, blocks: bool) -> Text:
    return light_cell(row.circuit)


def _age(row: Row, bar: int, blocks: bool) -> Text:
    return age_cell(row)


_HEAD = (Column("STATE", _state, 8, sort=SortKey.STATE), Column("SPEED", _speed, 5, "right"))
_VC_NUMBERS = (Column("AGE", _age, 4, "right", SortKey.AGE),)
_PORT_NUMBERS = (
    Column("ERR/s(1m)", _errors, 10, "right", SortKey.ERRORS),
    Column("dBm", _light, 5, "right", SortKey.LIGHT),
    *_VC_NUMBERS,
)


def _optional(kind: Kind, rows: Sequence[Row]) -> Iterator[Column]:
    """The columns for which a narrow screen has no room, the most important first."""
    circuits = [row.circuit for row in rows]
    if kind is Kind.VCS:  # Tells the two ends of a virtual circuit apart.
        ends = (f"{circuit.port} {circuit.vlan}" for circuit in circuits)
        yield Column("PORT VLAN", _end, _longest("PORT VLAN", ends))
    if any(circuit.name for circuit in circuits):
        yield Column("ID", _id, _longest("ID", (circuit.circuit for circuit in circuits)))
    accounts = {circuit.account for circuit in circuits}
    if len(accounts) > 1:
        yield Column("ACCOUNT", _account, _longest("ACCOUNT", accounts))


def _longest(title: str, texts: Iterable[str]) -> int:
    widths = (len(text) if text.isascii() else cell_len(text) for text in texts)
    return max([len(title), *widths])


def columns(kind: Kind, rows: Sequence[Row], width: int, *, bars: bool) -> list[Column]:
    """The columns that fit into ``width`` cells; ``rows`` are all rows, so that scrolling moves no column.

    The numbers always have room; the rest goes to the start of the name, the optional columns that fit
    whole, the rest of the name, and the bars, in this order.
    """
    tail = _PORT_NUMBERS if kind is Kind.PORTS else _VC_NUMBERS
    bar = MIN_BAR if bars else 0
    names = _longest("NAME ", (row.circuit.name or row.circuit.circuit for row in rows))
    name = min(names, MIN_NAME)
    numbers = sum(column.width + 1 for column in (*_HEAD, *tail)) + 2 * (rate_width(bar) + 1)
    left = width - numbers - name
    reserved = min(names, READABLE_NAME) - name
    optional = []
    for column in _optional(kind, rows):
        if column.width + 1 <= left - reserved:
            optional.append(column)
            left -= column.width + 1
    grown = max(min(min(names, MAX_NAME) - name, left), 0)
    left -= grown
    if bars:
        bar = min(bar + max(left, 0) // 2, MAX_BAR)
    rate = rate_width(bar)
    return [
        Column("NAME", _name, name + grown, sort=SortKey.NAME),
        *optional,
        *_HEAD,
        Column("RX bit/s", _receive, rate, "left", SortKey.RECEIVE, bar),
        Column("TX bit/s", _transmit, rate, "left", SortKey.TRANSMIT, bar),
        *tail,
    ]
