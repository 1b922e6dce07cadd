"""Readings from the streams of this process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pf_exporter.schema import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT
from pf_exporter.state import AccountStats, ErrorRecord, Row, Store, StreamState
from pf_exporter.top.builder import FAMILIES, CircuitBuilder
from pf_exporter.top.circuit import STREAMING, Reading

if TYPE_CHECKING:
    from pf_exporter.service import AccountPipeline

_Rows = Mapping[str, list[tuple[tuple[str, ...], Row]]]


class StreamSource:
    """Reads a store and the inventories of its accounts, which are polled if ``polled`` is true."""

    def __init__(
        self,
        store: Store,
        pipelines: Mapping[str, AccountPipeline],
        *,
        polled: bool,
    ) -> None:
        self._polled = polled
        self._store = store
        self._pipelines = pipelines
        self._serial = 0

    def read(self) -> Reading:
        """The present values."""
        builder = CircuitBuilder()
        for event in EVENTS:
            self._add_event(builder, event, self._store.rows(event))
        for account, pipeline in self._pipelines.items():
            for resource, circuit_id, samples in pipeline.inventory.samples():
                for family, numbers in samples.items():
                    if family in FAMILIES:
                        names = resource.labels if family == resource.info.name else ()
                        for values, number in numbers:
                            labels = {"account": account, resource.key: circuit_id}
                            builder.add(family, {**dict(zip(names, values, strict=False)), **labels}, number)
        self._serial += 1
        errors = dict(self._errors())
        return Reading(
            tuple(builder.build()),
            {account: _stream_state(pipeline.stats) for account, pipeline in self._pipelines.items()},
            at=time.time(),
            serial=self._serial,
            problem="; ".join(f"{account}: {error.message}" for account, error in errors.items()),
            remedy=" ".join(dict.fromkeys(error.reason.remedy for error in errors.values())),
            has_inventory=not self._polled
            or all(pipeline.inventory.snapshot.at is not None for pipeline in self._pipelines.values()),
        )

    def _add_event(self, builder: CircuitBuilder, name: str, rows: _Rows) -> None:
        event = EVENTS[name]
        of_vc = name.startswith("vc|")
        last_event = VC_LAST_EVENT if of_vc else PORT_LAST_EVENT
        width = len(event.fields)
        wanted = [
            (column, spec.name, spec.divisor)
            for column, spec in enumerate(event.fields.values())
            if spec.name in FAMILIES
        ]
        for account, circuits in rows.items():
            for circuit, row in circuits:
                samples = [(last_event, row.received_at)]
                for column, family, divisor in wanted:
                    for value in row.values[column::width]:  # one per lane
                        if value is not None:
                            samples.append((family, value / divisor))  # noqa: PERF401 (slower, and harder to read)
                labels = {"account": account, **dict(zip(event.circuit, circuit, strict=True))}
                builder.add_numbers(labels, samples, of_vc=of_vc)

    def _errors(self) -> Iterator[tuple[str, ErrorRecord]]:
        """Why streams do not deliver events, by account."""
        for account, pipeline in self._pipelines.items():
            errors = pipeline.stats.history.errors.records()
            if errors and not pipeline.stats.up:
                yield account, errors[-1]


def _stream_state(stats: AccountStats) -> str:
    if stats.up:
        return STREAMING
    return "no data yet" if stats.state is StreamState.STREAMING else stats.state.value
