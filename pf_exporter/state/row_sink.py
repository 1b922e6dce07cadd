"""What takes each row that the store writes, as a Protocol."""

from __future__ import annotations

from typing import Protocol

from pf_exporter.schema import EventType
from pf_exporter.state.table import Row


class RowSink(Protocol):
    """Takes rows in the order in which they are stored."""

    def write_row(self, account: str, event: EventType, circuit: tuple[str, ...], row: Row) -> None:
        """Take a row, which is never changed later; one without values has expired or was removed.

        Called with the store locked: it must not wait, and must not call the store.
        """
