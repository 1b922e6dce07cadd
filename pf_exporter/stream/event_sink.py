"""What a reader does with a stream, as a Protocol: commands bring their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pf_exporter.errors import EventError
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.recording import Mark


class EventSink(Protocol):
    """Receives the bytes and the events of one account's streams, on one thread at a time."""

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a stream unchanged; a sink can look at them on their way to the parser."""

    def mark(self, mark: Mark) -> None:
        """Note a step of a rotation."""

    def process(self, event: ServerSentEvent) -> None:
        """Process an event."""

    def reject(self, error: EventError) -> None:
        """Count an event that the parser left out."""
