"""What each response means for the samples of a request."""

from __future__ import annotations

import pytest

from pf_exporter.remote_write.outcome import Verdict, judge
from pf_exporter.remote_write.receiver import Response

DELIVERED, RETRY, SPLIT = Verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, DELIVERED),
        (204, DELIVERED),
        (301, RETRY),
        (308, RETRY),
        (400, SPLIT),
        (401, RETRY),
        (403, RETRY),
        (404, RETRY),
        (405, RETRY),
        (408, RETRY),
        (409, SPLIT),
        (413, SPLIT),
        (415, RETRY),
        (422, SPLIT),
        (429, RETRY),
        (500, RETRY),
        (503, RETRY),
    ],
)
def test_verdict(status: int, verdict: Verdict) -> None:
    """What concerns the endpoint may pass and is sent again; what concerns the samples is split."""
    outcome = judge(Response(status, {}, b""))
    assert outcome.verdict is verdict
    assert (outcome.problem == "") is (verdict is DELIVERED)


def test_web_page() -> None:
    """A web page is no receiver, even with status 200, and its text is not shown."""
    page = Response(200, {"content-type": "text/html; charset=utf-8"}, b"<html>Log in</html>")
    assert judge(page).verdict is RETRY
    assert judge(page).problem == "the response is a web page; check url"
    assert judge(page._replace(status=502)).problem == "HTTP 502"


def test_message() -> None:
    """The first line of the receiver's text is shown, limited, and without control characters."""
    text = b"out of order sample\x1b[0m" + b"x" * 300 + b"\nsecond line"
    problem = judge(Response(400, {}, text)).problem
    assert problem.startswith('HTTP 400 ("out of order sample[0mxxx')
    assert len(problem) < 220


def test_retry_after() -> None:
    """The receiver's wish to wait is respected."""
    assert judge(Response(429, {"retry-after": "7"}, b"")).wait == 7.0
    assert judge(Response(503, {}, b"")).wait is None
