"""The families of the store's rows, as they are described."""

from __future__ import annotations

import pytest
from prometheus_client.metrics_core import Metric

from pf_exporter.metrics.metric_family import label_names
from pf_exporter.metrics.stream_families import LAST_EVENT_LABELS, SERIES, describe_stream_families
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.family import unit
from pf_exporter.schema.observation import Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector
from tests.state.harness import T


def attributes(family: Metric) -> tuple[object, ...]:
    return (
        type(family),
        family.name,
        family.type,
        family.unit,
        family.documentation,
        label_names(family),
    )


@pytest.mark.parametrize("filled", [False, True])
def test_described_families_are_those_collected(filled: bool) -> None:
    """The described families equal those with samples: order, type, unit, help and labels."""
    store = Store(ttl=600, limit=10_000)
    store.add_account("a")
    if filled:
        for event in EVENTS.values():
            lanes = ("0",) if event.has_lanes else ()
            circuit = ("p", "q", "4")[: len(event.circuit)]
            store.write("a", Observation(event, circuit, lanes, (1.0,) * len(event.fields), None), T)
    described = list(describe_stream_families())
    collected = list(ReferenceCollector(store).collect())
    assert list(map(attributes, described)) == list(map(attributes, collected))
    assert [family.samples for family in described] == [[]] * len(described)
    for family in collected:
        for sample in family.samples:
            assert tuple(sample.labels) == label_names(family)


def test_families_are_those_of_the_schema() -> None:
    """Name, type, help, labels and unit of each family of a field come from the schema, in its order."""
    specs = [spec for event in EVENTS.values() for spec in event.fields.values()]
    described = list(describe_stream_families())
    for spec, family in zip(specs, described, strict=False):
        assert family.name == spec.name.removesuffix("_total")
        assert family.type == spec.type
        assert family.documentation == spec.documentation
        assert family.unit == unit(spec.name)
        assert label_names(family) == spec.labels
    rest = {family.name: family for family in described[len(specs) :]}
    assert rest.keys() == {*LAST_EVENT_LABELS, SERIES}
    for name, labels in LAST_EVENT_LABELS.items():
        assert (rest[name].type, rest[name].unit) == ("gauge", "seconds")
        assert label_names(rest[name]) == labels
    assert all(family.documentation.endswith(".") for family in described)
    assert len(described) == 64 + 3
