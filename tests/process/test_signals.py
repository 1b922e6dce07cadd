"""Signals reach the process whichever thread the system delivers them to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import process_environment

SCRIPT = """
import signal, threading
from pf_exporter.process.signals import SignalWaiter

signals = SignalWaiter(signal.SIGTERM, signal.SIGHUP)
ready = threading.Event()

def send():
    ready.wait()
    for number in {numbers}:
        signal.pthread_kill(threading.get_ident(), number)
    if {end}:
        signals.end()

threading.Thread(target=send).start()
ready.set()
print([signals.wait() for _ in range({count})])
"""


def output_of(script: str) -> tuple[str, str]:
    """Run a program, and return its standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=process_environment(),
        timeout=60,
        check=False,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("numbers", "end", "received"),
    [("[15]", False, "[15]"), ("[1]", False, "[1]"), ("[]", True, "[0]"), ("[1]", True, "[1, 0]")],
)
def test_a_signal_for_another_thread_wakes_the_main_thread(numbers: str, end: bool, received: str) -> None:
    """Signals that the system delivers to another thread reach the waiting main thread, in order."""
    script = SCRIPT.format(numbers=numbers, end=end, count=received.count(",") + 1)
    assert output_of(script) == (received + "\n", "")


FLOOD = """
import os, signal
from pf_exporter.process.signals import SignalWaiter

signals = SignalWaiter(signal.SIGTERM, signal.SIGHUP)
for _ in range(100_000):
    os.kill(os.getpid(), signal.SIGHUP)
{end}
print(signals.wait())
"""


@pytest.mark.parametrize(
    ("end", "received"), [("os.kill(os.getpid(), signal.SIGTERM)", "15\n"), ("signals.end()", "0\n")]
)
def test_an_end_is_not_lost_in_a_flood(end: str, received: str) -> None:
    """The end is next, however many signals came before it and were not waited for."""
    assert output_of(FLOOD.format(end=end)) == (received, "")
