from __future__ import annotations

import itertools

import pytest

from pf_exporter.diagnostics.result import (
    CheckFailed,
    CheckResult,
    CheckStatus,
    FailureClass,
    Notice,
    Outcome,
)
from pf_exporter.diagnostics.runner import run_check
from pf_exporter.errors import (
    CertificateNotTrusted,
    ConfigError,
    ExistingSubscriptionGone,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    NotAnEventStream,
    RateLimited,
    Rejected,
    StreamBroken,
    StreamEnded,
    StreamIdle,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)


def result_of(outcome: Outcome | Exception, name: str = "events") -> CheckResult:
    """The result of a check that returns or raises this, and takes 2 seconds."""

    def check() -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return run_check("east", name, check, clock=itertools.count(10.0, 2.0).__next__)


def test_outcomes() -> None:
    """A message is good, a notice is noted, and a failure keeps its class and remedy."""
    assert result_of("fine") == CheckResult("east", "events", CheckStatus.OK, "fine", "", 2.0)
    assert result_of(Notice("odd", "look")) == CheckResult(
        "east", "events", CheckStatus.WARNING, "odd", "look", 2.0
    )
    assert result_of(CheckFailed(FailureClass.CLOCK, "late", "set it")) == CheckResult(
        "east", "events", CheckStatus.FAILED, "late", "set it", 2.0, FailureClass.CLOCK
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConfigError(["pf.yml: bad"]), FailureClass.CONFIG),
        (Unauthorized("x"), FailureClass.LOGIN),
        (LoginIncomplete("x"), FailureClass.LOGIN),
        (Forbidden("x"), FailureClass.STREAM),
        (Unavailable("x"), FailureClass.CONNECTION),
        (CertificateNotTrusted("x"), FailureClass.CONNECTION),
        (RateLimited("x"), FailureClass.CONNECTION),
        (SubscriptionGone("x"), FailureClass.STREAM),
        (ExistingSubscriptionGone("x"), FailureClass.STREAM),
        (Rejected("x"), FailureClass.STREAM),
        (NotAnEventStream("x"), FailureClass.STREAM),
        (StreamEnded("x"), FailureClass.NO_DATA),
        (StreamIdle("x"), FailureClass.NO_DATA),
        (StreamBroken("x"), FailureClass.NO_DATA),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_are_failures_with_a_remedy(error: ExporterError, failure: FailureClass) -> None:
    """Each error that a check can raise has the failure class of its exit code, and a remedy."""
    result = result_of(error)
    assert (result.status, result.failure) == (CheckStatus.FAILED, failure)
    assert result.message == str(error)
    assert result.remedy


def test_the_certificate_has_its_own_remedy() -> None:
    """The remedy of an error takes precedence over that of its base class."""
    assert "ca_file" in result_of(CertificateNotTrusted("x")).remedy
    assert "ca_file" not in result_of(Unavailable("x")).remedy


def test_a_forbidden_login_is_a_login_failure() -> None:
    """HTTP 403 is a missing permission for a stream, but not when it answers the login."""
    assert result_of(Forbidden("x"), "login").failure is FailureClass.LOGIN
    assert result_of(Unavailable("x"), "login").failure is FailureClass.CONNECTION


def test_the_message_is_one_line_with_the_wait() -> None:
    """Several problems are one line, and the wait that the API asks for is in it."""
    assert result_of(ConfigError(["a", "b"])).message == "a; b"
    assert result_of(RateLimited("x", retry_after=5.2)).message == "x; the API asks to wait 5 s"


def test_a_bug_is_not_a_result() -> None:
    """Any other exception is raised: it is a bug, not a failure of the check."""
    with pytest.raises(ZeroDivisionError):
        result_of(ZeroDivisionError())
