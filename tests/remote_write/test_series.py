"""Rows and collected samples become series in order, with all labels, and end with stale markers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.samples import Sample

from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.series import Collected, RowItem, SeriesEncoder
from pf_exporter.schema import EVENTS
from pf_exporter.state import Row, Store
from tests.metrics.reference_collector import ReferenceCollector
from tests.remote_write.protocol import Decoded, decode, encode_request
from tests.remote_write.rows import ERRORS, METRICS, NOW, OPTICAL, VC_METRICS, expired, metrics_row

LABELS = {"job": "packetfabric", "instance": "host:10054", "Zone": "a"}
"""With one label before ``__name__`` and two behind it."""


@dataclass
class Encoding:
    """An encoder, and what it encoded last."""

    encoder: SeriesEncoder = field(default_factory=lambda: SeriesEncoder(LABELS, 7200.0))
    now: float = NOW

    def row(self, item: RowItem) -> list[Decoded] | Loss:
        """The samples of a row, or why it is lost."""
        series, ms, loss = self.encoder.row(item, round(self.now * 1000))
        samples = decode(b"".join(series))
        assert loss is not None or all(sample.ms <= ms for sample in samples)
        return samples if loss is None else loss

    def taken(self, item: RowItem) -> list[Decoded]:
        """The samples of a row that is not lost."""
        samples = self.row(item)
        assert isinstance(samples, list)
        return samples


def _row(
    event: Any,
    circuit: tuple[str, ...],
    values: tuple[float | None, ...],
    lanes: tuple[str, ...] = (),
    at: float = NOW,
) -> RowItem:
    return RowItem("east", event, circuit, Row(lanes, values, at, 0.0, at))


def _circuit(event: Any) -> tuple[str, ...]:
    return tuple(f"{name}-1" for name in event.circuit)


@pytest.mark.parametrize("name", EVENTS)
def test_same_as_on_the_page(name: str) -> None:
    """Names, labels and values of every event are those of /metrics, as protobuf encodes them."""
    event = EVENTS[name]
    lanes = ("0", "3") if event.has_lanes else ()
    width = len(event.fields) * max(len(lanes), 1)
    values = tuple(None if index == 2 else index * 1.5 for index in range(width))
    item = _row(event, _circuit(event), values, lanes)
    store = Store(ttl=60.0, limit=1000)
    rows = {"east": [(item.circuit, item.row)]}
    store.rows = lambda event: rows if event == name else {}  # type: ignore[method-assign]
    expected = [
        ({**LABELS, **sample.labels, "__name__": sample.name}, sample.value, round(NOW * 1000))
        for family in ReferenceCollector(store).collect()
        for sample in family.samples
        if not sample.name.endswith("last_event_timestamp_seconds") and sample.name != "packetfabric_series"
    ]
    series, _, _ = SeriesEncoder(LABELS, 7200.0).row(item, round(NOW * 1000))
    assert sorted(series) == sorted(encode_request(sample) for sample in expected)


def test_own_labels_win() -> None:
    """A label of the endpoint does not replace one that the series has itself."""
    encoder = SeriesEncoder({"account": "x", "port_circuit_id": "x", "job": "j"}, 7200.0)
    series, _, _ = encoder.row(metrics_row(), round(NOW * 1000))
    labels = decode(series[0])[0].labels
    assert (labels["account"], labels["port_circuit_id"], labels["job"]) == ("east", "PF-AP-LAX1-1", "j")


def test_missing_vlan() -> None:
    """The VLAN of an untagged circuit is no label."""
    circuit = ("PF-BC-1", "PF-AP-1", *[""] * (len(VC_METRICS.circuit) - 2))
    (first, *_) = Encoding().taken(_row(VC_METRICS, circuit, (1.0,) * len(VC_METRICS.fields)))
    assert set(first.labels) == {"__name__", "account", *VC_METRICS.circuit[:2], *LABELS}


@pytest.mark.parametrize(
    ("ahead", "loss"),
    [
        (0.0, None),
        (60.0, None),
        (61.0, Loss.IN_FUTURE),
        (-7200.0, None),
        (-7201.0, Loss.TOO_OLD),
        (-NOW, Loss.TOO_OLD),
        (4_400_000_000.0, Loss.IN_FUTURE),
    ],
)
def test_time_limits(ahead: float, loss: Loss | None) -> None:
    """Samples more than a minute ahead, or older than max_age, are lost and counted."""
    result = Encoding().row(metrics_row(at=NOW + ahead))
    assert result == loss if loss else isinstance(result, list)


def test_order() -> None:
    """A row that is not newer than the last one of its circuit is lost; other circuits are not affected."""
    encoding = Encoding()
    encoding.taken(metrics_row(at=NOW))
    assert encoding.row(metrics_row(2.0, at=NOW)) is Loss.OUT_OF_ORDER
    assert encoding.row(metrics_row(2.0, at=NOW - 1)) is Loss.OUT_OF_ORDER
    assert len(encoding.taken(metrics_row(at=NOW - 1, port="PF-AP-LAX1-2"))) == len(METRICS.fields)
    assert len(encoding.taken(metrics_row(at=NOW + 0.001))) == len(METRICS.fields)


def test_row_without_timestamp() -> None:
    """A row without a timestamp has the time of its arrival."""
    item = metrics_row()
    (first, *_) = Encoding().taken(item._replace(row=replace(item.row, timestamp=None, received_at=NOW - 5)))
    assert first.ms == round((NOW - 5) * 1000)


def test_expiry() -> None:
    """A circuit that expires ends its series a millisecond after their last samples; then it may return."""
    encoding = Encoding()
    item = metrics_row()
    names = {sample.name for sample in encoding.taken(item)}
    ended = encoding.taken(expired(item))
    assert {sample.name for sample in ended} == names
    assert all(sample.is_stale and sample.ms == round(NOW * 1000) + 1 for sample in ended)
    assert encoding.taken(expired(item)) == []
    assert len(encoding.taken(metrics_row(at=NOW + 0.01))) == len(names)


def test_vanished_values_and_lanes() -> None:
    """A value or a lane that the next event lacks ends its series."""
    encoding = Encoding()
    width = len(OPTICAL.fields)
    encoding.taken(_row(OPTICAL, ("PF-AP-1",), (1.0,) * (2 * width), ("0", "1")))
    gone = encoding.taken(_row(OPTICAL, ("PF-AP-1",), (None,) + (2.0,) * (width - 1), ("1",), NOW + 1))
    ended = [sample for sample in gone if sample.is_stale]
    assert [sample.labels["lane"] for sample in ended] == ["0"] * width + ["1"]
    assert len(gone) == 2 * width
    again = encoding.taken(_row(OPTICAL, ("PF-AP-1",), (None,) + (3.0,) * (width - 1), ("1",), NOW + 2))
    assert len(again) == width - 1
    assert not any(sample.is_stale for sample in again)


def test_end() -> None:
    """At the end every series that is open gets a stale marker, and no other."""
    encoding = Encoding()
    encoding.taken(metrics_row())
    encoding.taken(_row(ERRORS, ("PF-AP-1",), (0.0,) * len(ERRORS.fields)))
    encoding.taken(expired(metrics_row()))
    encoding.encoder.collected(Collected([Sample("up", {"a": "b"}, 1.0)], round(NOW * 1000)))
    ended = decode(b"".join(encoding.encoder.end()))
    assert all(sample.is_stale for sample in ended)
    assert {sample.name for sample in ended} == {*(f.name for f in ERRORS.fields.values()), "up"}
    assert encoding.encoder.end() == []


def test_collected_samples() -> None:
    """Collected samples have their time; those that are gone end; a time that is not newer is left out."""
    encoder = SeriesEncoder(LABELS, 7200.0)
    ms = round(NOW * 1000)
    both = [Sample("a", {"x": "1"}, 1.0), Sample("b", {}, float("nan")), Sample("a", {"x": "1"}, 2.0)]
    first = decode(b"".join(encoder.collected(Collected(both, ms))))
    assert [(sample.name, sample.ms) for sample in first] == [("a", ms), ("b", ms)]
    assert first[0].labels == {**LABELS, "__name__": "a", "x": "1"}
    assert not first[1].is_stale
    assert encoder.collected(Collected(both, ms - 1)) == []
    second = decode(b"".join(encoder.collected(Collected(both[:1], ms + 15_000))))
    assert [(sample.name, sample.is_stale) for sample in second] == [("a", False), ("b", True)]
