"""Log lines: their form, their levels, and what they never contain."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys

from pf_exporter.log import Logger
from tests.conftest import LogFile, process_environment

log = Logger("pf_exporter.x")


def test_a_line_has_the_keys_of_prometheus_programs(log_file: LogFile) -> None:
    """A line has time, level, source and msg, then the fields."""
    log.warning("stream lost", account="east", retry_in=1.5)
    assert re.fullmatch(
        r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warn source=test_logger\.py:\d+"
        r' msg="stream lost" account=east retry_in=1\.5\n',
        log_file.text(),
    )


def test_json_keeps_numbers(log_file: LogFile) -> None:
    """With --log.format=json each line is an object, and numbers are numbers."""
    log_file.configure("info", "json")
    log.error("stream lost", retry_in=1.5, account='a"b')
    line = json.loads(log_file.text())
    assert (line["level"], line["msg"], line["retry_in"], line["account"]) == (
        "error",
        "stream lost",
        1.5,
        'a"b',
    )


def test_lines_below_the_level_are_not_written(log_file: LogFile) -> None:
    """Each level hides those below it."""
    log_file.configure("warn")
    log.info("hidden")
    assert log_file.text() == ""
    log_file.configure("debug")
    log.debug("shown")
    assert log_file.text().count("\n") == 1


def test_libraries_log_warnings_and_errors_only(log_file: LogFile) -> None:
    """Debug and info lines of libraries stay out at every level: they may contain URLs with secrets."""
    log_file.configure("debug")
    logging.getLogger("library").debug("GET /v2/events/secret")
    logging.getLogger("library").info("hidden")
    assert log_file.text() == ""
    logging.getLogger("library").warning("shown")
    assert "level=warn" in log_file.text()


def raise_canary() -> None:
    raise ValueError("canary")


def test_an_exception_is_logged_without_its_text(log_file: LogFile) -> None:
    """An unexpected exception is logged by type, with the lines it passed through, and without its text."""
    try:
        raise_canary()
    except ValueError:
        log.exception("thread died")
    line = log_file.text()
    assert "exception=ValueError" in line
    assert line.count("test_logger.py:") == 3  # where it was logged, called and raised
    assert "canary" not in line


def test_an_exception_of_a_library_is_logged_without_its_text(log_file: LogFile) -> None:
    """The same holds for a library that logs an exception."""
    try:
        raise_canary()
    except ValueError:
        logging.getLogger("uvicorn").exception("failed")
    line = log_file.text()
    assert "exception=ValueError" in line
    assert "canary" not in line


def test_a_flood_is_one_line(log_file: LogFile) -> None:
    """A hundred thousand throttled warnings of one key are one line; another key has its own."""
    throttled = Logger("pf_exporter.x")
    for number in range(100_000):
        throttled.warning_throttled("bad", "event rejected", number=number)
    throttled.warning_throttled("other", "something else")
    assert log_file.text().count("\n") == 2


UNCONFIGURED = """
from pf_exporter.log import Logger

try:
    raise ValueError("canary")
except ValueError:
    Logger("pf_exporter.x").exception("thread died")
"""


def test_before_configuration_a_message_is_printed_without_the_exception() -> None:
    """Before the log is configured a warning or error is printed as its bare message."""
    command = [sys.executable, "-c", UNCONFIGURED]
    done = subprocess.run(
        command, capture_output=True, text=True, env=process_environment(), timeout=60, check=True
    )
    assert done.stderr == "thread died\n"
