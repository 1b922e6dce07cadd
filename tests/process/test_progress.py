"""Progress of long work, on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import re
import threading
from collections.abc import Iterator

import pytest

from pf_exporter.log import Logger, configure_logging
from pf_exporter.process.progress import ERASE, Progress, ProgressLine, render
from tests.conftest import LogFile, fill

log = Logger("pf_exporter.x")


def plain(text: str) -> str:
    """A text without control sequences."""
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """A terminal: the end that a person reads, and the end that a program writes to."""
    monkeypatch.setenv("TERM", "xterm")
    reader, writer = pty.openpty()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read_until(reader: int, text: str) -> str:
    """What a terminal shows up to a text."""
    data = ""
    while text not in data:
        data += os.read(reader, 4096).decode()
    return data


def test_a_bar_shows_the_fraction() -> None:
    """With a known end a bar and a percentage precede the text; beyond the end it stays at 100 %."""
    assert plain(render(Progress("1,234 events"), 80)) == "1,234 events"
    line = plain(render(Progress("5m of 10m", 0.5), 80))
    assert line.startswith("━━━━━━━━━━━━")
    assert line.endswith(" 50% 5m of 10m")
    assert " 100% " in plain(render(Progress("late", 1.2), 80))


@pytest.mark.parametrize("width", [1, 10, 40])
def test_a_line_fits_the_terminal(width: int) -> None:
    """A narrow terminal cuts the text: a line that wraps could not be erased."""
    for fraction in (None, 0.5):
        line = plain(render(Progress("x" * 100, fraction), width))
        assert "\n" not in line
        assert len(line) <= width


def test_log_and_results_replace_the_line(log_file: LogFile, terminal: tuple[int, int]) -> None:
    """On a terminal the line is erased before log lines and results, and at the end."""
    reader, writer = terminal
    handler = configure_logging("info", "logfmt", writer)
    with ProgressLine(lambda: Progress("at work"), handler, writer) as line:
        read_until(reader, "at work")
        log.info("logged")
        assert f"{ERASE}time=" in read_until(reader, "msg=logged\r\n")
        read_until(reader, "at work")
        with line.erased():
            os.write(writer, b"result\n")
        assert f"{ERASE}result" in read_until(reader, "result")
        read_until(reader, "at work")
    log.info("last")
    handler.flush()
    assert handler.line_prefix == ""
    assert re.search(re.escape(ERASE) + r"time=\S+ level=info \S+ msg=last", read_until(reader, "msg=last"))


def test_nothing_is_drawn_elsewhere(log_file: LogFile) -> None:
    """Without a terminal neither the source is read nor anything written."""
    called = threading.Event()

    def progress() -> Progress:
        called.set()
        return Progress("at work")

    reader, writer = os.pipe()
    with ProgressLine(progress, log_file.handler, writer) as line, line.erased():
        log.info("logged")
    os.close(writer)
    assert os.read(reader, 100) == b""
    os.close(reader)
    assert not called.is_set()
    assert log_file.text().startswith("time=")


def test_a_blocked_terminal_does_not_keep_the_command(log_file: LogFile, terminal: tuple[int, int]) -> None:
    """When the terminal takes no more, as after Ctrl-S, work goes on and the line is left behind."""
    _, writer = terminal
    drawing = threading.Event()

    def progress() -> Progress:
        drawing.set()
        return Progress("at work")

    fill(writer)
    with ProgressLine(progress, log_file.handler, writer) as line:
        assert drawing.wait(60)
        with line.erased():
            pass
