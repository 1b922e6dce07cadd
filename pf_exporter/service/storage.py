"""The store and the recorder that a configuration describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.config import Config
from pf_exporter.schema import Temporality
from pf_exporter.state import EVENT_SETTINGS, RowSink, Store

if TYPE_CHECKING:
    from pf_exporter.recording import RecordingWriter


def create_recorder(config: Config) -> RecordingWriter | None:
    """The writer of a recording; None if nothing is to be recorded."""
    record = config.record
    if not record.file:
        return None
    from pf_exporter.recording import RecordingWriter, redaction_for  # Few exporters record.

    hide = redaction_for(config.accounts) if record.redact else None
    return RecordingWriter(record.file, limit=record.limit, kept=record.kept, redaction=hide)


def delta_events(config: Config) -> list[str]:
    """The events whose counters are differences instead of running totals."""
    return [event for event, key in EVENT_SETTINGS.items() if config.value(key) is Temporality.DELTA]


def create_store(config: Config, sink: RowSink | None = None) -> Store:
    """An empty store for the configured accounts."""
    store = Store(
        ttl=config.series.ttl,
        limit=config.series.limit,
        delta=delta_events(config),
        sink=sink,
    )
    for account in config.accounts:
        store.add_account(account.name, account.series_limit)
    return store
