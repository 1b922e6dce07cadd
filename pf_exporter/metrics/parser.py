"""Parses a page in the text or OpenMetrics format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

OPENMETRICS = "application/openmetrics-text"


class ParsedSample(NamedTuple):
    """One line of a page."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse_samples(text: str, content_type: str, names: Collection[str]) -> Iterator[ParsedSample]:
    """The samples whose names are among ``names``; ``content_type`` determines the format.

    Raises ``ValueError`` for text that is in neither format.
    """
    if content_type.partition(";")[0].strip() == OPENMETRICS:
        families = parse_openmetrics(text)  # type: ignore[no-untyped-call]
    else:
        families = parse_text(_only(text, names))
    for family in families:
        for sample in family.samples:
            if sample.name in names:
                yield ParsedSample(sample.name, sample.labels, sample.value)


def _only(text: str, names: Collection[str]) -> str:
    """The lines of these samples; parsing the others would take most of the time."""
    wanted = []
    for line in text.splitlines():
        end = line.find("{")
        if (line[:end] if end > 0 else line.partition(" ")[0]) in names:
            wanted.append(line)
    return "\n".join(wanted) + "\n"
