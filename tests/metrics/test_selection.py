"""Pages with some parts or accounts only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.deflate import compress
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.metric_family import exposed_name
from pf_exporter.metrics.parts import Part, Selection, part_of
from pf_exporter.metrics.section_cache import EventSection, SectionCache, SectionKey
from pf_exporter.metrics.stream_families import SERIES
from pf_exporter.schema.events import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT
from pf_exporter.schema.observation import Observation
from tests.metrics.reference_collector import ReferenceCollector
from tests.metrics.test_exposition import (
    OtherCollector,
    normalized,
    observation,
    observations,
    registry_and_exposition,
    requested_rows,
    two_accounts,
)
from tests.state.harness import T

ACCOUNTS = ('an "account"', "b")
SELECTIONS = st.builds(
    Selection,
    st.frozensets(st.sampled_from(Part), min_size=1),
    st.frozensets(st.sampled_from(ACCOUNTS)),
)


def test_every_event_is_a_part() -> None:
    """Each event has its own part, and the other parts are those of no event."""
    others = {Part.ACTIVITY, Part.INVENTORY, Part.EXPORTER}
    assert {part_of(event) for event in EVENTS.values()} == set(Part) - others


class SelectedReference(Collector):
    """What a selection shows of the store and of :class:`OtherCollector`, found sample by sample."""

    def __init__(self, reference: ReferenceCollector, selection: Selection) -> None:
        self._reference = reference
        self._selection = selection
        parts = selection.parts
        self._families = {
            family.name
            for event in EVENTS.values()
            if part_of(event) in parts
            for family in event.fields.values()
        }
        if any(part.value.startswith("port_") for part in parts):
            self._families.add(PORT_LAST_EVENT)
        if Part.VC_METRICS in parts:
            self._families.add(VC_LAST_EVENT)
        if Part.EXPORTER in parts:
            self._families.add(SERIES)

    def collect(self) -> Iterator[Metric]:
        parts, accounts = self._selection
        for family in self._reference.collect():
            if exposed_name(family) in self._families:
                family.samples = [
                    sample
                    for sample in family.samples
                    if (not accounts or sample.labels["account"] in accounts)
                    and (
                        "category" not in sample.labels or Part(f"port_{sample.labels['category']}") in parts
                    )
                ]
                yield family
        if Part.EXPORTER in parts:
            yield from OtherCollector().collect()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(ACCOUNTS), observations()), max_size=12),
    st.lists(st.tuples(st.sampled_from(Format), SELECTIONS), min_size=1, max_size=4),
)
def test_a_page_shows_what_was_selected(
    seen: list[tuple[str, Observation]], scrapes: list[tuple[Format, Selection]]
) -> None:
    """Any selection shows its series in the order of the whole page, whatever was scraped before it."""
    store = two_accounts()
    _, exposition = registry_and_exposition(store)
    for index, (account, observed) in enumerate(seen):
        store.write(account, observed, T)
        exposition.gzip(*scrapes[index % len(scrapes)])
    for format, selection in scrapes:
        expected = format.encode(SelectedReference(ReferenceCollector(store), selection))
        assert normalized(exposition.plain(format, selection)) == normalized(expected)


def test_parts_share_the_sections_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, in any format, are the compressed sections of the whole page: nothing is rendered again."""
    store = two_accounts()
    _, exposition = registry_and_exposition(store)
    for event in EVENTS.values():
        store.write("b", observation(event, 1.0), T)
    exposition.gzip(Format.TEXT)
    requested = requested_rows(monkeypatch, store)
    for part, format in itertools.product(Part, Format):
        exposition.gzip(format, Selection(frozenset({part, Part.VC_METRICS})))
    assert requested == []
    for _ in range(3):
        exposition.gzip(Format.TEXT, Selection(accounts=frozenset("b")))
    assert requested == list(EVENTS)


def test_own_families_of_other_accounts_are_left_out() -> None:
    """A family with series of other accounts only is left out; one without accounts or series stays."""

    class Families(Collector):
        def collect(self) -> Iterator[Metric]:
            for name, labels in (("of_b", {"account": "b"}), ("of_all", {}), ("of_c", {"account": "c"})):
                family = Metric(name, "Help.", "gauge")
                family.add_sample(name, labels, 1.0)
                yield family
            yield Metric("empty", "Help.", "gauge")

    exposition = Exposition(two_accounts(), Families())
    page = exposition.plain(Format.TEXT, Selection(frozenset({Part.EXPORTER}), frozenset("b"))).decode()
    names = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")]
    assert names == [SERIES, "of_b", "of_all", "empty"]


def _section(size: int) -> EventSection:
    exposition_block = compress([b"x"])._replace(deflated=b"x" * size)
    return EventSection(1, 0.0, (("family", exposition_block),), compress([]))


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections of some accounts are limited in number and bytes, the least recently used go first."""
    monkeypatch.setattr("pf_exporter.metrics.section_cache.MAX_SECTIONS", 3)
    monkeypatch.setattr("pf_exporter.metrics.section_cache.MAX_BYTES", 1000)
    cache = SectionCache()

    def kept(accounts: str) -> bool:
        return cache.get(SectionKey("port|metrics", frozenset(accounts))) is not None

    def put(accounts: str, size: int) -> None:
        cache.put(SectionKey("port|metrics", frozenset(accounts)), _section(size))

    put("", 5000)
    for accounts in "abc":
        put(accounts, 100)
    assert kept("a")
    put("d", 100)
    assert [kept(accounts) for accounts in ("", *"abcd")] == [True, True, False, True, True]
    put("d", 850)
    assert [kept(accounts) for accounts in "acd"] == [False, True, True]
    put("e", 2000)
    assert [kept(accounts) for accounts in ("", *"cde")] == [True, False, False, False]
