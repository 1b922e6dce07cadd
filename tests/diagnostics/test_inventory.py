from __future__ import annotations

import re
from collections.abc import Sequence

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.diagnostics.inventory import ENDS, check_inventory, series_of
from pf_exporter.diagnostics.result import Notice, Outcome
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.schema.events import EVENTS
from tests.fakes import Fake

PORTS = [{"port_circuit_id": "PF-AP-LAX1-1-PF"}, {"port_circuit_id": "PF-AP-LAX1-2"}, {"odd": 1}]
VCS = [{"vc_circuit_id": "PF-BC-LAX1-NYC1-3-PF"}]


def checked(
    *,
    ports: Sequence[object] = (),
    vcs: Sequence[object] = (),
    streams: tuple[StreamFilter, ...] = (),
    series_limit: int = 10_000,
    own_limit: int | None = None,
) -> Outcome:
    with Fake() as fake:
        fake.lists["/v2/ports"], fake.lists["/v2/services"] = list(ports), list(vcs)
        account = Account(
            name="a", api_url=fake.url, token=Secret("key"), streams=streams, series_limit=own_limit
        )
        session = Session(Secret("key"), None, from_login=False)
        client = Client(account, idle_timeout=5)
        return check_inventory(client, session, account, series_limit=own_limit or series_limit)


def test_series_of_a_circuit() -> None:
    """Each field of each event is a series, each optical one four times, and each event has one more."""
    optical = EVENTS["port|optical"]
    others = [event for name, event in EVENTS.items() if name.startswith("port|") and event is not optical]
    assert series_of("port|") == sum(1 + len(event.fields) for event in others) + 1 + 4 * len(optical.fields)


def test_counts() -> None:
    """Circuits are counted, and a virtual circuit has the series of two ends; odd items are left out."""
    expected = 2 * series_of("port|") + ENDS * series_of("vc|")
    assert checked(ports=PORTS, vcs=VCS) == (
        f"ports: 2, virtual circuits: 1, expected series: at most {expected}"
    )


def test_more_series_than_the_limit() -> None:
    """The message names the limit and the remedy."""
    outcome = checked(ports=PORTS, series_limit=2 * series_of("port|") - 1)
    assert isinstance(outcome, Notice)
    assert outcome.message.endswith("which is more than series.limit")
    assert "raise series.limit" in outcome.remedy
    assert isinstance(checked(ports=PORTS, series_limit=2 * series_of("port|")), str)


def test_more_series_than_the_limit_of_the_account() -> None:
    """A limit of the account is named in place of the common one."""
    outcome = checked(ports=PORTS, own_limit=5)
    assert isinstance(outcome, Notice)
    assert outcome.message.endswith("which is more than the account's series_limit")
    assert outcome.remedy.startswith("raise the account's series_limit,")


def test_an_empty_account() -> None:
    """An account without circuits is noted."""
    outcome = checked()
    assert isinstance(outcome, Notice)
    assert "right account" in outcome.remedy


def test_selected_circuits_that_the_account_does_not_have() -> None:
    """Missing circuits are named; an ID means the same circuit with ``-PF`` and without."""
    streams = (
        StreamFilter("port", selectors=("PF-AP-LAX1-1", "PF-AP-LAX1-9")),
        StreamFilter("vc", selectors=("PF-AP-LAX1-2&PF-BC-LAX1-NYC1-3", "PF-AP-LAX1-8&PF-BC-LAX1-NYC1-3-PF")),
    )
    outcome = checked(ports=PORTS, vcs=VCS, streams=streams)
    assert isinstance(outcome, Notice)
    assert re.search("; not in this account: PF-AP-LAX1-9, PF-AP-LAX1-8$", outcome.message)
