"""Events as lines of text or JSON, or the bytes of the stream."""

from __future__ import annotations

import enum
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pf_exporter.errors import EventError
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.schema import EVENTS, ActivityLogEntry, Observation, decode, sanitize_label
from pf_exporter.tail.event_filter import EventFilter
from pf_exporter.tail.field_values import field_values

EVENT_WIDTH, CIRCUIT_WIDTH, NAME_WIDTH = 15, 24, 20
"""Characters of the columns; a longer name is cut, another longer value shifts the rest of its line."""

DATA_WIDTH = 200
"""Characters shown of data that cannot be decoded."""


class OutputFormat(enum.Enum):
    """The format of an event in the output."""

    TEXT = "text"
    JSON = "json"
    RAW = "raw"


class EventPrinter:
    """Prints the events that pass the filter, one line each.

    ``write`` writes text at once, and raises :class:`OSError`. ``names`` returns the description of a circuit
    by account and ID, or an empty text. ``on_done`` is called when ``count`` events are printed, or the
    reader of the output has closed it.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        event_filter: EventFilter,
        on_done: Callable[[], None],
        *,
        is_terminal: bool,
        output_format: OutputFormat,
        count: int | None,
        names: Callable[[str, str], str] = lambda account, circuit: "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._print = write
        self._is_terminal = is_terminal
        self._filter = event_filter
        self._on_done = on_done
        self._format = output_format
        self._count = count
        self._names = names
        self._wall = wall
        self._lock = threading.Lock()
        self._closed = False
        self._color = is_terminal and "NO_COLOR" not in os.environ
        self.printed = 0
        """Events printed so far."""

    def print_raw(self, chunk: bytes) -> None:
        """Print bytes as received, if that is the format; control characters only where no terminal reads."""
        if self._format is OutputFormat.RAW:
            text = chunk.decode(errors="replace")
            if self._is_terminal:
                text = "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)
            self._write(text, events=0)

    def print_event(self, account: str, frame: ServerSentEvent) -> None:
        """Print an event that passes the filter; several threads may call it."""
        if self._format is OutputFormat.RAW:
            self._write("", events=1)  # Its bytes are printed already.
            return
        if not self._filter.matches_event(frame.event):
            return
        event: Observation | ActivityLogEntry | None = None
        problem = ""
        try:
            event = decode(frame.event, frame.data)
        except EventError as exc:
            problem = str(exc)
        labels: dict[str, str] = {}
        if isinstance(event, Observation):
            labels = dict(zip(event.event.circuit, event.circuit, strict=True))
        ids = [value for label, value in labels.items() if label != "vlan"]
        name = self._names(account, ids[0]) if ids else ""
        if not self._filter.matches_circuit([*ids, name]):
            return
        if self._format is OutputFormat.JSON:
            self._print_json(account, frame, labels, name)
        elif isinstance(event, Observation):
            self._print_observation(event, frame.event, "&".join(filter(None, labels.values())), name)
        elif not self._filter.fields and not self._filter.circuits:
            if event is not None:
                self._print_line(frame.event, event.log_level, "", _activity_text(event))
            else:
                known = frame.event in EVENTS or bool(problem)
                data = f"{problem} {sanitize_label(frame.data[:DATA_WIDTH])}".strip()
                self._print_line(frame.event, "unusable" if known else "unknown event", "", data)

    def _print_observation(self, observation: Observation, event: str, circuit: str, name: str) -> None:
        values = list(field_values(observation, self._filter))
        if values or not self._filter.fields:
            text = "  ".join(f"{field} {self._paint('1', value)}" for field, value in values)
            self._print_line(event, circuit, name, text or "(all zero)")

    def _print_line(self, event: str, circuit: str, name: str, text: str) -> None:
        shown = name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"
        clock = time.strftime("%H:%M:%S", time.localtime(self._wall()))
        columns = (
            self._paint("2", clock),
            self._paint("36", f"{sanitize_label(event):<{EVENT_WIDTH}}"),
            self._paint("33", f"{sanitize_label(circuit):<{CIRCUIT_WIDTH}}"),
            f"{shown:<{NAME_WIDTH}}",
            text,
        )
        self._write("  ".join(columns) + "\n", events=1)

    def _print_json(self, account: str, frame: ServerSentEvent, labels: Mapping[str, str], name: str) -> None:
        try:
            data: Any = json.loads(frame.data)
        except (ValueError, RecursionError):
            data = frame.data
        if self._filter.fields:
            if not isinstance(data, dict):
                return
            data = {field: value for field, value in data.items() if self._filter.matches_field(field)}
            if not data:
                return
        line: dict[str, object] = {
            "at": round(self._wall(), 3),
            "account": account,
            "event": frame.event,
            **labels,
        }
        if name:
            line["name"] = name
        self._write(json.dumps({**line, "data": data}) + "\n", events=1)

    def _paint(self, color: str, text: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color and text.strip() else text

    def _write(self, text: str, *, events: int) -> None:
        with self._lock:
            if self._closed:
                return
            self.printed += events
            self._closed = self._count is not None and self.printed >= self._count
            try:
                self._print(text)
            except OSError:  # The reader of the pipe has gone.
                self._closed = True
            closed = self._closed
        if closed:
            self._on_done()


def _activity_text(entry: ActivityLogEntry) -> str:
    return " ".join(
        f"{field}={sanitize_label(value)}" for field, value in entry.details.items() if field != "timestamp"
    )
