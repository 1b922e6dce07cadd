"""The log on a standard error that blocks, fails or is closed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from pf_exporter.log import Logger, configure_logging, flush_logging
from pf_exporter.log.writer import MAX_LINES
from tests.conftest import LogFile, fill, process_environment, until

log = Logger("pf_exporter.x")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a full pipe."""
    reader, writer = os.pipe()
    fill(writer)
    yield reader, writer
    os.close(reader)
    os.close(writer)


class PipeReader:
    """Reads a pipe on a thread until a text has arrived."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.data = b""

    def read_until(self, text: bytes) -> list[bytes]:
        """Every whole line up to the one with the text."""
        while text not in self.data or not self.data.endswith(b"\n"):
            self.data += os.read(self._descriptor, 1 << 16)
        return self.data.lstrip(b"\0").splitlines()


def test_a_blocked_pipe_blocks_no_caller(log_file: LogFile, pipe: tuple[int, int]) -> None:
    """Lines beyond the queue are dropped and counted, and reported once when the pipe is read again."""
    reader, writer = pipe
    handler = configure_logging("info", "logfmt", writer)
    log.info("first")
    number = 2 * MAX_LINES + 500
    for index in range(number):
        log.info("line", number=index)
    dropped = handler.dropped
    assert number - 2 * MAX_LINES <= dropped <= number - MAX_LINES
    lines = PipeReader(reader).read_until(b"log lines dropped")
    assert b"level=warn source=handler.py:" in lines[-1]
    assert lines[-1].endswith(b'msg="log lines dropped" count=%d' % dropped)
    assert len(lines) == 1 + number - dropped + 1
    log.info("last")
    assert [b"msg=last" in line for line in PipeReader(reader).read_until(b"msg=last")] == [True]
    assert handler.dropped == dropped


def test_flushing_a_blocked_pipe_has_a_deadline(log_file: LogFile, pipe: tuple[int, int]) -> None:
    """Flushing gives up on a pipe that stays full, and the line is written when it is read."""
    reader, writer = pipe
    configure_logging("info", "logfmt", writer)
    log.info("late")
    flush_logging()
    assert PipeReader(reader).read_until(b"msg=late")


def test_a_pipe_that_another_process_made_non_blocking(log_file: LogFile, pipe: tuple[int, int]) -> None:
    """On a full non-blocking pipe a line waits, as on a blocking one."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    handler = configure_logging("info", "logfmt", writer)
    log.info("late")
    flush_logging()
    assert PipeReader(reader).read_until(b"msg=late")
    flush_logging()
    assert handler.dropped == 0


def test_a_failed_write_is_a_dropped_line(log_file: LogFile) -> None:
    """A descriptor that cannot be written to loses lines, and nothing else."""
    reader, writer = os.pipe()
    os.close(reader)
    handler = configure_logging("info", "logfmt", writer)
    log.info("lost")
    flush_logging()
    assert handler.dropped == 1
    os.close(writer)


def test_after_the_end_lines_are_dropped(log_file: LogFile) -> None:
    """A line that is logged after the handler was closed is counted, and raises nothing."""
    log.info("written")
    log_file.handler.flush()
    log_file.handler.close()
    log.info("late")
    assert "late" not in log_file.text()
    assert log_file.handler.dropped == 1


def test_a_new_configuration_ends_the_old_writer(log_file: LogFile) -> None:
    """Configuring the log again flushes the old lines and leaves one writer."""
    log.info("old")
    before = {thread for thread in threading.enumerate() if thread.name == "log"}
    log_file.configure("info")
    log.info("new")
    assert [line.split("msg=")[1] for line in log_file.text().splitlines()] == ["old", "new"]
    until(lambda: len(before & set(threading.enumerate())) == 0, "the old writer to end")


def test_libraries_do_not_log_what_was_received(log_file: LogFile) -> None:
    """Warnings of urllib3, which quote URLs, and debug messages of sseclient stay out of the log."""
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").warning("canary in a URL")
    logging.getLogger("sseclient").debug("canary in a field")
    logging.getLogger("sseclient").warning("shown")
    text = log_file.text()
    assert "shown" in text
    assert "canary" not in text


def test_a_record_that_cannot_be_formatted_fails_no_caller(log_file: LogFile) -> None:
    """A wrong placeholder in a library's message becomes a line about the log, without the text."""
    record = logging.makeLogRecord({"name": "library", "msg": "%d", "args": ("canary",), "levelno": 30})
    log_file.handler.handle(record)
    line = log_file.text()
    assert 'msg="log record cannot be formatted" logger=library exception=TypeError' in line
    assert "canary" not in line


EXIT = """
from pf_exporter.log import Logger, configure_logging

configure_logging("info", "logfmt")
for number in range(1000):
    Logger("pf_exporter.x").info("line", number=number)
"""


def test_exit_writes_what_is_queued() -> None:
    """Lines that are queued when the program ends are written."""
    command = [sys.executable, "-c", EXIT]
    done = subprocess.run(
        command, capture_output=True, text=True, env=process_environment(), timeout=60, check=True
    )
    assert done.stderr.count("msg=line") == 1000


def test_exit_does_not_wait_for_a_blocked_pipe(pipe: tuple[int, int]) -> None:
    """The program ends although nothing reads its standard error."""
    command = [sys.executable, "-c", EXIT]
    done = subprocess.run(command, stderr=pipe[1], env=process_environment(), timeout=60, check=False)
    assert done.returncode == 0
