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

from pf_exporter.metrics.stream_families import SERIES
from pf_exporter.schema.events import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT
from pf_exporter.schema.family import MetricType
from pf_exporter.schema.observation import Numbers, Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector
from tests.state.harness import TTL, Clock, T

CIRCUITS = {"port_circuit_id": "PF-AP-LAX1-1", "vc_circuit_id": "PF-BC-LAX-NYC-1-PF", "vlan": "4"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def clock() -> Clock:
    """The clock of the store."""
    return Clock(T)


@pytest.fixture
def store(clock: Clock) -> Store:
    return create_store(clock)


def create_store(clock: Clock, accounts: Iterable[str] = ("a",)) -> Store:
    store = Store(ttl=TTL, limit=1_000_000, clock=clock)
    for account in accounts:
        store.add_account(account)
    return store


def observation(
    event: str, values: Numbers | None = None, lanes: Iterable[str] = ("0",), **circuit: str
) -> Observation:
    """Return an observation whose values are 1000, 2000, ... by default."""
    event_type = EVENTS[event]
    names = tuple(lanes) if event_type.has_lanes else ()
    width = len(event_type.fields) * (len(names) if event_type.has_lanes else 1)
    labels = tuple((CIRCUITS | circuit)[label] for label in event_type.circuit)
    numbers = values or tuple(1000.0 * (index + 1) for index in range(width))
    return Observation(event_type, labels, names, numbers, None)


def samples(families: Iterable[Metric]) -> Samples:
    """Return all samples by name and labels; they are unique and not NaN."""
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


def collected(store: Store) -> Samples:
    return samples(ReferenceCollector(store).collect())


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_an_empty_store_has_every_family() -> None:
    """Before the first event all families are there without samples."""
    families = list(ReferenceCollector(create_store(Clock(T), ())).collect())
    assert len(families) == 64 + 3
    assert samples(families) == {}


def test_a_registry_accepts_the_collector(store: Store) -> None:
    """Registration reads describe() and finds no duplicate family."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(ReferenceCollector(store))


# Values


@pytest.mark.parametrize("event", EVENTS)
def test_every_value_is_collected_in_its_unit(event: str, store: Store) -> None:
    """Each value is a sample of its family, divided by its divisor, with the labels of circuit and lane."""
    lanes = ("0", "3", "11")
    written = observation(event, lanes=lanes)
    store.write("a", written, T)
    expected: Samples = {}
    event_type = EVENTS[event]
    ends: list[Mapping[str, str]] = [{"lane": lane} for lane in lanes] if event_type.has_lanes else [{}]
    values = iter(written.values)
    for end in ends:
        for family in event_type.fields.values():
            labels = {
                "account": "a",
                **dict(zip(event_type.circuit, written.circuit, strict=True)),
                **end,
            }
            expected[key(family.name, **labels)] = next(values) / family.divisor  # type: ignore[operator]
    owner, category = event.split("|")
    circuit = {label: CIRCUITS[label] for label in event_type.circuit if label != "vlan"}
    circuit |= {"category": category} if owner == "port" else {}
    expected[key(f"packetfabric_{owner}_last_event_timestamp_seconds", account="a", **circuit)] = T
    expected[key(SERIES, account="a")] = len(written.values) + 1
    assert collected(store) == expected


def test_units(store: Store) -> None:
    """8000 bit/s are 1000 bytes per second, 1 mW is 0.001 W, 36.5 mA are 0.0365 A; dBm are unchanged."""
    store.write("a", observation("port|metrics", (1.0, 2.0, 8000.0, 4.0, 5.0, 6.0, 16.0, 8.0)), T)
    store.write("a", observation("port|optical", (-3.0, -2.5, 1.0, 0.5, 0.25, 36.5)), T)
    port = {"account": "a", "port_circuit_id": "PF-AP-LAX1-1"}
    found = collected(store)
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
def test_absent_values_have_no_sample(event: str, store: Store) -> None:
    """None is no sample; zero is one."""
    width = len(EVENTS[event].fields)
    values = (*(None, 0.0) * width,)[:width]
    store.write("a", observation(event, values), T)
    names = {name for name, _ in collected(store)}
    present = {
        family.name
        for family, value in zip(EVENTS[event].fields.values(), values, strict=True)
        if value is not None
    }
    assert {name for name in names if name not in (PORT_LAST_EVENT, VC_LAST_EVENT, SERIES)} == present


def test_missing_lanes_have_no_samples(store: Store) -> None:
    """A module that reports fewer lanes has fewer samples."""
    store.write("a", observation("port|optical", lanes=("0", "1", "2", "3")), T)
    store.write("a", observation("port|optical", lanes=("2",)), T)
    lanes = {dict(labels).get("lane") for name, labels in collected(store) if "optical" in name}
    assert lanes == {"2"}


def test_accounts_are_separate_series(clock: Clock) -> None:
    """The same circuit in two accounts is two series of one family."""
    store = create_store(clock, ("a", "b"))
    for account in ("a", "b"):
        for event in EVENTS:
            store.write(account, observation(event), T)
    found = collected(store)
    swap = {"a": "b", "b": "a"}
    assert found == {
        (
            name,
            frozenset((label, swap[text] if label == "account" else text) for label, text in labels),
        ): value
        for (name, labels), value in found.items()
    }


# Last event times


def test_last_event_times_stay_after_expiry(store: Store, clock: Clock) -> None:
    """After expiry only the time of the last event of each circuit and event is left."""
    for event in EVENTS:
        store.write("a", observation(event), clock.now)
        clock.now += 1
    clock.now += TTL
    port = {"account": "a", "port_circuit_id": CIRCUITS["port_circuit_id"]}
    assert collected(store) == {
        key(PORT_LAST_EVENT, **port, category="metrics"): T,
        key(VC_LAST_EVENT, **port, vc_circuit_id=CIRCUITS["vc_circuit_id"]): T + 1,
        key(PORT_LAST_EVENT, **port, category="errors"): T + 2,
        key(PORT_LAST_EVENT, **port, category="etherstats"): T + 3,
        key(PORT_LAST_EVENT, **port, category="optical"): T + 4,
        key(SERIES, account="a"): 5,
    }


@pytest.mark.parametrize("last", ["4", "5"])
def test_vlans_on_one_port_share_the_last_event_time(last: str, store: Store, clock: Clock) -> None:
    """Two VLANs of a circuit on one port have one last event time, the later one, and separate values."""
    for vlan in ("4", "5", last):
        clock.now += 1
        store.write("a", observation("vc|metrics", vlan=vlan), clock.now)
    store.write("a", observation("vc|metrics", port_circuit_id="else"), clock.now)
    found = collected(store)
    assert sorted(value for (name, _), value in found.items() if name == VC_LAST_EVENT) == [T + 3, T + 3]
    assert len(found) == 3 * 8 + 2 + 1
    clock.now += TTL + 1
    assert len(collected(store)) == 2 + 1


# As text

FORMATS: list[tuple[Callable[[Any], bytes], Callable[[Any], Iterable[Metric]]]] = [
    (generate_latest, parse_text),
    (generate_openmetrics, parse_openmetrics),
]


@pytest.mark.parametrize(("generate", "parse"), FORMATS, ids=["text", "openmetrics"])
def test_label_values_are_escaped(
    generate: Callable[[Any], bytes], parse: Callable[[Any], Iterable[Metric]]
) -> None:
    """Whatever a label value is, both formats can be parsed and give the same samples."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
    special = st.sampled_from(
        ['"', "\\", "\n", '\\"', "\\n", "\\\\n", "\r", "\0", "\u2028", "\x85", "{}", ",", "=", "# "]
    )

    @given(st.tuples(texts | special, texts | special, texts | special, texts | special))
    def check(labels: tuple[str, str, str, str]) -> None:
        account, port, vc, vlan = labels
        store = create_store(Clock(T), (account,))
        for event in EVENTS:
            store.write(account, observation(event, port_circuit_id=port, vc_circuit_id=vc, vlan=vlan), T)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(ReferenceCollector(store))
        text = generate(registry).decode("utf-8")
        assert samples(parse(io.StringIO(text, newline="\n"))) == collected(store)

    check()


@given(st.sampled_from(list(EVENTS)), st.data())
def test_values_survive_the_text_format(event: str, data: st.DataObject) -> None:
    """Any finite values are finite and unchanged after scaling, formatting and parsing."""
    finite = st.floats(allow_nan=False, allow_infinity=False)
    counts = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
    kinds = [
        counts if family.type is MetricType.COUNTER else finite for family in EVENTS[event].fields.values()
    ]
    values = data.draw(st.tuples(*(kind | st.none() for kind in kinds)))
    store = create_store(Clock(T))
    store.write("a", observation(event, values), T)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    parsed = samples(parse_text(io.StringIO(generate_latest(registry).decode())))
    assert parsed == collected(store)
    assert all(math.isfinite(value) for value in parsed.values())
    assert len(parsed) == len([value for value in values if value is not None]) + 2
