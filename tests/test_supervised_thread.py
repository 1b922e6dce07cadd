"""A supervised thread reports how it ends."""

from __future__ import annotations

import threading

import pytest

from pf_exporter.supervised_thread import SupervisedThread


def fail() -> None:
    raise RuntimeError("secret")


def test_an_unexpected_exception_is_logged_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    """The exception reaches ``on_failure``, and one line of the log names the thread and the account."""
    reported: list[BaseException] = []
    thread = SupervisedThread(fail, name="stream north", on_failure=reported.append, account="north")
    thread.start()
    assert thread.join(60)
    assert [type(exc) for exc in reported] == [RuntimeError]
    (record,) = caplog.records
    assert record.getMessage() == "thread died of an unexpected exception"
    fields = vars(record)["fields"]
    assert "test_supervised_thread.py:" in fields.pop("at")
    assert fields == {"thread": "stream north", "account": "north", "exception": "RuntimeError"}


def test_system_exit_is_reported_too() -> None:
    """An exception that a plain thread ignores does not end the work silently."""
    reported: list[BaseException] = []

    def leave() -> None:
        raise SystemExit

    thread = SupervisedThread(leave, name="stream", on_failure=reported.append)
    thread.start()
    assert thread.join(60)
    assert [type(exc) for exc in reported] == [SystemExit]


def test_a_regular_end_reports_nothing() -> None:
    """Work that returns reports nothing, and join() returns False until then."""
    reported: list[BaseException] = []
    gate = threading.Event()
    thread = SupervisedThread(gate.wait, name="stream", on_failure=reported.append)
    thread.start()
    assert not thread.join(0.0)
    gate.set()
    assert thread.join(60)
    assert reported == []


def test_a_thread_that_never_started_has_ended() -> None:
    """join() can be called on a thread that was never needed."""
    assert SupervisedThread(fail, name="stream", on_failure=lambda exc: None).join(0.0)
