"""HTTP status codes as errors: their classes, messages and waits."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    NotAnEventStream,
    NotFound,
    RateLimited,
    Rejected,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric import status_errors
from pf_exporter.packetfabric.status_errors import retry_after
from tests.fakes import Answer, Fake
from tests.packetfabric.harness import KEY, SUBSCRIPTION, make_client

STATUSES: list[tuple[int, type[ApiError]]] = [
    (400, Rejected),
    (401, Unauthorized),
    (403, Forbidden),
    (404, NotFound),
    (408, Unavailable),
    (422, Rejected),
    (429, RateLimited),
    (500, Unavailable),
    (502, Unavailable),
    (503, Unavailable),
    (504, Unavailable),
    (302, Rejected),
    (204, Rejected),
    (202, Rejected),
    (999, Unavailable),
]


@pytest.mark.parametrize(("status", "error"), STATUSES)
@pytest.mark.parametrize("phase", ["login", "subscribe", "/v2/ports", "open"])
def test_error_of_a_status(fake: Fake, phase: str, status: int, error: type[ExporterError]) -> None:
    """Every status has one meaning; on the stream 404 is a lost subscription, and 2xx is not a stream."""
    fake.script[phase] = [Answer(status, {"Location": fake.url, "Retry-After": "9"})]
    client = make_client(fake)
    calls = {
        "login": lambda: client.login(),
        "subscribe": lambda: client.subscribe(KEY, []),
        "/v2/ports": lambda: list(client.pages(KEY, "/v2/ports", key="n")),
        "open": lambda: client.open(KEY, SUBSCRIPTION),
    }
    if phase == "open":
        error = {404: SubscriptionGone, 204: NotAnEventStream, 202: NotAnEventStream}.get(status, error)
    with pytest.raises(ExporterError, match=f"HTTP {status}") as caught:
        calls[phase]()
    assert type(caught.value) is error
    if isinstance(caught.value, ApiError) and not isinstance(caught.value, SubscriptionGone):
        assert caught.value.retry_after == 9
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "vlan: too small"}', 'HTTP 400 ("vlan: too small")'),
        (b'{"message": "a\\u001b[31m\\nb"}', 'HTTP 400 ("a[31mb")'),
        (
            b"{\"message\": \"'password' of 'user'\"}",
            "HTTP 400 (\"'<secret>' of '<secret>'\")",
        ),
        (b'{"message": "%b"}' % (b"x" * 999), f'HTTP 400 ("{"x" * 200}")'),
        (b'{"message": [1]}', "HTTP 400"),
        (b'{"message": ' + b"[" * 5000 + b"]" * 5000 + b"}", "HTTP 400"),
        (b"[]", "HTTP 400"),
        (b"not found", "HTTP 400"),
    ],
)
def test_message_of_the_api(fake: Fake, body: bytes, message: str) -> None:
    """The API's message is passed on, on one line, limited, without the credentials that it echoes."""
    fake.script["login"] = [Answer(400, body=body)]
    with pytest.raises(Rejected) as caught:
        make_client(fake).login()
    assert str(caught.value) == f"login: {fake.url.removeprefix('http://')}: {message}"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        (formatdate(1060, usegmt=True), 60),
        (formatdate(940, usegmt=True), 0),
        ("Thu, 01 Jan 1970 01:17:40 +0100", 60),
        ("-5", None),
        ("abc", None),
        ("", None),
        ("1.5", None),
        ("١٢", None),
        ("315360000", 3600),
        ("9" * 18, 3600),
        ("9" * 400, None),
        (formatdate(1000 + 315360000, usegmt=True), 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """Seconds and dates are parsed; the past is 0, nonsense is None, ten years are an hour."""
    assert retry_after(value, 1000.0) == seconds


@given(
    st.text(st.characters(codec="latin-1"), max_size=40)
    | st.from_regex(r"\w*,? ?\d* \w* \d* [\d:]* ?[+-]?\w*")
)
def test_any_retry_after(value: str) -> None:
    """For any header the result is None or within the limit."""
    seconds = retry_after(value, 1000.0)
    assert seconds is None or 0 <= seconds <= status_errors.RETRY_AFTER_LIMIT


@pytest.mark.parametrize(("status", "is_redirect"), [(299, False), (300, True), (399, True), (400, False)])
def test_redirects(status: int, is_redirect: bool) -> None:
    """The error of a redirect tells that none is followed."""
    error = status_errors.error_from_status(status, {}, b"", "list: api:443", [])
    assert isinstance(error, Rejected)
    assert str(error) == f"list: api:443: HTTP {status}" + "; redirects are not followed" * is_redirect
