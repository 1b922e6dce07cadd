from __future__ import annotations

import re
from pathlib import Path

from pf_exporter.diagnostics.result import CheckResult, CheckStatus, FailureClass

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_a_failed_check_as_json() -> None:
    """The keys and values are those that scripts read from ``check --json``."""
    result = CheckResult(
        "east", "login", CheckStatus.FAILED, "HTTP 401", "correct it", 0.12345, FailureClass.LOGIN
    )
    assert result.as_json() == {
        "account": "east",
        "name": "login",
        "status": "failed",
        "message": "HTTP 401",
        "remedy": "correct it",
        "seconds": 0.123,
        "failure": "login",
    }


def test_a_successful_check_as_json() -> None:
    """A check without remedy and failure has empty strings for them."""
    result = CheckResult("", "listen", CheckStatus.OK, "free").as_json()
    assert (result["status"], result["remedy"], result["failure"]) == ("ok", "", "")


def test_values_are_documented() -> None:
    """docs/commands.md names every key, status and class of failure of ``check --json``."""
    section = PAGE.read_text(encoding="utf-8").partition("### check --json")[2].partition("###")[0]
    keys = set(CheckResult("", "", CheckStatus.OK, "").as_json())
    assert set(re.findall(r'^ {6}"(\w+)"', section, re.M)) == keys
    values = {value.value for kind in (CheckStatus, FailureClass) for value in kind}
    assert values <= set(re.findall(r"`(\w+)`", section))
