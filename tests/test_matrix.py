"""Every fault in every phase, once: afterwards the exporter streams again, and has counted it."""

from __future__ import annotations

import gc
import itertools
import os
import threading

import pytest

from pf_exporter.metrics.exporter_collector import EXPORTER_METRICS
from pf_exporter.reason import Reason
from pf_exporter.state.stats import AccountStats
from tests.chain import SETTINGS, SHORT_SILENCE, Chain
from tests.conftest import until
from tests.fakes import OK, By, Fake, Part, Request, event
from tests.matrix import MATRIX, PHASES, Fault


def held_resources() -> tuple[set[str], int]:
    """The names of the exporter's threads, and the number of open descriptors."""
    gc.collect()
    threads = {thread.name for thread in threading.enumerate() if thread.name.startswith("stream")}
    return threads, len(os.listdir("/proc/self/fd"))


def counters(stats: AccountStats) -> dict[tuple[str, ...], float]:
    """Every counter of the account, by name and labels."""
    return {
        (own.name, *labels): value
        for own in EXPORTER_METRICS
        if own.type == "counter"
        for labels, value in own.read(stats).items()
    }


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: f"{fault.phase}: {fault.what}")
def test_fault(fault: Fault) -> None:
    """One stream is open afterwards, up was 0 meanwhile, one reason is counted once, nothing is left over."""
    before = held_resources()
    with Fake(heartbeat=0.05) as fake:
        cause(fault, fake)
    until(lambda: held_resources() == before, "the end of every thread and descriptor")


def cause(fault: Fault, fake: Fake) -> None:
    """Cause the fault once, and wait until the exporter has recovered."""
    ups: list[bool] = []
    stats: AccountStats | None = None

    def watched(request: Request) -> Part:
        if fault.phase != "stream" or len(fake.of("open")) > 1:
            ups.append(stats is not None and stats.up)
        return OK

    fake.script["open"] = itertools.repeat(By(watched))
    if fault.phase in ("open", "stream"):
        fake.script["open"] = itertools.chain([fault.step], itertools.repeat(By(watched)))
    else:
        fake.script[fault.phase] = [fault.step]
    settings = SHORT_SILENCE if fault.reason is Reason.IDLE else SETTINGS
    with Chain(fake.account(), settings=settings) as chain:
        stats = chain.stats
        seen = counters(stats)

        def streaming() -> bool:
            nonlocal seen
            now = counters(chain.stats)
            assert [key for key, value in seen.items() if now[key] < value] == []
            seen = now
            return len(fake.streams) == 1 and chain.stats.up

        until(streaming, "a stream after the fault")
        processed = chain.processed
        fake.send(event("vc|metrics", {"vc_circuit_id": "PF-BC-1", "port_circuit_id": "PF-AP-1"}))
        chain.wait_for_events(processed + 1)
        assert ups == [False]
        reasons = {reason: count for reason, count in stats.disconnects.items() if count}
        assert reasons == {fault.reason: 1}
        assert stats.connects == 1 + (fault.phase == "stream")
        assert len(fake.of("login")) == (fault.logins if fault.phase != "connect" else 1)
        assert stats.session.login_attempts == fault.logins
        failures = sum(stats.session.login_failures.values())
        assert failures == (stats.session.login_failures.get(fault.reason, 0) if failures else 0)
        assert failures == (fault.phase in ("connect", "login"))
        subscriptions = {request.path for request in fake.of("open")}
        assert len(subscriptions) == fault.subscriptions


def test_matrix_covers_every_phase() -> None:
    """The table has faults for every phase, and no fault twice."""
    assert {fault.phase for fault in MATRIX} == set(PHASES)
    names = [(fault.phase, fault.what) for fault in MATRIX]
    assert len(names) == len(set(names))
