"""Events as lines of text, on a terminal and elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pf_exporter.tail.event_filter import EventFilter
from pf_exporter.tail.event_printer import EventPrinter, OutputFormat


@dataclass
class Frame:
    """An event as received."""

    event: str
    data: str


METRICS = Frame("port|metrics", json.dumps({"port_circuit_id": "PF-AP-LAX1-1", "bytes_rx_bps": 8000}))


class Terminal(io.StringIO):
    """Output that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


class ClosedPipe(io.StringIO):
    """Output whose reader has gone."""

    def write(self, text: str, /) -> int:
        """Fail, as a pipe does."""
        raise BrokenPipeError


def printer(
    out: io.StringIO,
    *,
    names: Callable[[str, str], str] = lambda account, circuit: "",
    output_format: OutputFormat = OutputFormat.TEXT,
    count: int | None = None,
    done: list[bool] | None = None,
) -> EventPrinter:
    ends = [] if done is None else done
    return EventPrinter(
        out.write,
        EventFilter(),
        lambda: ends.append(True),
        is_terminal=out.isatty(),
        output_format=output_format,
        count=count,
        names=names,
        wall=lambda: 0.0,
    )


def test_colors_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colors, unless NO_COLOR is set; a pipe gets none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, pipe, plain = Terminal(), io.StringIO(), Terminal()
    printer(terminal).print_event("east", METRICS)
    printer(pipe).print_event("east", METRICS)
    monkeypatch.setenv("NO_COLOR", "1")
    printer(plain).print_event("east", METRICS)
    assert "\x1b[1m8 kbit/s\x1b[0m" in terminal.getvalue()
    assert "\x1b" not in pipe.getvalue() + plain.getvalue()


def test_values_are_aligned_before_names_are_known() -> None:
    """Lines before and after the lists of names are read have their values in the same column."""
    out, names = io.StringIO(), {"PF-AP-LAX1-1": ""}
    events = printer(out, names=lambda account, circuit: names[circuit])
    events.print_event("east", METRICS)
    names["PF-AP-LAX1-1"] = "Los Angeles lab"
    events.print_event("east", METRICS)
    without, with_name = out.getvalue().splitlines()
    assert "Los Angeles lab" in with_name
    assert without.index("bytes_rx_bps") == with_name.index("bytes_rx_bps")


def test_raw_bytes_do_not_control_a_terminal() -> None:
    """A terminal gets raw bytes without control characters; a pipe gets them as received."""
    terminal, pipe = Terminal(), io.StringIO()
    for out in (terminal, pipe):
        printer(out, output_format=OutputFormat.RAW).print_raw(b"data: \x1b[2J\n\n")
    assert (terminal.getvalue(), pipe.getvalue()) == ("data: �[2J\n\n", "data: \x1b[2J\n\n")


def test_the_count_ends_the_output() -> None:
    """After as many events as asked for, ``on_done`` is called once and nothing more is printed."""
    out, done = io.StringIO(), list[bool]()
    events = printer(out, count=2, done=done)
    for _ in range(3):
        events.print_event("east", METRICS)
    assert (events.printed, out.getvalue().count("\n"), done) == (2, 2, [True])


def test_a_reader_that_has_gone_ends_the_output() -> None:
    """When the reader of the pipe has gone, ``on_done`` is called."""
    done: list[bool] = []
    printer(ClosedPipe(), done=done).print_event("east", METRICS)
    assert done == [True]
