"""An event sink that prints events, then processes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pf_exporter.activity import ActivityCounter
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.state import AccountStats, Store
from pf_exporter.stream import EventProcessor
from pf_exporter.tail.event_printer import EventPrinter


class PrintingProcessor(EventProcessor):
    """The event sink of ``tail``: prints bytes and events, and processes them as the exporter does."""

    def __init__(
        self,
        printer: EventPrinter,
        store: Store,
        stats: AccountStats,
        *,
        activity: ActivityCounter,
        wall: Callable[[], float],
    ) -> None:
        super().__init__(store, stats, activity=activity, wall=wall)
        self._printer = printer
        self._account_name = stats.account

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Print the bytes of a stream."""
        for chunk in super().tap(chunks):
            self._printer.print_raw(chunk)
            yield chunk

    def process(self, event: ServerSentEvent) -> None:
        """Print an event, then process it."""
        self._printer.print_event(self._account_name, event)
        super().process(event)
