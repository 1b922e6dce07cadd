"""The labels that users give to circuits in the portal: ``/v2/labels``."""

from __future__ import annotations

from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.labels import sanitize_label
from pf_exporter.schema.polled_resource import (
    HOUR,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    ids,
    listed,
)

MAX_LABELS = 1000
"""Most labels of an account that are read."""

_LIST_PATH = "/v2/labels"
_PATH = "/v2/labels/{id}"

CIRCUIT_LABEL = gauge(
    "circuit_label",
    "The circuit has the label in the portal",
    ("circuit_id", "label"),
    _PATH.format(id="{value}"),
)


def _read_list(body: Any, context: ReadContext) -> Reading:
    labels = listed(body, "labels")
    usable = dict.fromkeys(label for label in labels if isinstance(label, str) and 0 < len(label) <= 256)
    return Reading(ids=tuple(usable)[:MAX_LABELS])


def _read_circuits(body: Any, context: ReadContext) -> Reading:
    objects = listed(body, "objects")
    label = sanitize_label(context.target)
    return Reading(tuple(Sample(CIRCUIT_LABEL.name, (circuit, label), 1.0) for circuit in ids(objects)))


LABELS = PolledResource(
    name="label",
    title="Labels of the portal",
    requests=(PolledRequest(_LIST_PATH),),
    period=HOUR,
    read=_read_list,
    setting="labels",
)
CIRCUIT_LABELS = PolledResource(
    name="circuit_label",
    title="Circuits of each label",
    requests=(PolledRequest(_PATH),),
    period=HOUR,
    read=_read_circuits,
    families=(CIRCUIT_LABEL,),
    scope=Scope.LABEL,
    setting="labels",
)
