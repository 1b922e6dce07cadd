"""A polled list of the API as data: its path, its key, its labels and its metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pf_exporter.schema.family import FamilySpec, gauge
from pf_exporter.schema.labels import parse_tags, sanitize_label
from pf_exporter.schema.parsers import Samples
from pf_exporter.schema.values import is_id


class Circuit(NamedTuple):
    """One object of a list: its ID as received, and its samples by the name of their family."""

    id: str
    samples: Mapping[str, Samples]

    @property
    def series(self) -> int:
        """How many series the samples make under one ID."""
        return sum(map(len, self.samples.values()))


class FieldMetric(NamedTuple):
    """A gauge whose value is one field of an object."""

    field: str
    """The path of the field, such as ``interfaces.0.port_circuit_id``."""
    suffix: str
    """The end of the family's name, after ``packetfabric_<resource>_``."""
    parse: Callable[[object], Samples]
    help: str
    labels: tuple[str, ...] = ()
    """The labels after the account and the circuit."""


@dataclass(frozen=True)
class Resource:
    """One polled list of the API, and the metrics made of its objects."""

    name: str
    path: str
    key: str
    """The field that contains the circuit's ID, and the label of the same name."""
    help: str
    """The help of the info family."""
    labels: Mapping[str, str]
    """The field of each label of the info family after the account and the circuit."""
    metrics: tuple[FieldMetric, ...]
    sort_column: str = ""
    """A documented sort column that does not change, so that pages do not overlap; empty if there is none."""
    opt_in_setting: str = ""
    """The setting of the section ``inventory`` that enables the resource; empty if it is always polled."""

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of a request for the list, other than those of its pages."""
        return {"sort_column": self.sort_column, "sort_order": "asc"} if self.sort_column else {}

    def _family(self, suffix: str, help: str, source: str, labels: Sequence[str]) -> FamilySpec:
        return gauge(f"{self.name}_{suffix}", help, (self.key, *labels), source)

    @functools.cached_property
    def info(self) -> FamilySpec:
        """The family whose labels describe the circuit."""
        return self._family("info", self.help, self.path, tuple(self.labels))

    def label(self, circuit: Circuit, name: str) -> str:
        """The value of a label of the info family."""
        ((values, _),) = circuit.samples[self.info.name]
        return values[self._label_columns[name]]

    @functools.cached_property
    def _label_columns(self) -> Mapping[str, int]:
        return {name: column for column, name in enumerate(self.labels)}

    @functools.cached_property
    def families(self) -> tuple[FamilySpec, ...]:
        """The info family, then one per metric, in the order of ``/metrics``."""
        return (
            self.info,
            *(
                self._family(metric.suffix, metric.help, f"{self.path} {metric.field}", metric.labels)
                for metric in self.metrics
            ),
        )

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field that :meth:`parse` reads, without repetition."""
        return tuple(
            dict.fromkeys((self.key, *self.labels.values(), *(metric.field for metric in self.metrics)))
        )

    def parse(
        self, item: Mapping[str, Any], tag_keys: Sequence[str]
    ) -> tuple[Circuit | None, dict[str, object]]:
        """The circuit that an object of the list describes, and the unusable values by field.

        ``tag_keys`` are the tags of the description that become labels. The circuit is None if the object has
        no usable ID. Does not raise, whatever the object contains.
        """
        circuit_id = item.get(self.key)
        if not is_id(circuit_id):
            return None, {self.key: circuit_id}
        rejected: dict[str, object] = {}
        label_values = []
        for field in self.labels.values():
            raw = _value_at(item, field)
            label_values.append(sanitize_label(raw) if isinstance(raw, str) else "")
            if not isinstance(raw, str | None):
                rejected[field] = raw
        description = item.get("description")
        tags = parse_tags(description) if tag_keys and isinstance(description, str) else {}
        label_values += [tags.get(key, "") for key in tag_keys]
        info, *families = self.families
        samples: dict[str, Samples] = {info.name: [(tuple(label_values), 1.0)]}
        for family, metric in zip(families, self.metrics, strict=True):
            raw = _value_at(item, metric.field)
            if raw is None or raw == "":
                continue
            try:
                samples[family.name] = metric.parse(raw)
            except (ValueError, LookupError, OverflowError):
                rejected[metric.field] = raw
        return Circuit(circuit_id, samples), rejected


def same_names(*labels: str) -> dict[str, str]:
    """A mapping from label to field for labels that have the name of their field."""
    return {label: label for label in labels}


def _value_at(item: Any, field: str) -> Any:
    """The value at a path such as ``interfaces.0.port_circuit_id``, or None."""
    for step in field.split("."):
        if isinstance(item, dict):
            item = item.get(step)
        elif isinstance(item, list) and step.isdigit() and int(step) < len(item):
            item = item[int(step)]
        else:
            return None
    return item
