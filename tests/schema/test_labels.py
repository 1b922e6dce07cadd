"""Label values: sanitized text, canonical IDs, and tags."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.schema.labels import MAX_LABEL, canonical_id, sanitize_label


@given(st.text(st.characters(exclude_categories=()), max_size=600))
def test_sanitized_text(text: str) -> None:
    """Any text becomes one encodable line of limited length, and does not change when sanitized again."""
    line = sanitize_label(text)
    assert len(line.encode()) <= MAX_LABEL
    assert line.splitlines() in ([], [line])
    assert not any(ord(char) < 32 or ord(char) == 127 for char in line)
    line.encode()
    assert sanitize_label(line) == line


def test_truncation_is_visible() -> None:
    """A truncated label ends in an ellipsis."""
    assert sanitize_label("x" * 10_000) == "x" * (MAX_LABEL - 3) + "…"
    assert sanitize_label("x" * MAX_LABEL) == "x" * MAX_LABEL


def test_labels_are_limited_in_bytes() -> None:
    """A label of many bytes per character has fewer characters, none of which is cut in two."""
    assert sanitize_label("é" * 128) == "é" * 128
    assert sanitize_label("é" * 129) == "é" * 126 + "…"
    assert sanitize_label("漢" * 500) == "漢" * 84 + "…"
    assert sanitize_label("\U0001f99d" * 500) == "\U0001f99d" * 63 + "…"
    assert sanitize_label("x" * 252 + "漢" * 9) == "x" * 252 + "…"


def test_canonical_ids() -> None:
    """One trailing -PF makes no difference, and nothing else is removed."""
    assert canonical_id("PF-BC-LAX-NYC-1-PF") == canonical_id("PF-BC-LAX-NYC-1") == "PF-BC-LAX-NYC-1"
    assert canonical_id("PF-AP-1-PF-PF") == "PF-AP-1-PF"
