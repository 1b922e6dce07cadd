"""Reads the labels of series and the gaps of streams from a running exporter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import Rejected
from pf_exporter.metrics import parse_samples
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    CONNECTION_HISTORY,
    PORT_HISTORY,
    VC_HISTORY,
    CircuitEnd,
    canonical_id,
)
from pf_exporter.scrape import ScrapeTarget, fetch_page

GAPS_PATH = "/-/gaps"

_FAMILIES = frozenset(
    column.family.name
    for resource in (*PORT_HISTORY, *VC_HISTORY, *CONNECTION_HISTORY)
    for column in resource.columns
)


class ExportedLabels:
    """The labels of circuits as an exporter shows them; without any, those of the API's lists."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        """By account and canonical ID."""
        self._ends: dict[tuple[str, str, str], list[CircuitEnd]] = {}
        """By account and the canonical IDs of circuit and port."""

    def add(self, labels: Mapping[str, str]) -> None:
        """Add the labels of a series."""
        account, port = labels.get("account", ""), labels.get("port_circuit_id", "")
        if "vc_circuit_id" in labels:
            end = CircuitEnd(labels["vc_circuit_id"], port, labels.get("vlan", ""))
            ends = self._ends.setdefault((account, canonical_id(end.vc_circuit_id), canonical_id(port)), [])
            if end not in ends:
                ends.append(end)
        else:
            circuit = port or labels.get(CLOUD_ROUTER_CONNECTIONS.key, "")
            self._ids.setdefault((account, canonical_id(circuit)), circuit)

    def circuit_id(self, account: str, circuit: str) -> str:
        """Return the ID of a port or connection as exported."""
        return self._ids.get((account, canonical_id(circuit)), circuit)

    def end(self, account: str, end: CircuitEnd) -> CircuitEnd:
        """Return the end of a virtual circuit as exported; of several VLANs, that of the list."""
        key = (account, canonical_id(end.vc_circuit_id), canonical_id(end.port_circuit_id))
        exported = self._ends.get(key, [end])
        return next((one for one in exported if one.vlan == end.vlan), exported[0])


class RunningExporter(NamedTuple):
    """An exporter whose pages can be read; the methods raise :class:`~pf_exporter.errors.ApiError`."""

    target: ScrapeTarget

    def labels(self) -> ExportedLabels:
        """Return the labels on its page of metrics."""
        page = fetch_page(self.target, self.target.path, self.target.context())
        exported = ExportedLabels()
        try:
            for sample in parse_samples(page.text, page.headers.get("content-type", ""), _FAMILIES):
                exported.add(sample.labels)
        except ValueError as exc:
            raise Rejected(f"{self.target.page}: not a page of metrics: {exc}") from None
        return exported

    def gaps(self) -> dict[str, tuple[TimeSpan, ...]]:
        """Return the gaps since its start, by account."""
        where = self.target.at(GAPS_PATH)
        try:
            accounts = json.loads(fetch_page(self.target, GAPS_PATH, self.target.context()).text)
            return {
                account: tuple(TimeSpan(float(gap["start"]), float(gap["end"])) for gap in gaps)
                for account, gaps in accounts.items()
            }
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Rejected(f"{where}: not a list of gaps; is it an older pf_exporter?") from None
