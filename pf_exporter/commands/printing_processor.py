"""An event processor that also prints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from pf_exporter.commands.event_printer import EventPrinter
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.state import AccountStats, Store
from pf_exporter.stream import EventProcessor


class PrintingProcessor(EventProcessor):
    """Prints the bytes and events of one account on their way to the store."""

    def __init__(
        self,
        printer: EventPrinter,
        store: Store,
        stats: AccountStats,
        *,
        activity_fields: Collection[str],
        wall: Callable[[], float],
    ) -> None:
        super().__init__(store, stats, activity_fields=activity_fields, wall=wall)
        self._printer = printer

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Print the bytes of a stream."""
        for chunk in chunks:
            self._printer.print_raw(chunk)
            yield chunk

    def process(self, event: ServerSentEvent) -> None:
        """Print an event, then process it."""
        self._printer.print_event(self._account, event)
        super().process(event)
