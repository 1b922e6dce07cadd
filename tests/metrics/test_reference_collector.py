"""The oracle of the exposition: every value under its name, in its unit, with its labels, exactly once."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as parse_text

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.family import MetricType
from pf_exporter.schema.observation import Numbers, Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector

TTL = 600.0
T = 1_790_000_000.0
FRESHNESS = {
    "packetfabric_port_last_event_timestamp_seconds": ("account", "port_circuit_id", "category"),
    "packetfabric_vc_last_event_timestamp_seconds": ("account", "vc_circuit_id", "port_circuit_id"),
}
CIRCUITS = {"port_circuit_id": "PF-AP-LAX1-1", "vc_circuit_id": "PF-BC-LAX-NYC-1-PF", "vlan": "4"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The monotonic and the wall clock in one."""
    return Clock(T)


@pytest.fixture
def store(clock: Clock) -> Store:
    return made(clock)


def made(clock: Clock, accounts: Iterable[str] = ("a",)) -> Store:
    store = Store(ttl=TTL, limit=1_000_000, clock=clock, wall=clock)
    for account in accounts:
        store.add_account(account)
    return store


def observed(
    event: str, values: Numbers | None = None, lanes: Iterable[str] = ("0",), **circuit: str
) -> Observation:
    """An observation whose numbers are 1000, 2000, ... unless others are given."""
    known = EVENTS[event]
    names = tuple(lanes) if known.has_lanes else ()
    width = len(known.fields) * (len(names) if known.has_lanes else 1)
    labels = tuple((CIRCUITS | circuit)[label] for label in known.circuit)
    numbers = values or tuple(1000.0 * (index + 1) for index in range(width))
    return Observation(known, labels, names, numbers, None)


def samples(families: Iterable[Metric]) -> Samples:
    """Every sample by its name and labels; none comes twice, and none is NaN."""
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            assert not math.isnan(sample.value)
            assert sample.timestamp is None
            assert sample.exemplar is None
            found[key] = sample.value
    return found


def shown(store: Store) -> Samples:
    return samples(ReferenceCollector(store).collect())


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_an_empty_store_has_every_family() -> None:
    """Before the first event all families are there without samples."""
    families = list(ReferenceCollector(made(Clock(T), ())).collect())
    assert len(families) == 64 + 3
    assert samples(families) == {}


def test_a_registry_accepts_the_collector(store: Store) -> None:
    """Registration reads describe() and finds no duplicate family."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(ReferenceCollector(store))


# Numbers


@pytest.mark.parametrize("event", EVENTS)
def test_every_number_is_shown_in_its_unit(event: str, store: Store) -> None:
    """Each number stands under its family, divided by its scale, with the circuit's labels and its lane's."""
    lanes = ("0", "3", "11")
    observation = observed(event, lanes=lanes)
    store.write("a", observation)
    wanted: Samples = {}
    known = EVENTS[event]
    ends: list[Mapping[str, str]] = [{"lane": lane} for lane in lanes] if known.has_lanes else [{}]
    values = iter(observation.values)
    for end in ends:
        for family in known.fields.values():
            labels = {"account": "a", **dict(zip(known.circuit, observation.circuit, strict=True)), **end}
            wanted[key(family.name, **labels)] = next(values) / family.divisor  # type: ignore[operator]
    owner, category = event.split("|")
    circuit = {label: CIRCUITS[label] for label in known.circuit if label != "vlan"}
    circuit |= {"category": category} if owner == "port" else {}
    wanted[key(f"packetfabric_{owner}_last_event_timestamp_seconds", account="a", **circuit)] = T
    wanted[key("packetfabric_series", account="a")] = len(observation.values) + 1
    assert shown(store) == wanted


def test_scales(store: Store) -> None:
    """8000 bit/s are 1000 bytes per second, 1 mW is 0.001 W, 36.5 mA are 0.0365 A, and -3 dBm stay -3 dBm."""
    store.write("a", observed("port|metrics", (1.0, 2.0, 8000.0, 4.0, 5.0, 6.0, 16.0, 8.0)))
    store.write("a", observed("port|optical", (-3.0, -2.5, 1.0, 0.5, 0.25, 36.5)))
    port = {"account": "a", "port_circuit_id": "PF-AP-LAX1-1"}
    found = shown(store)
    optical = "packetfabric_port_optical"
    for name, value in {
        "packetfabric_port_receive_bytes_total": 1.0,
        "packetfabric_port_receive_bytes_per_second": 1000.0,
        "packetfabric_port_receive_packets_per_second": 4.0,
        "packetfabric_port_transmit_bytes_per_second": 2.0,
    }.items():
        assert found[key(name, **port)] == value
    for name, value in {
        f"{optical}_receive_power_dbm": -3.0,
        f"{optical}_transmit_power_dbm": -2.5,
        f"{optical}_receive_power_watts": 0.001,
        f"{optical}_transmit_power_watts": 0.0005,
        f"{optical}_output_power_watts": 0.00025,
        f"{optical}_bias_current_amperes": 0.0365,
    }.items():
        assert found[key(name, **port, lane="0")] == value


@pytest.mark.parametrize("event", EVENTS)
def test_absent_numbers_are_absent(event: str, store: Store) -> None:
    """A None is no sample, beside a zero that is one."""
    width = len(EVENTS[event].fields)
    values = (*(None, 0.0) * width,)[:width]
    store.write("a", observed(event, values))
    names = {name for name, _ in shown(store)}
    present = {
        family.name
        for family, value in zip(EVENTS[event].fields.values(), values, strict=True)
        if value is not None
    }
    assert {name for name in names if name not in (*FRESHNESS, "packetfabric_series")} == present


def test_a_lane_that_is_gone_is_gone(store: Store) -> None:
    """A module that reports fewer lanes shows fewer."""
    store.write("a", observed("port|optical", lanes=("0", "1", "2", "3")))
    store.write("a", observed("port|optical", lanes=("2",)))
    lanes = {dict(labels).get("lane") for name, labels in shown(store) if "optical" in name}
    assert lanes == {"2"}


def test_accounts_stand_beside_each_other(clock: Clock) -> None:
    """Two accounts that see the same circuit are two series of one family."""
    store = made(clock, ("a", "b"))
    for account in ("a", "b"):
        for event in EVENTS:
            store.write(account, observed(event))
    found = shown(store)
    swap = {"a": "b", "b": "a"}
    assert found == {
        (
            name,
            frozenset((label, swap[text] if label == "account" else text) for label, text in labels),
        ): value
        for (name, labels), value in found.items()
    }


# Freshness


def test_freshness_stays_when_the_numbers_go(store: Store, clock: Clock) -> None:
    """After silence only the time of the last event is left, for each event of the circuit."""
    for event in EVENTS:
        store.write("a", observed(event))
        clock.now += 1
    clock.now += TTL
    port = {"account": "a", "port_circuit_id": CIRCUITS["port_circuit_id"]}
    name, vc = FRESHNESS
    assert shown(store) == {
        key(name, **port, category="metrics"): T,
        key(vc, **port, vc_circuit_id=CIRCUITS["vc_circuit_id"]): T + 1,
        key(name, **port, category="errors"): T + 2,
        key(name, **port, category="etherstats"): T + 3,
        key(name, **port, category="optical"): T + 4,
        key("packetfabric_series", account="a"): 5,
    }


@pytest.mark.parametrize("last", ["4", "5"])
def test_two_vlans_on_one_port_share_their_freshness(last: str, store: Store, clock: Clock) -> None:
    """The circuit's end on a port is as fresh as the VLAN that spoke last; the numbers stay apart."""
    for vlan in ("4", "5", last):
        clock.now += 1
        store.write("a", observed("vc|metrics", vlan=vlan))
    store.write("a", observed("vc|metrics", port_circuit_id="else"))
    found = shown(store)
    vc = "packetfabric_vc_last_event_timestamp_seconds"
    assert sorted(value for (name, _), value in found.items() if name == vc) == [T + 3, T + 3]
    assert len(found) == 3 * 8 + 2 + 1
    clock.now += TTL + 1
    assert len(shown(store)) == 2 + 1


# As text

FORMATS: list[tuple[Callable[[Any], bytes], Callable[[Any], Iterable[Metric]]]] = [
    (generate_latest, parse_text),
    (generate_openmetrics, parse_openmetrics),
]


@pytest.mark.parametrize(("generate", "parse"), FORMATS, ids=["text", "openmetrics"])
def test_odd_label_texts_survive(
    generate: Callable[[Any], bytes], parse: Callable[[Any], Iterable[Metric]]
) -> None:
    """Whatever text an id is, both formats can be parsed and give back the same samples."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
    odd = st.sampled_from(
        ['"', "\\", "\n", '\\"', "\\n", "\\\\n", "\r", "\0", "\u2028", "\x85", "{}", ",", "=", "# "]
    )

    @given(st.tuples(texts | odd, texts | odd, texts | odd, texts | odd))
    def survive(labels: tuple[str, str, str, str]) -> None:
        account, port, vc, vlan = labels
        store = made(Clock(T), (account,))
        for event in EVENTS:
            store.write(account, observed(event, port_circuit_id=port, vc_circuit_id=vc, vlan=vlan))
        registry = CollectorRegistry(auto_describe=False)
        registry.register(ReferenceCollector(store))
        text = generate(registry).decode("utf-8")
        assert samples(parse(io.StringIO(text, newline="\n"))) == shown(store)

    survive()


@given(st.sampled_from(list(EVENTS)), st.data())
def test_no_number_becomes_another(event: str, data: st.DataObject) -> None:
    """Any finite numbers an event may carry come out finite, scaled, through the text format and back."""
    finite = st.floats(allow_nan=False, allow_infinity=False)
    counts = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
    kinds = [
        counts if family.type is MetricType.COUNTER else finite for family in EVENTS[event].fields.values()
    ]
    values = data.draw(st.tuples(*(kind | st.none() for kind in kinds)))
    store = made(Clock(T))
    store.write("a", observed(event, values))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    parsed = samples(parse_text(io.StringIO(generate_latest(registry).decode())))
    assert parsed == shown(store)
    assert all(math.isfinite(value) for value in parsed.values())
    assert len(parsed) == len([value for value in values if value is not None]) + 2
