"""Samples of recordings."""

from __future__ import annotations

from pathlib import Path

from pf_exporter.backfill.recorded import RecordedSamples
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.recording.format import Mark, Record, encode, encode_header
from pf_exporter.schema.rate_unit import RateUnit
from tests.fakes import event

T = 1_790_000_040.0


def read(path: Path, records: list[Record], *delta: str, **changes: object) -> list[tuple[str, ...]]:
    """Return the names, labels and times of the samples."""
    path.write_bytes(encode_header(T, redacted=False) + b"".join(map(encode, records)))
    request = BackfillRequest("x", T, T + 3600, **changes)  # type: ignore[arg-type]
    return [
        (family.name, *labels, f"{at - T:g}")
        for samples in RecordedSamples(str(path), request, delta, RateUnit.BITS).read()
        for family, labels, at, _ in samples
    ]


def frame(port: str, **fields: object) -> bytes:
    return event("port|metrics", {"port_circuit_id": port, "bytes_rx_total": 5, **fields})


def test_torn_frames(tmp_path: Path) -> None:
    """A frame in pieces is put together; what a stream left unfinished is forgotten at its end."""
    whole = frame("p")
    records = [
        Record(T, "a", whole[:30]),
        Record(T, "b", whole[:10]),
        Record(T + 1, "a", whole[30:]),
        Record(T + 2, "b", mark=Mark.ENDED),
        Record(T + 3, "b", frame("q")),
        Record(T + 4, "b", event("port|metrics", "no object")),
    ]
    total = "packetfabric_port_receive_bytes_total"
    assert read(tmp_path / "r", records) == [(total, "a", "p", "1"), (total, "b", "q", "3")]


def test_times_and_circuits(tmp_path: Path) -> None:
    """Only events of the times and circuits that are asked for, by their own time."""
    records = [
        Record(T, "a", frame("p", timestamp="2026-09-21T14:14:10Z")),
        Record(T, "a", frame("p", timestamp="2026-09-21T15:14:10Z")),
        Record(T + 20, "a", frame("q-PF")),
        Record(T + 20, "a", frame("r")),
    ]
    times = {"a": (TimeSpan(T, T + 60),)}
    found = read(tmp_path / "r", records, gaps=times, circuits=("p", "q"))
    assert [(port, at) for _, _, port, at in found] == [("p", "10"), ("q-PF", "20")]


def test_deltas(tmp_path: Path) -> None:
    """Counters whose events carry differences are left out: their totals depend on the exporter's start."""
    fields = {"port_circuit_id": "p", "rx_drop": 1}
    records = [Record(T, "a", event("port|errors", fields)), Record(T, "a", frame("p"))]
    assert len(read(tmp_path / "r", records)) == 2
    assert [name for name, *_ in read(tmp_path / "r", records, "port|errors")] == [
        "packetfabric_port_receive_bytes_total"
    ]


def test_rates_in_bytes(tmp_path: Path) -> None:
    """With units.rates "bytes" rates are what the events say, and totals, too."""
    records = [Record(T, "a", frame("p", bytes_rx_bps=800))]
    path = tmp_path / "r"
    path.write_bytes(encode_header(T, redacted=False) + b"".join(map(encode, records)))
    recorded = RecordedSamples(str(path), BackfillRequest("x", T, T + 60), (), RateUnit.BYTES)
    assert sorted(value for samples in recorded.read() for *_, value in samples) == [5, 800]


def test_lanes(tmp_path: Path) -> None:
    """Each lane of an optical module is a series."""
    data = {"port_circuit_id": "p"} | {f"lane_{lane}_rx_dbm": -lane for lane in (1, 2)}
    found = read(tmp_path / "r", [Record(T, "a", event("port|optical", data))])
    assert [(port, lane) for _, _, port, lane, _ in found] == [("p", "1"), ("p", "2")]
