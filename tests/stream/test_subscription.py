"""Which subscription and which session a stream is opened with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pf_exporter.config.accounts import StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.errors import (
    ApiError,
    ExistingSubscriptionGone,
    Forbidden,
    Rejected,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.packetfabric.session_stats import CredentialState
from pf_exporter.stream.subscription import UNSTREAMED_LIFETIME, OpenStream, Subscription
from tests.fakes import OK, STREAM, Answer, Fake, Step
from tests.state.harness import Clock


class Harness:
    """A subscription on a fake API, with a clock that tests set; opened streams are closed at the end."""

    def __init__(self, fake: Fake, existing: str | None = None, **changes: Any) -> None:
        self.fake = fake
        self.clock = Clock()
        account = fake.account(**changes)
        client = Client(account, idle_timeout=5)
        self.sessions = SessionManager(client, account.name, schedule=Backoff(0.001, 0.002))
        self.stats = self.sessions.stats
        self.subscribed: list[str] = []
        self.subscription = Subscription(
            account,
            client,
            self.sessions,
            on_subscribe=self.subscribed.append,
            existing=existing,
            clock=self.clock,
        )
        self.streams: list[OpenStream] = []

    def open(self) -> None:
        self.streams.append(self.subscription.open())

    def open_second(self) -> None:
        self.streams.append(self.subscription.open_second(self.sessions.get()))

    @property
    def made(self) -> tuple[int, int]:
        """Logins and subscriptions so far."""
        return len(self.fake.of("login")), len(self.fake.of("subscribe"))


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Fake() as fake:
        harness = Harness(fake)
        yield harness
        for stream in harness.streams:
            stream.response.close()


def test_subscription_is_reused(harness: Harness) -> None:
    """One login and one subscription serve stream after stream, at any age once it was streamed."""
    harness.open()
    harness.clock.now += 10 * UNSTREAMED_LIFETIME
    harness.open()
    assert harness.made == (1, 1)


def test_unstreamed_subscription_expires(harness: Harness) -> None:
    """The API forgets an unstreamed subscription after five minutes: a new one is made before that."""
    harness.fake.script["open"] = [Answer(500), Answer(500)]
    for _ in range(2):
        with pytest.raises(Unavailable):
            harness.open()
    assert harness.made == (1, 1)
    harness.clock.now += UNSTREAMED_LIFETIME
    harness.open()
    assert harness.made == (1, 2)


@pytest.mark.parametrize(
    ("status", "error", "made"),
    [
        (401, Unauthorized, (2, 2)),
        (403, Unauthorized, (2, 2)),
        (404, SubscriptionGone, (1, 2)),
        (410, SubscriptionGone, (1, 2)),
        (409, Rejected, (1, 2)),
        (503, Unavailable, (1, 1)),
    ],
)
def test_refusal_replaces_session_or_subscription(
    harness: Harness, status: int, error: type[Exception], made: tuple[int, int]
) -> None:
    """After a refusal the next attempt makes a new session, a new subscription, or neither."""
    harness.fake.script["open"] = [Answer(status)]
    with pytest.raises(error):
        harness.open()
    harness.clock.now += 1
    while True:
        try:
            harness.open()
        except Unauthorized:  # the next login has to wait for a millisecond or two
            continue
        break
    assert harness.made == made


def test_second_stream_uses_the_same_subscription(harness: Harness) -> None:
    """Two streams of one subscription if the API allows it."""
    harness.open()
    harness.open_second()
    assert harness.made == (1, 1)
    assert not harness.subscription.single_connection


def test_refused_second_stream_uses_a_new_subscription(harness: Harness) -> None:
    """After one refusal every second stream begins with a new subscription."""
    harness.open()
    harness.fake.script["open"] = [Answer(409)]
    harness.open_second()
    assert harness.made == (1, 2)
    assert harness.subscription.single_connection
    harness.open_second()
    assert harness.made == (1, 3)


def test_unavailable_is_not_a_refusal(harness: Harness) -> None:
    """A 503 says nothing about second streams: the subscription stays."""
    harness.open()
    harness.fake.script["open"] = [Answer(503)]
    with pytest.raises(Unavailable):
        harness.open_second()
    assert harness.made == (1, 1)
    assert not harness.subscription.single_connection


def test_new_circuits_make_the_subscription_stale(harness: Harness) -> None:
    """The circuits of the first poll belong to the subscription; with more, a new subscription is due."""
    harness.open()
    for circuits in ({"PF-AP-1", "PF-AP-2-PF"}, {"PF-AP-2"}, set(), {"PF-AP-1-PF"}):
        harness.subscription.update_inventory(frozenset(circuits))
        assert not harness.subscription.stale
    harness.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-3"}))
    assert harness.subscription.stale
    harness.open_second()
    assert harness.made == (1, 2)
    assert not harness.subscription.stale


def test_filters_on_circuits_never_become_stale(harness: Harness) -> None:
    """With filters on circuits a new circuit changes nothing."""
    account = harness.fake.account(streams=(StreamFilter("port", (), ("PF-AP-1",)), StreamFilter("customer")))
    client = Client(account, idle_timeout=5)
    subscription = Subscription(account, client, SessionManager(client, account.name))
    harness.streams.append(subscription.open())
    subscription.update_inventory(frozenset({"PF-AP-1"}))
    subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    assert not subscription.stale


def test_forbidden_session_is_logged_out(harness: Harness) -> None:
    """A session that got a 403 is logged out when a new one replaces it."""
    harness.fake.script["open"] = [Answer(403)]
    with pytest.raises(Unauthorized):
        harness.open()
    assert len(harness.fake.of("logout")) == 1
    assert harness.fake.sessions <= {"key"}


@pytest.mark.parametrize("refusals", [1, 2])
def test_forbidden_second_stream(harness: Harness, refusals: int) -> None:
    """A 403 for the second stream does not end the session of the first one; another subscription may do."""
    harness.open()
    harness.fake.script["open"] = [Answer(403)] * refusals
    with contextlib.nullcontext() if refusals == 1 else pytest.raises(Forbidden):
        harness.open_second()
    assert harness.fake.of("logout") == []
    assert harness.made == (1, 2)
    assert len(harness.streams) == (2 if refusals == 1 else 1)


def test_refused_subscription_is_not_a_refused_stream(harness: Harness) -> None:
    """A new subscription that is refused does not mean that the API allows only one stream."""
    harness.open()
    harness.subscription.update_inventory(frozenset({"PF-AP-1"}))
    harness.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    harness.fake.script["subscribe"] = [Answer(400)]
    with pytest.raises(Rejected):
        harness.open_second()
    assert not harness.subscription.single_connection
    assert harness.made == (1, 2)


def test_circuit_between_subscription_and_poll(harness: Harness) -> None:
    """Circuits known before a subscription was made belong to it; those first seen later do not."""
    harness.open()
    harness.subscription.update_inventory(frozenset({"PF-AP-1"}))
    harness.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    harness.open_second()
    harness.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2", "PF-AP-3"}))
    assert harness.subscription.stale


def test_first_poll_while_the_subscription_is_made(harness: Harness) -> None:
    """Circuits of a first poll that ends during the request belong to the subscription, later ones do not."""
    update = harness.subscription.update_inventory
    harness.fake.script["subscribe"] = [(lambda: update(frozenset({"PF-AP-1"})), OK)]
    harness.open()
    assert not harness.subscription.stale
    update(frozenset({"PF-AP-1", "PF-AP-2"}))
    assert harness.subscription.stale


def test_existing_subscription() -> None:
    """An existing subscription is streamed as it is, again and again, and none is made."""
    with Fake() as fake:
        harness = Harness(fake, existing="abc")
        fake.script["open"] = [STREAM, STREAM]
        harness.open()
        harness.open()
        for stream in harness.streams:
            stream.response.close()
        assert [request.path for request in fake.of("open")] == ["/v2/events/abc"] * 2
        assert fake.of("subscribe") == []


class Interrupted(Subscription):
    """Calls ``interrupt`` after the first attribute was read, as if another thread ran right then."""

    interrupt: Callable[[], None]

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        interrupt = super().__getattribute__("__dict__").pop("interrupt", None)
        if interrupt is not None:
            interrupt()
        return value


def test_a_subscription_dropped_while_stale_is_read(harness: Harness) -> None:
    """The thread that opens the next stream may drop the subscription while the reader asks."""
    account = harness.fake.account()
    client = Client(account, idle_timeout=5)
    subscription = Interrupted(account, client, SessionManager(client, account.name))
    harness.streams.append(subscription.open())
    subscription.update_inventory(frozenset({"PF-AP-1"}))
    subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    harness.fake.script["open"] = [Answer(404)]
    dropped = []

    def drop_subscription() -> None:
        with pytest.raises(SubscriptionGone):
            subscription.open()
        dropped.append(True)

    subscription.interrupt = drop_subscription
    assert subscription.stale
    assert dropped
    assert not subscription.stale


def test_a_new_subscription_that_is_refused(harness: Harness) -> None:
    """If a second stream of a subscription made just for it is refused, there is no reason for another."""
    harness.fake.script["open"] = [Answer(500), Answer(409)]
    with pytest.raises(Unavailable):
        harness.open()
    harness.clock.now += UNSTREAMED_LIFETIME
    with pytest.raises(Rejected):
        harness.open_second()
    assert harness.made == (1, 2)
    assert not harness.subscription.single_connection


@pytest.mark.parametrize("answer", [Answer(403), Answer(401), OK])
def test_the_stream_verifies_an_api_key(fake: Fake, answer: Step) -> None:
    """An API key is accepted once a stream is open, or only a permission is missing."""
    harness = Harness(fake, token=Secret("key"))
    fake.script["open"] = [answer]
    with contextlib.suppress(Forbidden, Unauthorized):
        harness.open()
    refused = isinstance(answer, Answer) and answer.status == 401
    assert harness.stats.credential is (CredentialState.REFUSED if refused else CredentialState.ACCEPTED)
    for stream in harness.streams:
        stream.close()


@pytest.mark.parametrize(
    ("existing", "status", "error"),
    [
        (None, 404, SubscriptionGone),
        ("uuid", 404, ExistingSubscriptionGone),
        (None, 503, Unavailable),
        ("uuid", 503, Unavailable),
    ],
)
def test_errors_of_an_existing_subscription(
    fake: Fake, existing: str | None, status: int, error: type[ApiError]
) -> None:
    """Only an existing subscription that is gone is final, because the exporter does not replace it."""
    harness = Harness(fake, existing)
    fake.script["open"] = [Answer(status)]
    with pytest.raises(error) as caught:
        harness.open()
    assert type(caught.value) is error


def test_new_subscriptions_are_reported(harness: Harness) -> None:
    """The UUID of each new subscription is reported once."""
    harness.open()
    harness.open()
    assert len(harness.subscribed) == 1
    assert harness.fake.of("open")[0].path.endswith(f"/{harness.subscribed[0]}")
