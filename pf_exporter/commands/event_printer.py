"""Events as lines for a person or a program."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TextIO

from pf_exporter.errors import EventError
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.schema import (
    EVENTS,
    ActivityLogEntry,
    Observation,
    canonical_id,
    decode,
    sanitize_label,
    unit,
)

CIRCUIT_WIDTH, NAME_WIDTH = 24, 20
"""Characters of the columns; what is longer moves the rest of its line."""

_PREFIXES = (
    (1e18, "E"),
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
)
_SIGNS = {
    "bytes_per_second": "bit/s",
    "packets_per_second": "packets/s",
    "bytes": "B",
    "watts": "W",
    "amperes": "A",
}


def quantity(number: float, metric: str) -> str:
    """A field's number in the unit of its metric, as people read it; ``number`` is the metric's.

    >>> quantity(1.5e8, "packetfabric_port_receive_bytes_per_second")
    '1.2 Gbit/s'
    >>> quantity(12345.0, "packetfabric_port_receive_runts_total")
    '12,345'
    """
    sign = unit(metric)
    if sign == "dbm":
        return f"{number:.2f} dBm"
    if sign not in _SIGNS:
        return f"{number:,.0f}" if number.is_integer() else f"{number:,.6g}"
    if sign == "bytes_per_second":
        number *= 8
    size, prefix = next(((size, name) for size, name in _PREFIXES if abs(number) >= size), (1.0, ""))
    return f"{number / size:.4g} {prefix}{_SIGNS[sign]}"


@dataclass(frozen=True)
class Filters:
    """Which events and fields are shown; patterns as of file names, and nothing means everything."""

    events: Sequence[str] = ()
    circuits: Sequence[str] = ()
    fields: Sequence[str] = ()
    zeros: bool = False

    def wants_event(self, name: str) -> bool:
        """By its name."""
        return not self.events or any(fnmatchcase(name, pattern) for pattern in self.events)

    def wants_circuit(self, names: Sequence[str]) -> bool:
        """By the ids and the description of its circuit."""
        known = [*names, *map(canonical_id, names)]
        return not self.circuits or any(
            fnmatchcase(name, pattern) for name in known for pattern in self.circuits
        )

    def wants_field(self, name: str) -> bool:
        """By the name the API gives it."""
        return not self.fields or any(fnmatchcase(name, pattern) for pattern in self.fields)


def _numbers(said: Observation, filters: Filters) -> Iterator[tuple[str, str]]:
    fields = said.event.fields
    names = [name.replace("_N_", f"_{lane}_") for lane in said.lanes for name in fields] or list(fields)
    families = list(fields.values()) * max(len(said.lanes), 1)
    for name, family, value in zip(names, families, said.values, strict=True):
        if (
            value is not None
            and filters.wants_field(name)
            and (value or filters.zeros or name in filters.fields)
        ):
            yield name, quantity(value / family.divisor, family.name)


class EventPrinter:
    """Shows events, each as a line; ``closed`` is called when nobody reads any more, or there are enough.

    ``names`` gives the description of an account's circuit, or nothing. One event at a time.
    """

    def __init__(
        self,
        out: TextIO,
        filters: Filters,
        closed: Callable[[], None],
        *,
        form: str = "text",
        count: int | None = None,
        names: Callable[[str, str], str] = lambda account, circuit: "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._out = out
        self._filters = filters
        self._closed = closed
        self._form = form
        self._left = count
        self.names = names
        self._wall = wall
        self._lock = threading.Lock()
        self._over = False
        self._coloured = out.isatty() and "NO_COLOR" not in os.environ
        self.shown = 0

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and text.strip() else text

    def _write(self, text: str, *, counts: bool = True) -> None:
        with self._lock:
            if self._over:
                return
            try:
                self._out.write(text)
                self._out.flush()
            except OSError:  # `| head` has had enough
                self._over = True
            if counts:
                self.shown += 1
            self._over = self._over or (self._left is not None and self.shown >= self._left)
            over = self._over
        if over:
            self._closed()

    def raw(self, chunk: bytes) -> None:
        """Show bytes as they were received; on a terminal without what would command it."""
        if self._form == "raw":
            text = chunk.decode(errors="replace")
            if self._out.isatty():
                text = "".join(one if one.isprintable() or one in "\n\t" else "�" for one in text)
            self._write(text, counts=False)

    def event(self, account: str, frame: ServerSentEvent) -> None:
        """Show an event, where it is wanted."""
        if self._form == "raw":
            self._write("")  # its bytes are there already; it counts
            return
        if not self._filters.wants_event(frame.event):
            return
        try:
            said = decode(frame.event, frame.data)
            problem = ""
        except EventError as exc:
            said, problem = None, str(exc)
        circuit = {}
        if isinstance(said, Observation):
            circuit = dict(zip(said.event.circuit, said.circuit, strict=True))
        ids = [value for key, value in circuit.items() if key != "vlan"]
        name = self.names(account, ids[0]) if ids else ""
        if not self._filters.wants_circuit([*ids, name]):
            return
        if self._form == "json":
            self._json(account, frame, circuit, name)
        elif isinstance(said, Observation):
            numbers = list(_numbers(said, self._filters))
            if numbers or not self._filters.fields:
                shown = "  ".join(f"{key} {self._paint('1', value)}" for key, value in numbers)
                self._line(frame.event, "&".join(filter(None, circuit.values())), name, shown or "(all zero)")
        elif not self._filters.fields and not self._filters.circuits:
            self._line(frame.event, *self._other(said, frame, problem))

    @staticmethod
    def _other(said: ActivityLogEntry | None, frame: ServerSentEvent, problem: str) -> tuple[str, str, str]:
        if said is not None:
            told = " ".join(
                f"{key}={sanitize_label(value)}" for key, value in said.details.items() if key != "timestamp"
            )
            return said.log_level, "", told
        known = frame.event in EVENTS or problem
        return (
            ("unusable" if known else "unknown event"),
            "",
            f"{problem} {sanitize_label(frame.data[:200])}".strip(),
        )

    def _line(self, event: str, circuit: str, name: str, shown: str) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(self._wall()))
        parts = (
            self._paint("2", clock),
            self._paint("36", f"{sanitize_label(event):<15}"),
            self._paint("33", f"{sanitize_label(circuit):<{CIRCUIT_WIDTH}}"),
            f"{name[:NAME_WIDTH]:<{NAME_WIDTH}}" if name else "",
            shown,
        )
        self._write("  ".join(filter(None, parts)) + "\n")

    def _json(self, account: str, frame: ServerSentEvent, circuit: Mapping[str, str], name: str) -> None:
        try:
            data: Any = json.loads(frame.data)
        except (ValueError, RecursionError):
            data = frame.data
        if self._filters.fields:
            if not isinstance(data, dict):
                return
            data = {key: value for key, value in data.items() if self._filters.wants_field(key)}
            if not data:
                return
        said = {"at": round(self._wall(), 3), "account": account, "event": frame.event, **circuit}
        self._write(json.dumps({**said, **({"name": name} if name else {}), "data": data}) + "\n")
