"""Simulated networks with circuits in every state, and exporters with every kind of trouble."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from pf_exporter.simulator.traffic import Outage
from pf_exporter.web.status_cache import MAX_AGE
from tests.conftest import until

WEB = WebSettings(listen_address=("127.0.0.1:0",))
ALWAYS_DOWN = Outage(period=600, down=600)


def simulator(ports: int, *faults: str, interval: float = 0.5) -> Simulator:
    """A simulator with ports that are down, admin down, silent, in a LAG, or in order."""
    vcs = max(16, ports * 4 // 3)
    options = Options(ports=ports, vcs=vcs, interval=interval, listen_address="127.0.0.1:0", faults=faults)
    created = Simulator(options)
    # A port that goes down or comes up between two requests would move to another page of the table.
    for port in created.network.ports:
        port.flaps = port.reboots = None
    physical = [port for port in created.network.ports if not port.members and not port.lag]
    down, disabled, silent, *_ = reversed(physical)
    down.flaps, down.is_silent = ALWAYS_DOWN, True
    disabled.is_enabled, disabled.is_silent = False, True
    silent.is_silent = True
    return created


def account(api: Simulator, name: str) -> Account:
    """An account with the simulator's API key."""
    return Account(name=name, api_url=api.url, token=Secret(api.api_key))


def url(exporter: Exporter) -> str:
    """The status page's URL."""
    return f"http://{exporter.server.addresses[0]}/"


@contextlib.contextmanager
def exporter_of(api: Simulator) -> Iterator[Exporter]:
    """An exporter of one account, once it has data of all ports and the inventory."""
    with Exporter(Config(accounts=(account(api, "demo"),), web=WEB)) as exporter:
        ports = sum(not port.is_silent for port in api.network.ports)
        until(lambda: len(exporter.store.rows("port|metrics")["demo"]) == ports, "ports")
        until(lambda: exporter.pipelines[0].inventory.snapshot.at, "the inventory")
        yield exporter


@contextlib.contextmanager
def network(ports: int, *, interval: float = 0.5) -> Iterator[Exporter]:
    """An exporter of one account and its simulator."""
    with simulator(ports, interval=interval) as api, exporter_of(api) as exporter:
        yield exporter


@contextlib.contextmanager
def standstill(api: Simulator, exporter: Exporter) -> Iterator[None]:
    """No events, so that the page lists all circuits in the same order each time."""
    api.faults.add("stream-silence:0")
    stats = exporter.pipelines[0].stats
    until(lambda: sum(stats.events.values()) == api.events_sent, "all events")
    quiet_since = time.monotonic()
    until(lambda: time.monotonic() - quiet_since > MAX_AGE, "a new page")
    yield
    api.faults.discard("stream-silence:0")


@contextlib.contextmanager
def trouble(backoff: float = 3600.0) -> Iterator[Exporter]:
    """An exporter of six accounts: five that fail, each in another way, and one that streams.

    ``backoff`` is long, because an account that tries again streams for a moment, and is not failing then.
    """
    with contextlib.ExitStack() as stack:
        good, forbidden, silent = (
            stack.enter_context(simulator(12, *faults, interval=1.0))
            for faults in ((), ("subscribe-403",), ("stream-silence:40",))
        )
        accounts = (
            account(good, "east"),
            # RFC 6761 reserves .invalid for names that do not resolve.
            Account(name="north", api_url="https://api.packetfabrik.invalid", token=Secret("api-north")),
            Account(name="west", api_url=good.url, token=Secret("api-with-a-typing-error")),
            account(forbidden, "lab"),
            account(silent, "transit"),
            Account(
                name="old-login", api_url=good.url, login=Secret("noc"), password=Secret("correct horse")
            ),
        )
        stream = StreamSettings(idle_timeout=5.0, backoff_min=backoff, backoff_max=backoff)
        exporter = stack.enter_context(Exporter(Config(accounts=accounts, web=WEB, stream=stream)))
        stats = [pipeline.stats for pipeline in exporter.pipelines]
        until(lambda: all(one.history.errors.records() for one in stats[1:]), "five errors")
        until(lambda: stats[0].up and stats[0].last_event, "a stream")
        yield exporter
