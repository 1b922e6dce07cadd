"""Pages on which the samples of the stream have the time of their event."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.parts import Part, Selection
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector
from tests.metrics.test_exposition import OtherCollector, observation, observations

NOW = 1_790_000_000.0
# Sixteenths of a second, which decimal digits and binary numbers both have exactly.
TIMES = st.none() | st.integers(-1000, 2000).map(lambda offset: NOW + offset / 16)


def stamped(store: Store) -> Exposition:
    return Exposition(store, OtherCollector(), event_timestamps=True)


@settings(max_examples=40)
@given(st.lists(st.tuples(observations(), TIMES), max_size=8))
def test_same_samples_as_prometheus_client(seen: list[tuple[Observation, float | None]]) -> None:
    """A parser reads the same samples with the same times, within a millisecond, in every format."""
    store = Store(ttl=1e9, limit=10**6)
    store.add_account("b")
    exposition = stamped(store)
    for observed, at in seen:
        store.write("b", replace(observed, timestamp=at), NOW)
        exposition.gzip(Format.TEXT)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store, event_timestamps=True))
    registry.register(OtherCollector())
    for format, parse in (
        (Format.TEXT, parse_text),
        (Format.TEXT_1, parse_text),
        (Format.OPENMETRICS, parse_openmetrics),
    ):
        page, expected = (
            [
                (family.name, sample.name, sample.labels, sample.value, sample.timestamp)
                for family in parse(text.decode())
                for sample in family.samples
            ]
            for text in (exposition.plain(format), format.encode(registry))
        )
        assert [row[:4] for row in page] == [row[:4] for row in expected]
        for row, other in zip(page, expected, strict=True):
            assert (row[4] is None) == (other[4] is None)
            assert row[4] is None or float(str(row[4])) == pytest.approx(float(str(other[4])), abs=0.001)


@pytest.mark.parametrize(
    ("at", "text", "openmetrics"),
    [
        (NOW - 5.0, "1789999995000", "1789999995.000"),
        (NOW - 0.0625, "1789999999938", "1789999999.938"),
        (None, "1790000000000", "1790000000.000"),
        (NOW + 3600.0, "1790000060000", "1790000060.000"),
    ],
    ids=["event", "fraction", "arrival", "ahead"],
)
def test_times_of_samples(at: float | None, text: str, openmetrics: str) -> None:
    """Milliseconds in the text format, seconds in OpenMetrics; on samples of the stream only."""
    store = Store(ttl=1e9, limit=10**6)
    store.add_account("b")
    for event in EVENTS.values():
        store.write("b", replace(observation(event, 1.0), timestamp=at), NOW)
    exposition = stamped(store)
    for format, expected in ((Format.TEXT, text), (Format.TEXT_1, text), (Format.OPENMETRICS, openmetrics)):
        stream = Selection(frozenset(Part) - {Part.EXPORTER, Part.INVENTORY, Part.ACTIVITY})
        for selection, ours in ((stream, True), (Selection(frozenset({Part.EXPORTER})), False)):
            lines = re.findall(
                r"(?m)^(\w+)\{[^}]*\} \S+( \S+)?$", exposition.plain(format, selection).decode()
            )
            assert lines
            for name, stamp in lines:
                assert stamp == (f" {expected}" if ours and "last_event" not in name else "")


def test_kinds_of_events_have_their_own_times() -> None:
    """The values of two events of one port have the times of their event, also after the next one."""
    store = Store(ttl=1e9, limit=10**6)
    store.add_account("b")
    exposition = stamped(store)
    times: dict[str, float] = {}
    for name, at in (("port|metrics", NOW - 7), ("port|errors", NOW - 3), ("port|metrics", NOW - 1)):
        store.write("b", replace(observation(EVENTS[name], 1.0), timestamp=at), NOW)
        times[name] = at
        page = exposition.plain(Format.TEXT).decode()
        for event, time in times.items():
            family = next(iter(EVENTS[event].fields.values())).name
            line = f'{family}{{account="b",port_circuit_id="PF-AP-LAX1-1"}} 1.0 {time:.0f}000'
            assert line in page.splitlines()
