"""Lines of logfmt and JSON for text from outside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.log.line_format import json_line, logfmt


@given(st.text())
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    """Newlines, escape sequences and surrogates stay in one field of one line, in both forms."""
    for line in (logfmt({"msg": text, "next": 1}), json_line({"msg": text, "next": 1})):
        line.encode()
        assert len(line.splitlines()) == 1
        assert all(letter.isprintable() for letter in line)
    assert logfmt({"msg": text, "next": 1}).endswith(" next=1")


def test_long_values_are_cut() -> None:
    """A value of a megabyte becomes a line of less than 600 characters."""
    assert len(logfmt({"msg": "x" * 1_000_000})) < 600
