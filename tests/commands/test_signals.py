"""Signals reach the process whichever thread the system hands them to."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import signal, threading
from pf_exporter.signals import Signals

signals = Signals(signal.SIGTERM, signal.SIGHUP)
ready = threading.Event()

def other():
    ready.wait()
    for number in {numbers}:
        signal.pthread_kill(threading.get_ident(), number)
    if {end}:
        signals.end()

threading.Thread(target=other).start()
ready.set()
print([signals.wait() for _ in range({times})])
"""


@pytest.mark.parametrize(
    ("numbers", "end", "heard"),
    [("[15]", False, "[15]"), ("[1, 15]", False, "[1, 15]"), ("[]", True, "[0]"), ("[1]", True, "[1, 0]")],
)
def test_a_signal_for_another_thread_wakes_the_main_one(numbers: str, end: bool, heard: str) -> None:
    """The main thread waits; the signal goes to another thread; the main one hears it, in order."""
    script = SCRIPT.format(numbers=numbers, end=end, times=heard.count(",") + 1)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == (heard + "\n", "")
