"""What is logged of failures that last."""

from __future__ import annotations

import pytest

from pf_exporter.errors import Forbidden, Rejected, Unauthorized, Unavailable
from pf_exporter.packetfabric.failure_log import REPEAT_AFTER, FailureLog
from pf_exporter.packetfabric.session_stats import CredentialState, SessionStats
from tests.state.harness import Clock

REFUSED = Unauthorized("login: api:443: HTTP 401")


class Harness:
    """A failure log with a clock, and the lines that it wrote."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.clock = Clock()
        self.stats = SessionStats(credential=CredentialState.REFUSED)
        self.log = FailureLog("acme", self.stats, clock=self.clock)
        self._caplog = caplog

    def lines(self) -> list[tuple[str, str]]:
        found = [(record.levelname, record.getMessage()) for record in self._caplog.records]
        self._caplog.clear()
        return found


@pytest.fixture
def harness(caplog: pytest.LogCaptureFixture) -> Harness:
    return Harness(caplog)


def test_once_an_hour(harness: Harness) -> None:
    """A refused credential is logged at once, then once an hour, by whichever thread meets it."""
    harness.log.failed("not streaming", REFUSED, 30)
    harness.log.failed("inventory not refreshed", REFUSED, 30)
    assert harness.lines() == [("ERROR", "credentials not accepted")]
    harness.clock.now += REPEAT_AFTER - 1
    harness.log.failed("not streaming", REFUSED, 30)
    assert harness.lines() == []
    harness.clock.now += 1
    harness.log.failed("not streaming", REFUSED, 30)
    harness.log.failed("not streaming", REFUSED, 30)
    assert harness.lines() == [("ERROR", "credentials not accepted")]


def test_after_a_success(harness: Harness) -> None:
    """A credential that is refused after it was accepted is logged at once."""
    harness.log.failed("not streaming", REFUSED, 30)
    harness.log.resolved()
    harness.log.failed("not streaming", REFUSED, 30)
    assert harness.lines() == [("ERROR", "credentials not accepted")] * 2


def test_missing_permissions(harness: Harness) -> None:
    """A permission is missing for the stream, the inventory, or both: each is logged on its own."""
    harness.stats.credential = CredentialState.ACCEPTED
    for message in ("not streaming", "inventory not refreshed", "not streaming"):
        harness.log.failed(message, Forbidden("list: api:443: HTTP 403"), 30)
    assert harness.lines() == [("ERROR", "not streaming"), ("ERROR", "inventory not refreshed")]
    harness.log.resolved("not streaming")
    for message in ("not streaming", "inventory not refreshed"):
        harness.log.failed(message, Forbidden("list: api:443: HTTP 403"), 30)
    assert harness.lines() == [("ERROR", "not streaming")]


def test_before_the_credential_was_accepted(harness: Harness) -> None:
    """Until a credential is verified, HTTP 401 is about the credential, and 403 about a permission."""
    harness.stats.credential = CredentialState.NOT_VERIFIED
    for error in (REFUSED, Forbidden("list: api:443: HTTP 403")):
        for message in ("not streaming", "inventory not refreshed"):
            harness.log.failed(message, error, 30)
    assert harness.lines() == [
        ("ERROR", "credentials not accepted"),
        ("ERROR", "not streaming"),
        ("ERROR", "inventory not refreshed"),
    ]


def test_a_remedy_is_logged_once(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """A failure that repeats is one short line; its remedy follows after an hour, or after a success."""
    for step in ("first", "again", "an hour later", "again", "resolved"):
        if step == "an hour later":
            harness.clock.now += REPEAT_AFTER
        if step == "resolved":
            harness.log.resolved("not streaming")
        harness.log.failed("not streaming", Unavailable("a"), 1)
    explained = ["remedy" in vars(record)["fields"] for record in caplog.records]
    assert explained == [True, False, True, False, True]


def test_other_failures(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """They are logged each time, with cause and delay; a broken contract is an error."""
    harness.stats.credential = CredentialState.ACCEPTED
    for error in (Unavailable("a"), Unavailable("a"), REFUSED, Rejected("b")):
        harness.log.failed("not streaming", error, 1.26)
    fields = vars(caplog.records[0])["fields"]
    assert fields.keys() == {"account", "reason", "error", "remedy", "retry_in"}
    assert fields["retry_in"] == 1.3
    explained = ["remedy" in vars(record)["fields"] for record in caplog.records]
    assert explained == [True, False, True, True]
    assert [level for level, _ in harness.lines()] == ["WARNING", "WARNING", "WARNING", "ERROR"]
