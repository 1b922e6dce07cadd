"""How events are stored, counted and logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from pf_exporter.activity.counter import ActivityCounter
from pf_exporter.config.accounts import Account
from pf_exporter.config.log_settings import LOGGABLE_FIELDS
from pf_exporter.config.secrets import Secret
from pf_exporter.errors import TooLarge
from pf_exporter.recording.format import Mark
from pf_exporter.recording.reader import read
from pf_exporter.recording.writer import RecordingWriter
from pf_exporter.schema.rate_unit import RateUnit
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor
from tests.state.harness import Clock

METRICS = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


class Event(NamedTuple):
    event: str
    data: str


def event(name: str, data: object) -> Event:
    return Event(name, data if isinstance(data, str) else json.dumps(data))


class Harness:
    """A processor with a store, statistics, and a clock that tests set."""

    def __init__(self, limit: int = 1000) -> None:
        self.clock = Clock(1_632_342_875.0)
        self.store = Store(ttl=600, limit=limit, clock=self.clock)
        self.store.add_account("default")
        account = Account(token=Secret("x"))
        self.stats = AccountStats(account, idle_timeout=1, clock=self.clock)
        self.processor = EventProcessor(self.store, self.stats, wall=self.clock)


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_every_activity_field_can_be_logged(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """Each field that log.activity_fields allows is in the log."""
    caplog.set_level("INFO", "pf_exporter")
    processor = EventProcessor(
        harness.store, harness.stats, activity=ActivityCounter(harness.stats, fields=LOGGABLE_FIELDS)
    )
    data = {name: "info" if name == "log_level" else f"some {name}" for name in LOGGABLE_FIELDS}
    processor.process(event("customer|auth", data))
    (record,) = caplog.records
    fields = record.fields  # type: ignore[attr-defined]
    assert fields == {"account": "default", **data, "category": "auth"}


def test_observation_is_stored_and_counted(harness: Harness) -> None:
    """An observation changes the store, the counters, the freshness and the lag."""
    harness.processor.process(event("port|metrics", METRICS))
    assert harness.store.series()["default"] == 2
    ((_, row),) = harness.store.rows("port|metrics")["default"]
    assert row.received_at == harness.clock.now
    assert harness.stats.events["port|metrics"] == 1
    assert harness.stats.last_event == {"port|metrics": harness.clock.now}
    assert harness.stats.lag_sum == 5.0


@pytest.mark.parametrize(
    ("timestamp", "lag"), [("0001-01-01T00:00:00Z", 86_400.0), ("9999-12-31T23:59:59Z", 0)]
)
@pytest.mark.parametrize(
    ("name", "data"), [("port|metrics", METRICS), ("customer|auth", {"log_level": "info", "event": "login"})]
)
def test_implausible_timestamp(
    harness: Harness, name: str, data: dict[str, object], timestamp: str, lag: float
) -> None:
    """One timestamp of the year 1 or 9999 does not spoil the lag: it counts as a day, or as none."""
    harness.processor.process(event(name, {**data, "timestamp": timestamp}))
    assert (harness.stats.lag_sum, sum(harness.stats.lags)) == (lag, 1)
    assert harness.stats.last_event == {name: harness.clock.now}


def test_activity_is_counted_by_category_and_level(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    """Activity log entries are counted; user, address and message stay out of the log."""
    data = {
        "log_level": "warning",
        "event": "login",
        "user": "canary",
        "ip_address": "canary",
        "message": "canary",
    }
    with caplog.at_level("DEBUG"):
        harness.processor.process(event("customer|auth", data))
    assert harness.stats.activity["auth", "warning"] == 1
    assert "canary" not in str([vars(record) for record in caplog.records])
    assert caplog.records[0].__dict__["fields"]["event"] == "login"


def test_configured_activity_fields(caplog: pytest.LogCaptureFixture) -> None:
    """With log.activity_fields exactly the configured fields are logged."""
    harness = Harness()
    activity = ActivityCounter(harness.stats, fields=("user", "category"))
    processor = EventProcessor(harness.store, harness.stats, activity=activity)
    with caplog.at_level("INFO", "pf_exporter"):
        processor.process(event("customer|auth", {"log_level": "info", "user": "hank", "message": "canary"}))
    fields = caplog.records[0].__dict__["fields"]
    assert fields == {"account": "default", "user": "hank", "category": "auth"}


def test_undocumented_names_share_a_label(harness: Harness) -> None:
    """With any number of names the series stay few: 'other' counts those that are not documented."""
    for number in range(100):
        harness.processor.process(event(f"port|weather{number}", {}))
        harness.processor.process(event(f"customer|weather{number}", {"log_level": "info"}))
    assert harness.stats.events["other"] == 200
    assert harness.stats.activity["other", "info"] == 100
    assert len(harness.stats.events) == 22


def test_unusable_events_are_counted(harness: Harness) -> None:
    """Unusable events are counted by reason and do not count as fresh; the next event is stored."""
    harness.processor.process(event("port|metrics", "{"))
    harness.processor.process(event("port|metrics", {"bytes_rx_total": 5}))
    harness.processor.process(event("port|metrics", "[" * 100_000))
    harness.processor.reject(TooLarge("an event above the limit"))
    assert harness.stats.last_event == {}
    harness.processor.process(event("port|metrics", METRICS))
    rejected = {reason: count for reason, count in harness.stats.rejected.items() if count}
    assert rejected == {"not_json": 1, "no_circuit_id": 1, "too_deep": 1, "too_large": 1}
    assert harness.store.series()["default"] == 2


@pytest.mark.parametrize(
    ("name", "fields", "counted"),
    [
        ("port|metrics", {"rx_bytes": 7, "tx_bytes": 7}, (0, 2)),
        ("port|metrics", {"bytes_rx_total": {"value": 7}}, (1, 0)),
        ("port|optical", {"lane_0_receive_dbm": -2.5}, (0, 1)),
        ("port|optical", {"lanes": [{"rx_dbm": -2.5}]}, (0, 1)),
    ],
)
def test_an_event_without_usable_values(
    harness: Harness, name: str, fields: dict[str, object], counted: tuple[int, int]
) -> None:
    """If the API renames all fields of an event, it is rejected, and neither event nor port is fresh."""
    harness.processor.process(event(name, {"port_circuit_id": "PF-AP-1"}))
    before = harness.store.rows(name)
    start, harness.clock.now = harness.clock.now, harness.clock.now + 60
    harness.processor.process(event(name, {"port_circuit_id": "PF-AP-1", **fields}))
    assert harness.stats.rejected["no_values"] == 1
    assert (harness.stats.fields_rejected[name], harness.stats.fields_unknown[name]) == counted
    assert len(harness.stats.unknown_fields.snapshot()) == counted[1]
    assert harness.stats.last_event == {name: start}
    assert harness.store.rows(name) == before


def test_an_event_with_empty_and_new_fields(harness: Harness) -> None:
    """A field that the API adds does not make an event without measurements, as of a LAG, an unusable one."""
    data = {"port_circuit_id": "PF-AE-1", "rx_drop": None, "rx_new": 7}
    harness.processor.process(event("port|errors", data))
    assert sum(harness.stats.rejected.values()) == 0
    assert harness.stats.last_event == {"port|errors": harness.clock.now}


def test_unusable_and_unknown_fields_are_counted(harness: Harness) -> None:
    """An unusable field and an unknown one do not affect the others."""
    harness.processor.process(
        event("port|metrics", {**METRICS, "packets_rx_total": "many", "colour": "blue"})
    )
    assert harness.stats.fields_rejected["port|metrics"] == 1
    assert harness.stats.fields_unknown["port|metrics"] == 1
    assert harness.store.series()["default"] == 2


def test_old_samples_and_resets_are_counted(harness: Harness) -> None:
    """A repeated sample, an older one, and a counter reset are counted; the first two are not fresh."""
    harness.processor.process(event("port|metrics", METRICS))
    start, harness.clock.now = harness.clock.now, harness.clock.now + 60
    harness.processor.process(event("port|metrics", METRICS))
    harness.processor.process(event("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:34:00+00:00"}))
    assert harness.stats.last_event == {"port|metrics": start}
    harness.processor.process(
        event("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:35:00+00:00", "bytes_rx_total": 1})
    )
    assert harness.stats.rejected["duplicate"] == harness.stats.rejected["out_of_order"] == 1
    assert harness.stats.resets["port|metrics"] == 1


@pytest.mark.no_cover
def test_series_limit(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred thousand circuits: the limit holds, the rest is counted, the log has one line."""
    harness = Harness(limit=1000)
    for number in range(100_000):
        harness.processor.process(event("port|metrics", {**METRICS, "port_circuit_id": f"PF-AP-{number}"}))
    assert harness.store.series()["default"] == 1000
    assert harness.stats.series_dropped == 99_500
    assert [record.msg for record in caplog.records] == ["limit of series reached"]


def test_a_fibre_that_gets_dark_at_the_limit() -> None:
    """At the limit an event with an additional lane is counted, and the lane that is shown has its value."""
    harness = Harness(limit=2)
    harness.processor.process(event("port|optical", {"port_circuit_id": "P", "lane_0_rx_dbm": -2.0}))
    dark = {"port_circuit_id": "P", "lane_0_rx_dbm": -30.0, "lane_1_rx_dbm": -2.0}
    harness.processor.process(event("port|optical", dark))
    ((_, row),) = harness.store.rows("port|optical")["default"]
    assert (row.lanes, [value for value in row.values if value is not None]) == (("0",), [-30.0])
    assert harness.stats.series_dropped == 1
    assert sum(harness.stats.rejected.values()) == 0


def test_unknown_events_and_fields_are_kept(harness: Harness) -> None:
    """Unknown events and fields are kept for the status page."""
    harness.processor.process(event("port|weather", {"rain": 1}))
    harness.processor.process(event("port|metrics", {**METRICS, "jitter": 1}))
    found = [(one.event, one.field) for one in harness.stats.unknown_fields.snapshot()]
    assert found == [("port|metrics", "jitter"), ("port|weather", "")]


def test_rates_in_bytes_are_stored_in_bits() -> None:
    """With ``units.rates: bytes``, rates are converted for the store, and compared as they were received."""
    harness = Harness()
    stats = AccountStats(Account(token=Secret("x")), idle_timeout=1, rate_unit=RateUnit.BYTES)
    processor = EventProcessor(harness.store, stats, wall=harness.clock)
    for number in range(140):
        timestamp = f"2021-09-22T20:{number // 12:02}:{number % 12 * 5:02}+00:00"
        total = {"bytes_rx_total": 25_000 * number, "bytes_tx_total": 25_000 * number}
        rates = {"bytes_rx_bps": 5000, "bytes_tx_bps": 5000}
        data = {"timestamp": timestamp, "port_circuit_id": "PF-AP-1"}
        processor.process(event("port|metrics", data | total | rates))
    ((_, row),) = harness.store.rows("port|metrics")["default"]
    assert row.values[2] == 40_000
    assert stats.rate_units.confirmed() == {"port|metrics": True}


def test_temporality_is_observed(harness: Harness) -> None:
    """Each stored sample counts for the detected temporality, also one whose counters are lower."""
    for number in range(80):
        timestamp = f"2021-09-22T20:{number // 60 + 34}:{number % 60:02}+00:00"
        sample = {"timestamp": timestamp, "port_circuit_id": "PF-AP-1", "rx_drop": 50 + (-1) ** number}
        harness.processor.process(event("port|errors", sample))
    evidence = harness.stats.temporality.result("port|errors").evidence
    assert evidence == "78 changes of 1 field on 1 port: 39 increases, 39 decreases."


def test_the_stream_is_recorded(harness: Harness, tmp_path: Path) -> None:
    """With a recorder, the bytes that pass and the steps of a rotation are recorded."""
    chunks = [b"event: port|metrics\ndata: {}\n\n"]
    assert list(harness.processor.tap(iter(chunks))) == chunks
    harness.processor.mark(Mark.ROTATION_STARTED)
    recorder = RecordingWriter(str(tmp_path / "stream.gz"))
    processor = EventProcessor(harness.store, harness.stats, recorder=recorder)
    assert list(processor.tap(iter(chunks))) == chunks
    processor.mark(Mark.ROTATION_STARTED)
    recorder.close()
    found = [(record.account, record.frame, record.mark) for record in read(recorder.path)]
    assert found == [
        ("default", b"", Mark.OPENED),
        ("default", chunks[0], None),
        ("default", b"", Mark.ENDED),
        ("default", b"", Mark.ROTATION_STARTED),
    ]
