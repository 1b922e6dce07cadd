"""The keys of tags in descriptions that become labels."""

from __future__ import annotations

from pf_exporter.config.types import LABEL, SettingType, list_of
from pf_exporter.schema import RESOURCES

MAX_TAGS = 16
"""Most keys of tags that become labels."""

RESERVED_LABELS = {label for resource in RESOURCES for label in resource.info.labels} | {"job", "instance"}
"""Labels that the info families already have, or that Prometheus adds."""


def _parse_tag_keys(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    keys = list_of(LABEL).parse(text)
    if len(keys) > MAX_TAGS:
        raise ValueError(f"expected at most {MAX_TAGS} items")
    if RESERVED_LABELS.intersection(keys):
        raise ValueError(f"expected none of the reserved labels {', '.join(sorted(RESERVED_LABELS))}")
    return keys


TAG_KEYS = SettingType(_parse_tag_keys, LABEL.metavar, ",".join, repeatable=True)
