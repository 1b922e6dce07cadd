"""The text of a table's cells: rates, bars, errors, ages."""

from __future__ import annotations

from rich.text import Text

from pf_exporter.formatting import NO_VALUE, duration, si
from pf_exporter.top.circuit import State
from pf_exporter.top.table import Row

HIGH, VERY_HIGH = 0.7, 0.9
"""Shares of the speed above which a bar is yellow, red; the alert on utilization also starts at 0.9."""

_STYLES = {State.DOWN: "bold red", State.NO_DATA: "bold yellow", State.DISABLED: "dim", State.UP: "green"}
_EIGHTHS = " ▏▎▍▌▋▊▉"


def state_cell(row: Row) -> Text:
    """The state, in the colour of its urgency."""
    return Text(row.state.value, _STYLES[row.state])


def title_cell(row: Row) -> Text:
    """The name, or the ID of a circuit without a name."""
    return Text(row.circuit.name) if row.circuit.name else Text(row.circuit.circuit, "italic")


def short(number: float | None, *, zeros: bool = False) -> str:
    """A number with an SI prefix and without a unit; with ``zeros`` always with three digits.

    >>> short(1.25e9), short(1e9), short(1e9, zeros=True), short(0.0), short(None)
    ('1.25G', '1G', '1.00G', '0', '–')
    """
    if number is None:
        return NO_VALUE
    return "0" if number < 0.5 else si(number, "", zeros=zeros).replace(" ", "")


def bar(load: float, width: int, *, blocks: bool) -> str:
    """A bar of ``width`` cells for a share between 0 and 1.

    >>> bar(0.55, 4, blocks=True), bar(0.55, 4, blocks=False)
    ('██▎ ', '##  ')
    """
    eighths = round(min(max(load, 0.0), 1.0) * width * 8)
    if load > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    if not blocks:
        return ("#" * full).ljust(width)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def rate_width(bar: int) -> int:
    """The width of a rate and its share, with a bar of so many cells, or without one if 0."""
    return len("1.25G") + (bar + 1 if bar else 0) + len(" 100%")


def rate_cell(bits: float | None, load: float | None, width: int, *, blocks: bool) -> Text:
    """A rate, its share of the speed as a bar of ``width`` cells (none if 0), and in percent."""
    text = Text(f"{short(bits, zeros=True):>5}")
    if load is None:
        return text.append(" " * (rate_width(width) - len(text)))
    style = "red" if load > VERY_HIGH else "yellow" if load > HIGH else "cyan"
    if width:
        text.append(" ").append(bar(load, width, blocks=blocks), f"{style} on grey23" if blocks else style)
    return text.append(f"{min(load, 9.99) * 100:4.0f}%", style if load > HIGH else "")


def errors_cell(row: Row) -> Text:
    """Errors per second and, in parentheses, those of the last minute."""
    if row.errors is None:
        return Text(NO_VALUE, "dim")
    if not row.errors.last_minute:
        return Text("0", "dim")
    return Text(f"{_coarse(row.errors.per_second)} ({_coarse(row.errors.last_minute)})", "red")


def _coarse(number: float) -> str:
    if number < 10:
        return f"{number:.2g}"
    size, prefix = next((row for row in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if number >= row[0]), (1.0, ""))
    return f"{number / size:.0f}{prefix}"


def light_cell(row: Row) -> Text:
    """Optical power in dBm."""
    return Text(NO_VALUE, "dim") if row.circuit.light is None else Text(f"{row.circuit.light:.1f}")


def age_cell(row: Row) -> Text:
    """Seconds, minutes, hours or days since the last event."""
    if row.age is None:
        return Text(NO_VALUE, "dim")
    age = duration(row.age).replace(" ", "").replace("min", "m")
    return Text(age, "yellow" if row.state is State.NO_DATA else "")
