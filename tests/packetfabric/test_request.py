"""A request: what is shown of it, and how long it may take."""

from __future__ import annotations

from pf_exporter.packetfabric.request import Request
from tests.packetfabric.harness import CANARY


def test_secrets_are_not_shown() -> None:
    """Nothing that may hold a credential is part of the text of a request."""
    request = Request(
        "login", "POST", "/v2/auth/login", {"Authorization": CANARY}, {"password": CANARY}, {"q": CANARY}
    )
    assert CANARY not in repr(request)
    assert "/v2/auth/login" in repr(request)


def test_timeouts() -> None:
    """Ten seconds to connect; a stream may pause for as long as it is given, up to a day."""
    assert Request("list", "GET", "/").timeouts == (10.0, 30.0)
    assert Request("stream", "GET", "/", read_timeout=5.0).timeouts == (10.0, 5.0)
    assert Request("stream", "GET", "/", read_timeout=1e9).timeouts == (10.0, 86_400.0)


def test_requests_end_with_the_exporter() -> None:
    """Unless it is asked for, no request is sent after an abort."""
    assert not Request("list", "GET", "/").allow_after_abort
