"""A metric family about the exporter itself, and how its values are read from an account's object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prometheus_client.metrics_core import Metric

from pf_exporter.metrics.metric_family import empty_family
from pf_exporter.schema import MetricType
from pf_exporter.state import LabelValues


class AccountObject(Protocol):
    """An object that belongs to one account."""

    @property
    def account(self) -> str:
        """The account's name, the value of the label ``account``."""


Source = TypeVar("Source", bound=AccountObject)


@dataclass(frozen=True)
class SelfMetric(Generic[Source]):
    """A family with an ``account`` label, whose values are read from one object per account."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    """Without ``account``."""
    read: Callable[[Source], Mapping[LabelValues, float]]
    """Returns the values by the values of ``labels``."""


def unlabelled(value: float | None) -> Mapping[LabelValues, float]:
    """Return a single value without labels, or no value for None."""
    return {} if value is None else {(): value}


def by_label(values: Mapping[str, float]) -> Mapping[LabelValues, float]:
    """Return a copy of values by one label; another thread may add keys meanwhile."""
    return {(label,): value for label, value in list(values.items())}


def describe(metrics: Iterable[SelfMetric[Source]]) -> Iterator[Metric]:
    """Yield the families without samples."""
    for metric in metrics:
        yield empty_family(metric.name, metric.type, metric.help, ("account", *metric.labels))


def collect(metrics: Iterable[SelfMetric[Source]], sources: Sequence[Source]) -> Iterator[Metric]:
    """Yield the families with the values of all sources."""
    for metric in metrics:
        family = empty_family(metric.name, metric.type, metric.help, ("account", *metric.labels))
        for source in sources:
            for labels, value in metric.read(source).items():
                family.add_metric((source.account, *labels), value)
        yield family
