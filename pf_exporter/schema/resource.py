"""A polled list of the API as data: its path, its key, its labels and metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pf_exporter.schema.family import FamilySpec
from pf_exporter.schema.labels import MAX_LABEL, sanitize_label, tags
from pf_exporter.schema.parsers import Samples
from pf_exporter.schema.values import MAX_ID


class Circuit(NamedTuple):
    """What one object says: its id as received, and by family the samples that follow from it."""

    id: str
    samples: Mapping[str, Samples]

    @property
    def series(self) -> int:
        """How many series it makes under one id."""
        return sum(map(len, self.samples.values()))


class FieldMetric(NamedTuple):
    """A family of numbers: where in an object its number is, and how it is read."""

    family: FamilySpec
    field: str
    read: Callable[[object], Samples]


@dataclass(frozen=True)
class Resource:
    """One list of the API, and what its objects are shown as."""

    noun: str
    path: str
    key: str
    """The field with the circuit's id, and the label of that name."""
    info: FamilySpec
    labels: Mapping[str, str]
    """By label of the info family, besides the account and the id, the field it comes from."""
    measures: tuple[FieldMetric, ...]

    @functools.cached_property
    def families(self) -> tuple[FamilySpec, ...]:
        """All of them, in the order of /metrics."""
        return (self.info, *(measure.family for measure in self.measures))

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """Every field that is read, each once."""
        measured = (measure.field for measure in self.measures)
        return tuple(dict.fromkeys((self.key, *self.labels.values(), *measured)))

    def read(self, item: Mapping[str, Any], keys: Sequence[str]) -> tuple[Circuit | None, dict[str, object]]:
        """The circuit that an object of the list describes, and by field the values that cannot be used.

        ``keys`` are those of the tags that become labels. Nothing makes it raise; no usable id makes it None.
        """
        rejected: dict[str, object] = {}
        circuit_id = item.get(self.key)
        if not isinstance(circuit_id, str) or not 0 < len(circuit_id) <= min(MAX_ID, MAX_LABEL):
            return None, {self.key: circuit_id}
        if sanitize_label(circuit_id) != circuit_id:
            return None, {self.key: circuit_id}
        values = []
        for field in self.labels.values():
            raw = _value_at(item, field)
            values.append(sanitize_label(raw) if isinstance(raw, str) else "")
            if not isinstance(raw, str | None):
                rejected[field] = raw
        description = item.get("description")
        tagged = tags(description) if keys and isinstance(description, str) else {}
        values += [tagged.get(key, "") for key in keys]
        samples: dict[str, Samples] = {self.info.name: [(tuple(values), 1.0)]}
        for family, field, read in self.measures:
            raw = _value_at(item, field)
            if raw is None or raw == "":
                continue
            try:
                samples[family.name] = read(raw)
            except (ValueError, LookupError, OverflowError):
                rejected[field] = raw
        return Circuit(circuit_id, samples), rejected


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
