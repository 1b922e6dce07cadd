"""What becomes of an event that arrived."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from pf_exporter.errors import TooLarge
from pf_exporter.intake import OVERLAP, Intake
from pf_exporter.secret import Secret
from pf_exporter.settings import ACTIVITY_FIELDS, Account
from pf_exporter.store import Store
from pf_exporter.telemetry import AccountTelemetry
from tests.test_telemetry import Clock

METRICS = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


class Frame(NamedTuple):
    event: str
    data: str


def frame(name: str, data: object) -> Frame:
    return Frame(name, data if isinstance(data, str) else json.dumps(data))


class World:
    """An intake with everything around it, and a clock to turn."""

    def __init__(self, limit: int = 1000) -> None:
        self.clock = Clock(1_632_342_875.0)
        self.store = Store(ttl=600, limit=limit, clock=self.clock, wall=self.clock)
        self.store.add_account("default")
        account = Account(token=Secret("x"))
        self.telemetry = AccountTelemetry(account, idle_timeout=1, clock=self.clock)
        self.intake = Intake(self.store, self.telemetry, clock=self.clock, wall=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def test_every_field_of_an_entry_can_be_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the name of a field that log.activity_fields allows, its value is in the log."""
    caplog.set_level("INFO", "pf_exporter")
    intake = Intake(world.store, world.telemetry, activity_fields=ACTIVITY_FIELDS)
    said = {name: "info" if name == "log_level" else f"some {name}" for name in ACTIVITY_FIELDS}
    intake.take(frame("customer|auth", said))
    (record,) = caplog.records
    fields = record.fields  # type: ignore[attr-defined]
    assert fields == {"account": "default", **said, "category": "auth"}


def test_a_sample_is_kept_and_counted(world: World) -> None:
    """Store, counts, freshness and lag all know of it."""
    world.intake.take(frame("port|metrics", METRICS))
    assert world.store.series()["default"] == 2
    assert world.telemetry.events["port|metrics"] == 1
    assert world.telemetry.last_event == {"port|metrics": world.clock.now}
    assert world.telemetry.lag_sum == 5.0


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
        world.intake.take(frame("customer|auth", said))
    assert world.telemetry.activity["auth", "warning"] == 1
    assert "canary" not in str([vars(record) for record in caplog.records])
    assert caplog.records[0].__dict__["fields"]["event"] == "login"


def test_other_fields_are_logged_where_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """With log.activity_fields the user is in the log, and only what was asked for."""
    world = World()
    intake = Intake(world.store, world.telemetry, activity_fields=("user", "category"))
    with caplog.at_level("INFO", "pf_exporter"):
        intake.take(frame("customer|auth", {"log_level": "info", "user": "hank", "message": "canary"}))
    fields = caplog.records[0].__dict__["fields"]
    assert fields == {"account": "default", "user": "hank", "category": "auth"}


def test_unlisted_names_are_one_label(world: World) -> None:
    """Whatever name comes, the series stay few: 'other' counts all the API does not list."""
    for number in range(100):
        world.intake.take(frame(f"port|weather{number}", {}))
        world.intake.take(frame(f"customer|weather{number}", {"log_level": "info"}))
    assert world.telemetry.events["other"] == 200
    assert world.telemetry.activity["other", "info"] == 100
    assert len(world.telemetry.events) == 22


def test_a_bad_event_costs_only_itself(world: World) -> None:
    """Each is counted under its reason; the one after it is kept; a bad event is no sign of freshness."""
    world.intake.take(frame("port|metrics", "{"))
    world.intake.take(frame("port|metrics", {"bytes_rx_total": 5}))
    world.intake.take(frame("port|metrics", "[" * 100_000))
    world.intake.reject(TooLarge("an event above the limit"))
    assert world.telemetry.last_event == {}
    world.intake.take(frame("port|metrics", METRICS))
    rejected = {reason: count for reason, count in world.telemetry.rejected.items() if count}
    assert rejected == {"not_json": 1, "no_circuit_id": 1, "too_deep": 1, "too_large": 1}
    assert world.store.series()["default"] == 2


def test_bad_and_new_fields_are_counted(world: World) -> None:
    """A field that cannot be used, and one that is not known, do not cost the others."""
    world.intake.take(frame("port|metrics", {**METRICS, "packets_rx_total": "many", "colour": "blue"}))
    assert world.telemetry.fields_rejected["port|metrics"] == 1
    assert world.telemetry.fields_unknown["port|metrics"] == 1
    assert world.store.series()["default"] == 2


def test_old_samples_and_resets_are_counted(world: World) -> None:
    """The same sample again, an older one, and totals that fell."""
    world.intake.take(frame("port|metrics", METRICS))
    world.intake.take(frame("port|metrics", METRICS))
    world.intake.take(frame("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:34:00+00:00"}))
    world.intake.take(
        frame("port|metrics", {**METRICS, "timestamp": "2021-09-22T20:35:00+00:00", "bytes_rx_total": 1})
    )
    assert world.telemetry.rejected["duplicate"] == world.telemetry.rejected["out_of_order"] == 1
    assert world.telemetry.resets["port|metrics"] == 1


def test_a_flood_of_circuits_is_refused_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred thousand distinct circuits: the limit holds, the rest is counted, the log has one line."""
    world = World(limit=1000)
    for number in range(100_000):
        world.intake.take(frame("port|metrics", {**METRICS, "port_circuit_id": f"PF-AP-{number}"}))
    assert world.store.series()["default"] == 1000
    assert world.telemetry.series_dropped == 99_500
    assert [record.msg for record in caplog.records] == ["limit of series reached"]


def test_what_comes_on_both_streams_counts_once(world: World) -> None:
    """While a stream is renewed: repeats are left out, what is new is not, each as often as it came."""
    take = world.intake.take
    hello, bye = (frame("customer|auth", {"log_level": "info", "event": e}) for e in ("login", "logout"))
    take(hello)
    world.intake.two_streams()
    take(hello)
    take(bye)
    world.intake.second_stream()
    take(hello)
    take(bye)
    assert world.telemetry.activity["auth", "info"] == 3
    take(hello)  # the second stream's second
    assert world.telemetry.activity["auth", "info"] == 4
    world.clock.now += OVERLAP + 1
    take(bye)
    take(bye)
    assert world.telemetry.activity["auth", "info"] == 6


def test_a_renewal_given_up_is_forgotten(world: World) -> None:
    """When there is no second stream after all, the same entry again is a new one."""
    hello = frame("customer|auth", {"log_level": "info"})
    world.intake.two_streams()
    world.intake.take(hello)
    world.intake.one_stream()
    world.intake.take(hello)
    assert world.telemetry.activity["auth", "info"] == 2


def test_what_is_new_is_remembered(world: World) -> None:
    """Unknown events and fields are told of, beside being counted."""
    world.intake.take(frame("port|weather", {"rain": 1}))
    world.intake.take(frame("port|metrics", {**METRICS, "jitter": 1}))
    found = [(one.event, one.field) for one in world.telemetry.novelties.found()]
    assert found == [("port|metrics", "jitter"), ("port|weather", "")]
