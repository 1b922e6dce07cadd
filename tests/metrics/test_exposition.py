"""The rendered page equals what prometheus_client renders from the reference collector."""

from __future__ import annotations

import gzip
import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.state.store import Store
from pf_exporter.state.table import Row
from tests.metrics.reference_collector import ReferenceCollector
from tests.state.harness import T

LABELS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "\\", "\n", '\\"', "\\n", "{}", "%s", "é", "\u2028", "#", ""]
)
COUNTS = (
    st.none()
    | st.floats(0, 1e18)
    | st.integers(0, 10**17).map(float)
    | st.sampled_from([0.0, 5.0, 999999.0, 1e6, 1234567.0, 1e15, 1e16, 1e-5, 5e-324, 1e308])
)
NUMBERS = COUNTS | st.floats(-1e18, 1e18)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    event = draw(st.sampled_from(list(EVENTS.values())))
    circuit = tuple(draw(LABELS) for _ in event.circuit)
    lanes = tuple(draw(st.lists(st.sampled_from("0123"), unique=True))) if event.has_lanes else ()
    kinds = (family.type for family in event.fields.values())
    columns = st.tuples(*(COUNTS if kind == "counter" else NUMBERS for kind in kinds))
    values = tuple(number for _ in (lanes if event.has_lanes else "0") for number in draw(columns))
    return Observation(event, circuit, lanes, values, None)


class OtherCollector(Collector):
    """A collector of another family."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("something_else", "Else.", labels=("text",))
        family.add_metric(('a "\\\n',), 1e6)
        yield family


def two_accounts() -> Store:
    store = Store(ttl=1e9, limit=10**6)
    store.add_account('an "account"')
    store.add_account("b")
    return store


def registry_and_exposition(store: Store) -> tuple[CollectorRegistry, Exposition]:
    """A registry with all families, and an exposition of the same families."""
    complete, others = (CollectorRegistry(auto_describe=False) for _ in range(2))
    complete.register(ReferenceCollector(store))
    complete.register(OtherCollector())
    others.register(OtherCollector())
    return complete, Exposition(store, others)


_LARGE = re.compile(rb"(?<= )(\d)(?:\.(\d+))?e\+(0[6-9]|1[0-5])$", re.MULTILINE)


def normalized(page: bytes) -> bytes:
    """Return the page with numbers from a million on in Python's notation instead of Go's."""
    return _LARGE.sub(lambda number: repr(float(number[0])).encode(), page)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(['an "account"', "b"]), observations()), max_size=12), st.data())
def test_same_bytes_as_prometheus_client(seen: list[tuple[str, Observation]], data: st.DataObject) -> None:
    """Whatever is in the store, every format equals prometheus_client's, except for large numbers."""
    store = two_accounts()
    registry, exposition = registry_and_exposition(store)
    # Scrapes in between fill the cached sections.
    for account, observation in seen:
        store.write(account, observation, T)
        if data.draw(st.booleans()):
            exposition.gzip(data.draw(st.sampled_from(Format)))
    for format in Format:
        expected = normalized(format.encode(registry))
        assert normalized(exposition.plain(format)) == expected
        assert normalized(gzip.decompress(exposition.gzip(format))) == expected


@settings(max_examples=30)
@given(st.lists(observations(), max_size=6))
def test_same_families_to_a_parser(seen: list[Observation]) -> None:
    """Parsed, both pages have the same families, types, help texts, units and exact samples."""
    store = two_accounts()
    registry, exposition = registry_and_exposition(store)
    for observation in seen:
        store.write("b", observation, T)
    for format, parse in ((Format.TEXT, parse_text), (Format.OPENMETRICS, parse_openmetrics)):
        page, expected = (
            list(parse(text.decode())) for text in (exposition.plain(format), format.encode(registry))
        )
        assert page == expected


@pytest.mark.parametrize("ports", [999, 1000, 1001, 2500])
def test_a_page_of_many_lines(ports: int) -> None:
    """Pages longer than a chunk of lines or of compression are complete, with the right checksum."""
    store = two_accounts()
    registry, exposition = registry_and_exposition(store)
    event = EVENTS["port|metrics"]
    for port in range(ports):
        values = (*range(port, port + 7), None)
        store.write("b", Observation(event, (f"PF-AP-{port}",), (), values, None), T)
    expected = normalized(Format.TEXT.encode(registry))
    assert len(expected) > 5 * (1 << 16)
    assert normalized(exposition.plain(Format.TEXT)) == expected
    assert normalized(gzip.decompress(exposition.gzip(Format.TEXT))) == expected


def test_an_infinite_sum() -> None:
    """A sum of deltas that overflows is written as +Inf."""
    store = Store(ttl=1e9, limit=10**6, delta=["port|errors"])
    store.add_account("b")
    registry, exposition = registry_and_exposition(store)
    event = EVENTS["port|errors"]
    for _ in range(2):
        store.write("b", Observation(event, ("p",), (), (1.7e308,) * len(event.fields), None), T)
    assert normalized(exposition.plain(Format.TEXT)) == normalized(Format.TEXT.encode(registry))
    assert b" +Inf\n" in exposition.plain(Format.TEXT)


def test_formats_are_those_of_prometheus_client() -> None:
    """Every content type is the one that prometheus_client returns for it."""
    for format in Format:
        assert choose_encoder(format.value)[1] == format.value


def observation(event: EventType, number: float, circuit: str = "PF-AP-LAX1-1") -> Observation:
    lanes = ("0",) if event.has_lanes else ()
    names = (circuit, "PF-AP-LAX1-1", "4")[: len(event.circuit)]
    return Observation(event, names, lanes, (number,) * len(event.fields), None)


def requested_rows(monkeypatch: pytest.MonkeyPatch, store: Store) -> list[str]:
    """Return a list to which the name of each event is added whose rows are read from now on."""
    requested: list[str] = []
    rows = store.rows

    def recording_rows(event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        requested.append(event)
        return rows(event)

    monkeypatch.setattr(store, "rows", recording_rows)
    return requested


def test_only_what_changed_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape reads the rows of events with changes since the last scrape, and of no others."""
    store = two_accounts()
    _, exposition = registry_and_exposition(store)
    requested = requested_rows(monkeypatch, store)
    exposition.gzip(Format.TEXT)
    assert requested == list(EVENTS)
    for event in EVENTS.values():
        requested.clear()
        store.write("b", observation(event, 1.0), T)
        page = exposition.plain(Format.TEXT)
        assert requested == [event.name]
        assert next(iter(event.fields.values())).name.encode() + b"{" in page
    requested.clear()
    exposition.plain(Format.TEXT)
    assert requested == []


def test_lines_that_are_new_enough_are_not_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page since a time has the lines of pages since then, in any format; by default it has the latest."""
    now = [0.0]
    store = two_accounts()
    exposition = Exposition(store, CollectorRegistry(), clock=lambda: now[0])
    event = EVENTS["port|metrics"]
    requested = requested_rows(monkeypatch, store)
    for moment in (1.0, 2.0):
        now[0] = moment
        store.write("b", observation(event, moment), T)
        exposition.render(Format.TEXT)
    requested.clear()
    store.write("b", observation(event, 3.0), T)
    now[0] = 3.0
    for since, expected in ((1.5, []), (2.0, []), (2.1, [event.name])):
        exposition.render(Format.OPENMETRICS, since=since)
        assert requested == expected
    store.write("b", observation(event, 4.0), T)
    exposition.render(Format.TEXT)
    assert requested == [event.name] * 2


def test_expired_values_leave_the_page() -> None:
    """Expired values are removed from the cached page; the time of the last event stays."""
    now = [0.0]
    store = Store(ttl=10.0, limit=10**6, clock=lambda: now[0])
    store.add_account("b")
    registry, exposition = registry_and_exposition(store)
    store.write("b", observation(EVENTS["port|metrics"], 1.0), T)
    before = exposition.plain(Format.TEXT)
    assert b'packetfabric_port_receive_bytes_total{account="b"' in before
    now[0] = 11.0
    after = exposition.plain(Format.TEXT)
    assert b'packetfabric_port_receive_bytes_total{account="b"' not in after
    assert b'packetfabric_port_last_event_timestamp_seconds{account="b"' in after
    assert normalized(after) == normalized(Format.TEXT.encode(registry))


def test_an_event_is_on_the_page_completely_or_not_at_all() -> None:
    """While a thread writes, no page mixes the fields or timestamps of two events."""
    store = Store(ttl=1e9, limit=10**6)
    store.add_account("b")
    _, exposition = registry_and_exposition(store)
    event = EVENTS["port|errors"]
    done = threading.Event()

    def write() -> None:
        # The n-th event has n in every field and is received at the time n.
        for number in itertools.count(1):
            store.write("b", observation(event, float(number)), float(number))
            if done.is_set():
                return

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        seen: set[float] = set()
        try:
            while len(seen) < 10:
                page = exposition.plain(Format.TEXT).decode()
                numbers = {
                    sample.value
                    for family in parse_text(page)
                    for sample in family.samples
                    if "port_circuit_id" in sample.labels
                }
                assert len(numbers) == 1
                seen |= numbers
        finally:
            done.set()
        writing.result()
