"""The keys of tags in descriptions that become labels."""

from __future__ import annotations

import functools

from pf_exporter.config.types import LABEL, SettingType, list_of

MAX_TAGS = 16
"""Most keys of tags that become labels."""


@functools.cache
def reserved_labels() -> frozenset[str]:
    """The labels that the info families already have, or that Prometheus adds."""
    from pf_exporter.schema import RESOURCES  # Only a configuration with tags needs them.

    return frozenset(("job", "instance")).union(*(resource.info.labels for resource in RESOURCES))


def _parse_tag_keys(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    keys = list_of(LABEL).parse(text)
    if len(keys) > MAX_TAGS:
        raise ValueError(f"expected at most {MAX_TAGS} items")
    if reserved_labels().intersection(keys):
        raise ValueError(f"expected none of the reserved labels {', '.join(sorted(reserved_labels()))}")
    return keys


TAG_KEYS = SettingType(_parse_tag_keys, LABEL.metavar, ",".join, repeatable=True)
