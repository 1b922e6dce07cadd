"""The API as one account sees it: what is sent, and what its responses become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT4

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import (
    ConfigError,
    LoginIncomplete,
    NotAnEventStream,
    Rejected,
    SubscriptionGone,
    Unavailable,
)
from pf_exporter.packetfabric.client import Session
from pf_exporter.schema.timestamps import MAX_TIMESTAMP, epoch
from tests.fakes import FIN, HEARTBEAT, STREAM, Answer, Fake, answer, event
from tests.packetfabric.harness import KEY, SUBSCRIPTION, make_client

ODD = "pä€ß𝄞"

# Logging in and out


def test_login(fake: Fake) -> None:
    """User and password become a session; an expiry without a time zone is UTC."""
    fake.session = {"time_expires": "2020-06-11T19:08:10.5"}
    session = make_client(fake).login()
    (request,) = fake.requests
    assert request.json() == {"login": "user", "password": "password"}
    assert "authorization" not in request.headers
    assert request.headers["user-agent"].startswith("pf_exporter/")
    assert (session.token.reveal() in fake.sessions, session.expires_at) == (True, 1591902490.5)


@pytest.mark.parametrize("expires", [None, 5, "soon", "", [], "2020-02-30T00:00:00"])
def test_unusable_expiry(fake: Fake, expires: object) -> None:
    """A session whose expiry is unusable is still a session."""
    fake.session = {"time_expires": expires}
    assert make_client(fake).login().expires_at is None


@pytest.mark.parametrize(("length", "cached"), [(MAX_TIMESTAMP, 1), (MAX_TIMESTAMP + 1, 0), (1_000_000, 0)])
def test_huge_expiry_is_not_cached(fake: Fake, length: int, cached: int) -> None:
    """A timestamp that is too long does not enter the cache of timestamps, which would keep its memory."""
    epoch.cache_clear()
    fake.session = {"time_expires": "2" * length}
    assert make_client(fake).login().expires_at is None
    assert epoch.cache_info().currsize == cached


def test_api_key_needs_no_login(fake: Fake, tmp_path: Path) -> None:
    """An API key becomes a session without a request; its file is read each time, no logout is sent."""
    path = tmp_path / "key"
    path.write_text("one\n")
    client = make_client(fake, token=SecretFile(str(path), "token_file"))
    assert client.login().token.reveal() == "one"
    path.write_text("two\n")
    session = client.login()
    assert (session.token.reveal(), session.expires_at) == ("two", None)
    client.logout(session)
    assert fake.requests == []
    path.unlink()
    with pytest.raises(ConfigError, match="token_file"):
        client.login()


def test_secrets_beyond_latin_1(fake: Fake) -> None:
    """Passwords and tokens are sent as UTF-8, with any characters."""
    client = make_client(fake, login=Secret(ODD), password=Secret(ODD * 2))
    client.login()
    assert fake.requests[0].json() == {"login": ODD, "password": ODD * 2}
    fake.script["subscribe"] = [answer(201, {"subscription_uuid": SUBSCRIPTION})]
    client.subscribe(Session(Secret(ODD), None, from_login=False), [])
    assert fake.requests[1].headers["authorization"].encode("latin-1").decode() == f"Bearer {ODD}"


def test_on_behalf(fake: Fake) -> None:
    """A reseller's header is on every request, including the login and the stream."""
    reseller = make_client(fake, on_behalf=SUBSCRIPTION)
    session = reseller.login()
    reseller.open(session, reseller.subscribe(session, [])).close()
    reseller.logout(session)
    assert [request.headers["on-behalf"] for request in fake.requests] == [SUBSCRIPTION] * 4


@pytest.mark.parametrize(
    "fields",
    [
        {"token": "x", "mfa_required": True},
        {"message": "MFA code needed"},
        {"token": "", "mfa_enabled": True},
        {"token": "x", "should_sign_eula": True},
    ],
)
def test_login_with_a_second_step(fake: Fake, fields: object) -> None:
    """MFA and an unsigned agreement have their own error, which suggests an API key."""
    fake.script["login"] = [answer(200, fields)]
    with pytest.raises(LoginIncomplete, match=r"create an API key in the portal .*PF_TOKEN"):
        make_client(fake).login()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"null", b"{}", b"[" * 100_000, b"\xff\xfe"),
        *(b'{"token": 5}', b'{"token": "a\\nb"}', b'{"token": ""}', b'{"token": "%b"}' % (b"x" * 5000)),
    ],
)
def test_response_without_a_session(fake: Fake, body: bytes) -> None:
    """Any other response to a login is Rejected, and not quoted."""
    fake.script["login"] = [Answer(body=body)]
    with pytest.raises(Rejected, match=r"^login: [0-9.:]+: the response [a-z_ A-Z]+$"):
        make_client(fake).login()


def test_logout_after_an_abort(fake: Fake) -> None:
    """A logout is sent although all other requests are refused."""
    client = make_client(fake)
    session = client.login()
    client.abort()
    with pytest.raises(Unavailable):
        client.login()
    client.logout(session)
    assert fake.sessions == {"key"}
    assert fake.of("logout")[0].headers["authorization"] == f"Bearer {session.token.reveal()}"


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
def test_subscription_fits_the_api_description(
    fake: Fake, streams: tuple[StreamFilter, ...], wanted: list[object], openapi: Any
) -> None:
    """All three types are requested, unset filters are left out, and PacketFabric's schema accepts it."""
    # Not at the top: every process of a parallel run imports this module, and this import takes a second.
    from openapi_schema_validator import OAS30Validator

    assert make_client(fake).subscribe(KEY, streams) in fake.subscriptions
    sent = fake.requests[0].json()
    assert sorted(sent["streams"], key=json.dumps) == sorted(wanted, key=json.dumps)
    assert fake.requests[0].headers["content-type"] == "application/json"
    registry: Any = Registry().with_resource("spec:", DRAFT4.create_resource(openapi))
    where = "spec:#/paths/~1v2~1events/post/requestBody/content/application~1json/schema"
    validator = OAS30Validator({"$ref": where}, registry=registry)
    assert list(validator.iter_errors(sent)) == []
    assert list(validator.iter_errors({"streams": [{"type": "port", "events": None}]}))


@pytest.mark.parametrize(
    "fields",
    [{}, [], None, {"subscription_uuid": None}, {"subscription_uuid": 5}]
    + [
        {"subscription_uuid": text}
        for text in ("", "../auth", "a/b", "a?b", "a#b", "a b", "x" * 65, "é", "a\n")
    ],
)
def test_response_without_a_usable_subscription(fake: Fake, fields: object) -> None:
    """Only an identifier becomes part of a URL; any other response is Rejected."""
    fake.script["subscribe"] = [answer(201, fields)]
    with pytest.raises(Rejected, match="no usable subscription_uuid"):
        make_client(fake).subscribe(KEY, [])


# The stream


@pytest.mark.parametrize(
    "kind", ["text/event-stream", "Text/Event-Stream; charset=UTF-8", "text/event-stream;x"]
)
def test_open(fake: Fake, kind: str) -> None:
    """The stream is requested with the documented headers, and its bytes come through."""
    fake.events = [event("port|metrics", {"é": 1})]
    fake.script["open"] = [STREAM.but(headers={"Content-Type": kind, "Content-Encoding": "identity"})]
    stream = make_client(fake).open(KEY, SUBSCRIPTION)
    chunks = stream.chunks()
    received = b""
    while len(received) < len(HEARTBEAT) + len(event("port|metrics", {"é": 1})):
        received += next(chunks)
    assert received == HEARTBEAT + event("port|metrics", {"é": 1})
    stream.close()
    (request,) = fake.requests
    assert request.path == f"/v2/events/{SUBSCRIPTION}"
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
def test_response_that_is_not_an_event_stream(fake: Fake, headers: dict[str, str]) -> None:
    """Another content type, or an encoding that was not requested, is an error; nothing stays open."""
    fake.script["open"] = [STREAM.but(headers=headers)]
    with pytest.raises(NotAnEventStream):
        make_client(fake).open(KEY, SUBSCRIPTION)
    fake.wait_for(lambda: not fake.connections)


@pytest.mark.parametrize("status", [404, 410])
def test_expired_subscription(fake: Fake, status: int) -> None:
    """404 and 410 on the stream mean that a new subscription is needed."""
    fake.script["open"] = [Answer(status)]
    with pytest.raises(SubscriptionGone):
        make_client(fake).open(KEY, SUBSCRIPTION)


@pytest.mark.parametrize(
    ("status", "error"), [(201, NotAnEventStream), (299, NotAnEventStream), (300, Rejected)]
)
def test_other_status_of_a_stream(fake: Fake, status: int, error: type[Exception]) -> None:
    """Any other 2xx status is not an event stream; a redirect is rejected, and not followed."""
    fake.script["open"] = [STREAM.but(status=status, body=(HEARTBEAT, FIN))]
    with pytest.raises(error, match=f"HTTP {status}") as caught:
        make_client(fake).open(KEY, SUBSCRIPTION)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("headers", "quoted"),
    [
        ({"Content-Type": "x" * 1000}, f"type {'x' * 80!r} is"),
        ({"Content-Type": "text/event-stream", "Content-Encoding": "x" * 1000}, f"({'x' * 20!r})"),
    ],
)
def test_long_headers_are_cut(fake: Fake, headers: dict[str, str], quoted: str) -> None:
    """Of a header only the start is quoted."""
    fake.script["open"] = [STREAM.but(headers=headers)]
    with pytest.raises(NotAnEventStream) as caught:
        make_client(fake).open(KEY, SUBSCRIPTION)
    assert quoted in str(caught.value)


# Lists


def test_list(fake: Fake) -> None:
    """A list is read in pages of 500 with the query of the caller, who is called before each page."""
    fake.lists["/v2/ports"] = [{"id": "1"}]
    before: list[int] = []
    pages = make_client(fake).pages(
        KEY, "/v2/ports", key="id", query={"type": "x"}, before_page=lambda: before.append(len(fake.requests))
    )
    assert list(pages) == [[{"id": "1"}]]
    assert [request.query for request in fake.requests] == ["type=x&page_size=500&offset=0"] * 2
    assert before == [0, 1]


def test_error_of_a_list(fake: Fake) -> None:
    """An error begins with the list that it concerns."""
    fake.script["/v2/ports"] = [Answer(503), Answer(body=b"{}")]
    for error, cause in ((Unavailable, "HTTP 503"), (Rejected, "the response is not a list")):
        with pytest.raises(error, match=rf"^list of ports: [0-9.:]+: {cause}$"):
            list(make_client(fake).pages(KEY, "/v2/ports", key="id"))
