"""How events are stored, counted and logged."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import LOGGABLE_FIELDS
from pf_exporter.errors import TooLarge
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor
from tests.state.harness import Clock

METRICS = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


class Frame(NamedTuple):
    event: str
    data: str


def frame(name: str, data: object) -> Frame:
    return Frame(name, data if isinstance(data, str) else json.dumps(data))


class World:
    """A processor with a store, statistics, and a clock that tests set."""

    def __init__(self, limit: int = 1000) -> None:
        self.clock = Clock(1_632_342_875.0)
        self.store = Store(ttl=600, limit=limit, clock=self.clock, wall=self.clock)
        self.store.add_account("default")
        account = Account(token=Secret("x"))
        self.stats = AccountStats(account, idle_timeout=1, clock=self.clock)
        self.processor = EventProcessor(self.store, self.stats, wall=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def test_every_field_of_an_entry_can_be_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the name of a field that log.activity_fields allows, its value is in the log."""
    caplog.set_level("INFO", "pf_exporter")
    processor = EventProcessor(world.store, world.stats, activity_fields=LOGGABLE_FIELDS)
    said = {name: "info" if name == "log_level" else f"some {name}" for name in LOGGABLE_FIELDS}
    processor.process(frame("customer|auth", said))
    (record,) = caplog.records
    fields = record.fields  # type: ignore[attr-defined]
    assert fields == {"account": "default", **said, "category": "auth"}


def test_a_sample_is_kept_and_counted(world: World) -> None:
    """Store, counts, freshness and lag all know of it."""
    world.processor.process(frame("port|metrics", METRICS))
    assert world.store.series()["default"] == 2
    assert world.stats.events["port|metrics"] == 1
    assert world.stats.last_event == {"port|metrics": world.clock.now}
    assert world.stats.lag_sum == 5.0


def test_an_entry_is_counted_by_category_and_level(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The activity log is counted; who it was, from where, and what was said stays out of the log."""
    said = {
        "log_level": "warning",
        "event": "login",
        "user": "canary",
        "ip_address": "canary",
        "message": "canary",
    }
    with caplog.at_level("DEBUG"):
        world.processor.process(frame("customer|auth", said))
    assert world.stats.activity["auth", "warning"] == 1
    assert "canary" not in str([vars(record) for record in caplog.records])
    assert caplog.records[0].__dict__["fields"]["event"] == "login"


def test_other_fields_are_logged_where_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """With log.activity_fields the user is in the log, and only what was asked for."""
    world = World()
    processor = EventProcessor(world.store, world.stats, activity_fields=("user", "category"))
    with caplog.at_level("INFO", "pf_exporter"):
        processor.process(frame("customer|auth", {"log_level": "info", "user": "hank", "message": "canary"}))
    fields = caplog.records[0].__dict__["fields"]
    assert fields == {"account": "default", "user": "hank", "category": "auth"}


def test_unlisted_names_are_one_label(world: World) -> None:
    """Whatever name comes, the series stay few: 'other' counts all the API does not list."""
    for number in range(100):
        world.processor.process(frame(f"port|weather{number}", {}))
        world.processor.process(frame(f"customer|weather{number}", {"log_level": "info"}))
    assert world.stats.events["other"] == 200
    assert world.stats.activity["other", "info"] == 100
    assert len(world.stats.events) == 22


def test_a_bad_event_costs_only_itself(world: World) -> None:
    """Each is counted under its reason; the one after it is kept; a bad event is no sign of freshness."""
    world.processor.process(frame("port|metrics", "{"))
    world.processor.process(frame("port|metrics", {"bytes_rx_total": 5}))
    world.processor.process(frame("port|metrics", "[" * 100_000))
    world.processor.reject(TooLarge("an event above the limit"))
    assert world.stats.last_event == {}
    world.processor.process(frame("port|metrics", METRICS))
    rejected = {reason: count for reason, count in world.stats.rejected.items() if count}
    assert rejected == {"not_json": 1, "no_circuit_id": 1, "too_deep": 1, "too_large": 1}
    assert world.store.series()["default"] == 2


def test_bad_and_new_fields_are_counted(world: World) -> None:
    """A field that cannot be used, and one that is not known, do not cost the others."""
    world.processor.process(frame("port|metrics", {**METRICS, "packets_rx_total": "many", "colour": "blue"}))
    assert world.stats.fields_rejected["port|metrics"] == 1
    assert world.stats.fields_unknown["port|metrics"] == 1
    assert world.store.series()["default"] == 2


def test_old_samples_and_resets_are_counted(world: World) -> None:
    """The same sample again, an older one, and totals that fell."""
    world.processor.process(frame("port|metrics", METRICS))
    world.processor.process(frame("port|metrics", METRICS))
    world.processor.process(frame("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:34:00+00:00"}))
    world.processor.process(
        frame("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:35:00+00:00", "bytes_rx_total": 1})
    )
    assert world.stats.rejected["duplicate"] == world.stats.rejected["out_of_order"] == 1
    assert world.stats.resets["port|metrics"] == 1


def test_a_flood_of_circuits_is_refused_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred thousand distinct circuits: the limit holds, the rest is counted, the log has one line."""
    world = World(limit=1000)
    for number in range(100_000):
        world.processor.process(frame("port|metrics", {**METRICS, "port_circuit_id": f"PF-AP-{number}"}))
    assert world.store.series()["default"] == 1000
    assert world.stats.series_dropped == 99_500
    assert [record.msg for record in caplog.records] == ["limit of series reached"]


def test_what_is_new_is_remembered(world: World) -> None:
    """Unknown events and fields are told of, beside being counted."""
    world.processor.process(frame("port|weather", {"rain": 1}))
    world.processor.process(frame("port|metrics", {**METRICS, "jitter": 1}))
    found = [(one.event, one.field) for one in world.stats.unknown_fields.snapshot()]
    assert found == [("port|metrics", "jitter"), ("port|weather", "")]
