"""What the log looks like, and what never gets into it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.log import Logger, configure_logging, jsonline, logfmt


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes for one test; what was before comes back."""
    root, ours = logging.getLogger(), logging.getLogger("pf_exporter")
    before = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    configure_logging("info", "logfmt", stream)
    yield stream
    root.handlers[:], root.level, ours.level = before


def test_a_line_has_the_keys_of_prometheus_programs(out: io.StringIO) -> None:
    """time, level, source and msg, then the facts; one line an event."""
    Logger("pf_exporter.x").warning("stream lost", account="east", retry_in=1.5)
    line = out.getvalue()
    assert re.fullmatch(
        r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warn source=test_logs\.py:\d+"
        r' msg="stream lost" account=east retry_in=1\.5\n',
        line,
    )


def test_json_keeps_numbers(out: io.StringIO) -> None:
    """With --log.format=json each line is an object, and numbers are numbers."""
    configure_logging("info", "json", out)
    Logger("pf_exporter.x").error("stream lost", retry_in=1.5, account='a"b')
    found = json.loads(out.getvalue())
    assert (found["level"], found["msg"], found["retry_in"], found["account"]) == (
        "error",
        "stream lost",
        1.5,
        'a"b',
    )


def test_levels(out: io.StringIO) -> None:
    """What is below the level is not written; libraries are heard from warnings on."""
    configure_logging("warn", "logfmt", out)
    Logger("pf_exporter.x").info("unheard")
    logging.getLogger("urllib3").debug("GET /v2/events/secret")
    assert out.getvalue() == ""
    configure_logging("debug", "logfmt", out)
    Logger("pf_exporter.x").debug("heard")
    logging.getLogger("urllib3").info("unheard")
    assert out.getvalue().count("\n") == 1


@given(st.text())
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    """Newlines, escape sequences and surrogates from outside stay one field of one line, in both forms."""
    for line in (logfmt({"msg": text, "next": 1}), jsonline({"msg": text, "next": 1})):
        line.encode()
        assert len(line.splitlines()) == 1
        assert all(letter.isprintable() for letter in line)
    assert logfmt({"msg": text, "next": 1}).endswith(" next=1")


def test_long_texts_are_cut() -> None:
    """A megabyte from outside is not a megabyte in the log."""
    assert len(logfmt({"msg": "x" * 1_000_000})) < 600


def test_a_bug_shows_its_way_and_not_its_words(out: io.StringIO) -> None:
    """An unforeseen exception is named, with the lines it came through; its text may hold a secret."""

    def inner() -> None:
        raise ValueError("canary")

    try:
        inner()
    except ValueError:
        Logger("pf_exporter.x").bug("a thread has died")
    line = out.getvalue()
    assert "exception=ValueError" in line
    assert line.count("test_logs.py:") == 3  # where it was logged, called and raised
    assert "canary" not in line


def test_a_flood_is_one_line(out: io.StringIO) -> None:
    """A hundred thousand times the same is one line; another key is a line of its own."""
    log = Logger("pf_exporter.x")
    for number in range(100_000):
        log.warning_throttled("bad", "event rejected", number=number)
    log.warning_throttled("other", "something else")
    assert out.getvalue().count("\n") == 2
