from __future__ import annotations

from pf_exporter.diagnostics.result import CheckResult, CheckStatus, FailureClass


def test_a_failed_check_as_json() -> None:
    """The keys and values are those that scripts read from ``check --json``."""
    result = CheckResult(
        "east", "login", CheckStatus.BAD, "HTTP 401", "correct it", 0.12345, FailureClass.LOGIN
    )
    assert result.as_json() == {
        "account": "east",
        "name": "login",
        "state": "bad",
        "said": "HTTP 401",
        "hint": "correct it",
        "seconds": 0.123,
        "failure": "login",
    }


def test_a_good_check_as_json() -> None:
    """A check that has no remedy and no failure has empty strings for them."""
    result = CheckResult("", "listen", CheckStatus.GOOD, "free").as_json()
    assert (result["state"], result["hint"], result["failure"]) == ("good", "", "")
