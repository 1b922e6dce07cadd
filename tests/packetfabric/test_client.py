"""The API as one account sees it: what is sent, and what each answer is taken for."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import (
    ApiError,
    ConfigError,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    NotAnEventStream,
    RateLimited,
    Rejected,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric import status_errors
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.packetfabric.status_errors import retry_after
from pf_exporter.schema.timestamps import epoch
from tests.fakes import HEARTBEAT, NOTHING_MORE, OK, STREAM, Answer, By, Fake, Request, answer, event

ODD = "pä€ß𝄞"
KEY = Session(Secret("key"), None, from_login=False)
BUNDLE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


def make_client(fake: Fake, **changes: Any) -> Client:
    return Client(fake.account(**changes), idle_timeout=5.0)


# Logging in and out


def test_login(fake: Fake) -> None:
    """User and password become a session with its end, which time without a zone gives in UTC."""
    fake.session = {"time_expires": "2020-06-11T19:08:10.5"}
    session = make_client(fake).login()
    (request,) = fake.requests
    assert request.json() == {"login": "user", "password": "password"}
    assert "authorization" not in request.headers
    assert request.headers["user-agent"].startswith("pf_exporter/")
    assert (session.token.reveal() in fake.sessions, session.expires_at) == (True, 1591902490.5)


@pytest.mark.parametrize("expires", [None, 5, "soon", "", [], "2020-02-30T00:00:00"])
def test_an_end_that_makes_no_sense(fake: Fake, expires: object) -> None:
    """A session without a usable end is a session all the same."""
    fake.session = {"time_expires": expires}
    assert make_client(fake).login().expires_at is None


def test_an_end_without_end_is_not_remembered(fake: Fake) -> None:
    """The cache of timestamps holds none that a hostile server could fill the memory with."""
    epoch.cache_clear()
    fake.session = {"time_expires": "2" * 1_000_000}
    assert make_client(fake).login().expires_at is None
    assert epoch.cache_info().currsize == 0


def test_an_api_key_needs_no_login(fake: Fake, tmp_path: Path) -> None:
    """An API key is the session; it is read anew each time, and never logged out."""
    path = tmp_path / "key"
    path.write_text("one\n")
    one = make_client(fake, token=SecretFile(str(path), "token_file"))
    assert one.login().token.reveal() == "one"
    path.write_text("two\n")
    session = one.login()
    assert (session.token.reveal(), session.expires_at) == ("two", None)
    one.logout(session)
    assert fake.requests == []
    path.unlink()
    with pytest.raises(ConfigError, match="token_file"):
        one.login()


def test_secrets_beyond_latin_1(fake: Fake) -> None:
    """Passwords and tokens go out as UTF-8, whatever letters they have."""
    account = make_client(fake, login=Secret(ODD), password=Secret(ODD * 2))
    account.login()
    assert fake.requests[0].json() == {"login": ODD, "password": ODD * 2}
    fake.script["subscribe"] = [answer(201, {"subscription_uuid": BUNDLE})]
    account.subscribe(Session(Secret(ODD), None, from_login=False), [])
    assert fake.requests[1].headers["authorization"].encode("latin-1").decode() == f"Bearer {ODD}"


def test_on_behalf(fake: Fake) -> None:
    """A reseller's header is on every request, the login and the stream included."""
    reseller = make_client(fake, on_behalf=BUNDLE)
    session = reseller.login()
    reseller.open(session, reseller.subscribe(session, [])).close()
    reseller.logout(session)
    assert [request.headers["on-behalf"] for request in fake.requests] == [BUNDLE] * 4


@pytest.mark.parametrize(
    "said",
    [
        {"token": "x", "mfa_required": True},
        {"message": "MFA code needed"},
        {"token": "", "mfa_enabled": True},
        {"token": "x", "should_sign_eula": True},
    ],
)
def test_a_second_step_is_for_a_person(fake: Fake, said: object) -> None:
    """MFA and an unsigned agreement are told as what they are, with the API key as the way out."""
    fake.script["login"] = [answer(200, said)]
    with pytest.raises(LoginIncomplete, match=r"create an API key in the portal .*PF_TOKEN"):
        make_client(fake).login()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"null", b"{}", b"[" * 100_000, b"\xff\xfe"),
        *(b'{"token": 5}', b'{"token": "a\\nb"}', b'{"token": ""}', b'{"token": "%b"}' % (b"x" * 5000)),
    ],
)
def test_an_answer_that_is_no_session(fake: Fake, body: bytes) -> None:
    """Whatever else a login brings is Rejected, and not quoted."""
    fake.script["login"] = [Answer(body=body)]
    with pytest.raises(Rejected, match=r"^login: the response [a-z_ A-Z]+(; check api_url)?$"):
        make_client(fake).login()


def test_logout_ends_a_login_even_after_an_abort(fake: Fake) -> None:
    """The farewell goes out though everything else is refused; its failure is an error of ours."""
    one = make_client(fake)
    session = one.login()
    one.abort()
    with pytest.raises(Unavailable):
        one.login()
    one.logout(session)
    assert fake.sessions == {"key"}
    assert fake.of("logout")[0].headers["authorization"] == f"Bearer {session.token.reveal()}"


# Refusals

STATUSES: list[tuple[int, type[ApiError]]] = [
    (400, Rejected),
    (401, Unauthorized),
    (403, Forbidden),
    (404, Rejected),
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
def test_what_a_status_means(fake: Fake, phase: str, status: int, error: type[ExporterError]) -> None:
    """Every status has one meaning in every phase; on the stream a 404 is a lost bundle, 2xx no stream."""
    fake.script[phase] = [Answer(status, {"Location": fake.url, "Retry-After": "9"})]
    one = make_client(fake)
    calls = {
        "login": lambda: one.login(),
        "subscribe": lambda: one.subscribe(KEY, []),
        "/v2/ports": lambda: list(one.pages(KEY, "/v2/ports")),
        "open": lambda: one.open(KEY, BUNDLE),
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
    ("body", "said"),
    [
        (b'{"message": "vlan: too small"}', 'login: HTTP 400 ("vlan: too small")'),
        (b'{"message": "a\\u001b[31m\\nb"}', 'login: HTTP 400 ("a[31mb")'),
        (
            b"{\"message\": \"'password' of 'user'\"}",
            "login: HTTP 400 (\"'<secret>' of '<secret>'\")",
        ),
        (b'{"message": "%b"}' % (b"x" * 999), f'login: HTTP 400 ("{"x" * 200}")'),
        (b'{"message": [1]}', "login: HTTP 400"),
        (b'{"message": ' + b"[" * 5000 + b"]" * 5000 + b"}", "login: HTTP 400"),
        (b"[]", "login: HTTP 400"),
        (b"not found", "login: HTTP 400"),
    ],
)
def test_what_a_refusal_says(fake: Fake, body: bytes, said: str) -> None:
    """The API's own words are passed on, on one line, bounded, without the credentials that it echoes."""
    fake.script["login"] = [Answer(400, body=body)]
    with pytest.raises(Rejected) as caught:
        make_client(fake).login()
    assert str(caught.value) == said


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
    """Seconds and dates are understood, the past is now, nonsense is nothing, ten years are an hour."""
    assert retry_after(value, 1000.0) == seconds


@given(
    st.text(st.characters(codec="latin-1"), max_size=40)
    | st.from_regex(r"\w*,? ?\d* \w* \d* [\d:]* ?[+-]?\w*")
)
def test_no_retry_after_does_harm(value: str) -> None:
    """Whatever the header holds, there is a sane number of seconds, or none."""
    seconds = retry_after(value, 1000.0)
    assert seconds is None or 0 <= seconds <= status_errors.RETRY_AFTER_LIMIT


# Subscribing


@pytest.mark.parametrize(
    ("streams", "wanted"),
    [
        (
            Account().streams,
            [{"type": "port"}, {"type": "vc"}, {"type": "customer"}],
        ),
        (
            (
                StreamFilter("port", ("metrics", "optical"), ("PF-AP-LAX1-1234",)),
                StreamFilter("vc", ("metrics",), ("PF-BC-MIA-LAS-1234567-PF&PF-AP-LAS1-987654",)),
                StreamFilter("customer", ("auth", "bgp")),
            ),
            [
                {"type": "port", "events": ["metrics", "optical"], "ifds": ["PF-AP-LAX1-1234"]},
                {
                    "type": "vc",
                    "events": ["metrics"],
                    "vcs": ["PF-BC-MIA-LAS-1234567-PF&PF-AP-LAS1-987654"],
                },
                {"type": "customer", "events": ["auth", "bgp"]},
            ],
        ),
    ],
)
def test_the_subscription_is_what_the_api_describes(
    fake: Fake, streams: tuple[StreamFilter, ...], wanted: list[object], openapi: Any
) -> None:
    """All three types are asked for, filters nobody set are left out, and PacketFabric's schema agrees."""
    assert make_client(fake).subscribe(KEY, streams) in fake.bundles
    sent = fake.requests[0].json()
    assert sorted(sent["streams"], key=json.dumps) == sorted(wanted, key=json.dumps)
    assert fake.requests[0].headers["content-type"] == "application/json"
    registry: Any = Registry().with_resource("spec:", DRAFT4.create_resource(openapi))
    where = "spec:#/paths/~1v2~1events/post/requestBody/content/application~1json/schema"
    validator = OAS30Validator({"$ref": where}, registry=registry)
    assert list(validator.iter_errors(sent)) == []
    assert list(validator.iter_errors({"streams": [{"type": "port", "events": None}]}))


@pytest.mark.parametrize(
    "said",
    [{}, [], None, {"subscription_uuid": None}, {"subscription_uuid": 5}]
    + [
        {"subscription_uuid": text}
        for text in ("", "../auth", "a/b", "a?b", "a#b", "a b", "x" * 65, "é", "a\n")
    ],
)
def test_a_bundle_that_is_none(fake: Fake, said: object) -> None:
    """What becomes part of a URL is an identifier, or the answer is Rejected."""
    fake.script["subscribe"] = [answer(201, said)]
    with pytest.raises(Rejected, match="no usable subscription_uuid"):
        make_client(fake).subscribe(KEY, [])


# The stream


@pytest.mark.parametrize(
    "kind", ["text/event-stream", "Text/Event-Stream; charset=UTF-8", "text/event-stream;x"]
)
def test_open(fake: Fake, kind: str) -> None:
    """The stream is asked for in the API's manner, and its bytes come through."""
    fake.events = [event("port|metrics", {"é": 1})]
    fake.script["open"] = [STREAM.but(headers={"Content-Type": kind, "Content-Encoding": "identity"})]
    stream = make_client(fake).open(KEY, BUNDLE)
    chunks = stream.chunks()
    received = b""
    while len(received) < len(HEARTBEAT) + len(event("port|metrics", {"é": 1})):
        received += next(chunks)
    assert received == HEARTBEAT + event("port|metrics", {"é": 1})
    stream.close()
    (request,) = fake.requests
    assert request.path == f"/v2/events/{BUNDLE}"
    wanted = {"accept": "text/event-stream", "accept-encoding": "identity", "authorization": "Bearer key"}
    assert wanted.items() <= request.headers.items()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; text/event-stream"},
        {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"},
        {"Content-Type": "text/event-stream", "Content-Encoding": "identity, br"},
    ],
)
def test_no_event_stream(fake: Fake, headers: dict[str, str]) -> None:
    """Another content type, or a compression nobody asked for, is no event stream; nothing stays open."""
    fake.script["open"] = [STREAM.but(headers=headers)]
    with pytest.raises(NotAnEventStream):
        make_client(fake).open(KEY, BUNDLE)
    fake.wait_for(lambda: not fake.connections)


@pytest.mark.parametrize("status", [404, 410])
def test_a_bundle_that_is_gone(fake: Fake, status: int) -> None:
    """404 and 410 on the stream say that a new bundle is needed."""
    fake.script["open"] = [Answer(status)]
    with pytest.raises(SubscriptionGone):
        make_client(fake).open(KEY, BUNDLE)


# Lists


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (20, 3), (25, 3)])
def test_pages(fake: Fake, count: int, requests: int) -> None:
    """Every object comes once, in order, with no more requests than needed to know the end."""
    fake.lists["/v2/ports"] = [{"n": number} for number in range(count)]
    pages = list(make_client(fake).pages(KEY, "/v2/ports", size=10))
    assert [item["n"] for page in pages for item in page] == list(range(count))
    assert [request.query for request in fake.requests] == [
        f"page_size=10&offset={10 * number}" for number in range(requests)
    ]


@pytest.mark.parametrize("cap", [10, 20, 50])
@pytest.mark.parametrize("count", [50, 53, 60, 100, 120])
def test_a_server_with_a_largest_page(fake: Fake, cap: int, count: int) -> None:
    """Where the server sends less than asked for, nothing of the list is lost, and nothing comes twice."""
    everything = [{"n": number} for number in range(count)]

    def page(request: Request) -> Answer:
        offset = int(parse_qs(request.query)["offset"][0])
        return answer(200, everything[offset : offset + cap])

    fake.script["/v2/ports"] = itertools.repeat(By(page))
    pages = list(make_client(fake).pages(KEY, "/v2/ports"))
    assert [item for page in pages for item in page] == everything


def test_a_server_that_refuses_what_is_behind_the_end(fake: Fake) -> None:
    """A short page of a round length was the last one after all: a refusal of what follows costs nothing."""
    everything = [{"n": number} for number in range(30)]
    fake.script["/v2/ports"] = [answer(200, everything), Answer(416), NOTHING_MORE]
    assert list(make_client(fake).pages(KEY, "/v2/ports")) == [everything]
    fake.script["/v2/ports"] = [answer(200, everything), Answer(500), NOTHING_MORE]
    with pytest.raises(Unavailable):
        list(make_client(fake).pages(KEY, "/v2/ports"))


@pytest.mark.parametrize("count", [3, 10, 30])
def test_paging_that_is_ignored(fake: Fake, count: int) -> None:
    """An API that sends the whole list each time is not asked for ever, and nothing comes twice."""
    everything = [{"n": number} for number in range(count)]
    fake.script["/v2/ports"] = [answer(200, everything), answer(200, everything), NOTHING_MORE]
    pages = list(make_client(fake).pages(KEY, "/v2/ports", size=10))
    assert [item for page in pages for item in page] == everything


def test_what_is_no_object_is_left_out(fake: Fake) -> None:
    """Odd items do not cost the others."""
    fake.lists["/v2/ports"] = [{"n": 1}, None, "x", [2], {"n": 3}]
    assert list(make_client(fake).pages(KEY, "/v2/ports")) == [[{"n": 1}, {"n": 3}]]


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"', b"5", b"", b"[1,"])
def test_a_list_that_is_none(fake: Fake, body: bytes) -> None:
    """Anything but a list is Rejected."""
    fake.script["/v2/ports"] = [OK, Answer(body=body)]
    one = make_client(fake)
    list(one.pages(KEY, "/v2/ports"))
    with pytest.raises(Rejected, match="list of ports: the response is not"):
        list(one.pages(KEY, "/v2/ports"))


def test_a_list_without_an_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that never ends is Rejected after a bounded number of pages."""
    monkeypatch.setattr("pf_exporter.packetfabric.paging.MAX_PAGES", 20)
    number = itertools.count()

    def another(_: Request) -> Answer:
        return answer(200, [{"n": next(number)}])

    fake.script["/v2/ports"] = itertools.repeat(By(another))
    with pytest.raises(Rejected, match="more than 20 pages"):
        list(make_client(fake).pages(KEY, "/v2/ports", size=1))
    assert len(fake.requests) == 20
