"""Which bundle and which session a stream is opened with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pf_exporter.config.accounts import StreamFilter
from pf_exporter.errors import Rejected, SubscriptionGone, Unauthorized, Unavailable
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.stream.subscription import UNSTREAMED_LIFETIME, OpenStream, Subscription
from tests.fakes import STREAM, Answer, Fake
from tests.state.harness import Clock


class World:
    """A subscription on a fake, with a clock to turn; what is opened is closed in the end."""

    def __init__(self, fake: Fake, existing: str | None = None) -> None:
        self.fake = fake
        self.clock = Clock()
        account = fake.account()
        client = Client(account, idle_timeout=5)
        session_manager = SessionManager(client, account.name, schedule=Backoff(0.001, 0.002))
        self.subscription = Subscription(
            account, client, session_manager, existing=existing, clock=self.clock
        )
        self.streams: list[OpenStream] = []

    def open(self) -> None:
        self.streams.append(self.subscription.open())

    def open_second(self) -> None:
        self.streams.append(self.subscription.open_second())

    @property
    def made(self) -> tuple[int, int]:
        """Logins and bundles so far."""
        return len(self.fake.of("login")), len(self.fake.of("subscribe"))


@pytest.fixture
def world() -> Iterator[World]:
    with Fake() as fake:
        one = World(fake)
        yield one
        for stream in one.streams:
            stream.response.close()


def test_a_bundle_is_used_again(world: World) -> None:
    """One login and one bundle for stream after stream, whatever their age once the bundle was streamed."""
    world.open()
    world.clock.now += 10 * UNSTREAMED_LIFETIME
    world.open()
    assert world.made == (1, 1)


def test_a_bundle_never_streamed_is_not_kept_long(world: World) -> None:
    """The API forgets an unstreamed bundle after five minutes: before that a new one is made."""
    world.fake.script["open"] = [Answer(500), Answer(500)]
    for _ in range(2):
        with pytest.raises(Unavailable):
            world.open()
    assert world.made == (1, 1)
    world.clock.now += UNSTREAMED_LIFETIME
    world.open()
    assert world.made == (1, 2)


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
def test_what_a_refusal_makes_anew(
    world: World, status: int, error: type[Exception], made: tuple[int, int]
) -> None:
    """After a refusal the next try does what mends it: a login, a bundle, or neither."""
    world.fake.script["open"] = [Answer(status)]
    with pytest.raises(error):
        world.open()
    world.clock.now += 1
    while True:
        try:
            world.open()
        except Unauthorized:  # the next login has to wait for a millisecond or two
            continue
        break
    assert world.made == made


def test_a_second_stream_is_of_the_same_bundle(world: World) -> None:
    """Two streams of one bundle where the API allows it."""
    world.open()
    world.open_second()
    assert world.made == (1, 1)
    assert not world.subscription.single_connection


def test_a_second_stream_that_is_refused_is_of_a_new_bundle(world: World) -> None:
    """Refused once, it is known: from then on every second stream begins with a new bundle."""
    world.open()
    world.fake.script["open"] = [Answer(409)]
    world.open_second()
    assert world.made == (1, 2)
    assert world.subscription.single_connection
    world.open_second()
    assert world.made == (1, 3)


def test_trouble_is_no_refusal(world: World) -> None:
    """A 503 says nothing about a second stream: the bundle stays, and nobody concludes anything."""
    world.open()
    world.fake.script["open"] = [Answer(503)]
    with pytest.raises(Unavailable):
        world.open_second()
    assert world.made == (1, 1)
    assert not world.subscription.single_connection


def test_new_circuits_make_a_new_bundle(world: World) -> None:
    """What the account has at the first look belongs to the bundle; with more, a new bundle is due."""
    world.open()
    for circuits in ({"PF-AP-1", "PF-AP-2-PF"}, {"PF-AP-2"}, set(), {"PF-AP-1-PF"}):
        world.subscription.update_inventory(frozenset(circuits))
        assert not world.subscription.stale
    world.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-3"}))
    assert world.subscription.stale
    world.open_second()
    assert world.made == (1, 2)
    assert not world.subscription.stale


def test_who_asks_for_some_circuits_is_content_with_them(world: World) -> None:
    """With filters on circuits a new one changes nothing."""
    account = world.fake.account(streams=(StreamFilter("port", (), ("PF-AP-1",)), StreamFilter("customer")))
    client = Client(account, idle_timeout=5)
    subscription = Subscription(account, client, SessionManager(client, account.name))
    world.streams.append(subscription.open())
    subscription.update_inventory(frozenset({"PF-AP-1"}))
    subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    assert not subscription.stale


def test_a_missing_permission_leaves_no_sessions(world: World) -> None:
    """A session that got a 403 is logged out when a new one is made in its place."""
    world.fake.script["open"] = [Answer(403)]
    with pytest.raises(Unauthorized):
        world.open()
    assert len(world.fake.of("logout")) == 1
    assert world.fake.sessions <= {"key"}


def test_trouble_with_a_new_bundle_says_nothing_of_the_old(world: World) -> None:
    """With new circuits a new bundle is due; that it cannot be had now does not make bundles exclusive."""
    world.open()
    world.subscription.update_inventory(frozenset({"PF-AP-1"}))
    world.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    world.fake.script["subscribe"] = [Answer(400)]
    with pytest.raises(Rejected):
        world.open_second()
    assert not world.subscription.single_connection
    assert world.made == (1, 2)


def test_a_circuit_between_bundle_and_look_is_noticed(world: World) -> None:
    """What was known before a bundle was made belongs to it; what is first seen after it does not."""
    world.open()
    world.subscription.update_inventory(frozenset({"PF-AP-1"}))
    world.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    world.open_second()
    world.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2", "PF-AP-3"}))
    assert world.subscription.stale


def test_a_bundle_that_somebody_else_made() -> None:
    """A bundle that exists is streamed as it is, again and again, and none is made."""
    with Fake() as fake:
        world = World(fake, existing="abc")
        fake.script["open"] = [STREAM, STREAM]
        world.open()
        world.open()
        for stream in world.streams:
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


def test_a_bundle_dropped_while_stale_is_read(world: World) -> None:
    """The thread that opens the next stream may drop the bundle at any moment; the reader asks meanwhile."""
    account = world.fake.account()
    client = Client(account, idle_timeout=5)
    subscription = Interrupted(account, client, SessionManager(client, account.name))
    world.streams.append(subscription.open())
    subscription.update_inventory(frozenset({"PF-AP-1"}))
    subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
    world.fake.script["open"] = [Answer(404)]
    dropped = []

    def drop_bundle() -> None:
        with pytest.raises(SubscriptionGone):
            subscription.open()
        dropped.append(True)

    subscription.interrupt = drop_bundle
    assert subscription.stale
    assert dropped
    assert not subscription.stale
