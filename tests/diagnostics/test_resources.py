"""What `check` says of each polled resource."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import InventorySettings
from pf_exporter.diagnostics.resources import check_resource
from pf_exporter.diagnostics.result import Notice
from pf_exporter.inventory.probe import ResourceProbe
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.simulator import Options, Simulator
from tests.fakes import Answer, Fake
from tests.inventory.harness import ALL_RESOURCES

EVERYTHING = InventorySettings(requests_per_minute=100_000, **ALL_RESOURCES)


def probe(url: str, token: str, settings: InventorySettings) -> ResourceProbe:
    client = Client(Account(api_url=url), idle_timeout=5)
    session = Session(Secret(token), None, from_login=False)
    return ResourceProbe("default", client, session, settings, wall=time.time)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


def outcomes(fake: Fake, settings: InventorySettings) -> dict[str, object]:
    one = probe(fake.url, "key", settings)
    return {resource.name: check_resource(one, resource) for resource in one.resources}


def test_everything_is_tried() -> None:
    """On the simulator every enabled resource can be read, also those that need a target."""
    with Simulator(Options(listen_address="127.0.0.1:0")) as simulator:
        one = probe(simulator.url, simulator.api_key, EVERYTHING)
        found = {resource.name: check_resource(one, resource) for resource in one.resources}
    missing = {name: outcome for name, outcome in found.items() if isinstance(outcome, Notice)}
    assert missing.keys() <= {"dedicated_connection"}
    assert found["maintenance"] == "maintenance: readable, 2 found"
    assert all("readable" in str(outcome) for name, outcome in found.items() if name not in missing)


def test_what_is_refused_has_a_remedy(fake: Fake) -> None:
    """A missing permission, a missing resource and an error are notices, each with what to do."""
    fake.script["/v2/api-keys"] = [Answer(403)]
    fake.script["/v2/locations"] = [Answer(404)]
    fake.script["/v2/maintenances/notifications"] = [Answer(500)]
    found = outcomes(fake, InventorySettings())
    remedies = {name: outcome.remedy for name, outcome in found.items() if isinstance(outcome, Notice)}
    assert remedies["api_key"].startswith("grant the permission in the portal")
    assert remedies["pop"].startswith("nothing, if the account does not use it")
    assert remedies["maintenance"].startswith("run check again. Check api_url")


def test_values_that_cannot_be_used(fake: Fake) -> None:
    """Unusable values are named, without their text."""
    fake.lists["/v2/api-keys"] = [{"name": "a", "expiration": "secret"}]
    found = outcomes(fake, InventorySettings())["api_key"]
    assert isinstance(found, Notice)
    assert found.message == "api_key: readable, nothing found; unusable: expiration"


def test_nothing_to_request_it_for(fake: Fake) -> None:
    """A resource of ports is not requested in an account without ports; its lists are read once."""
    found = outcomes(fake, InventorySettings(optics=True))
    assert found["port_device"] == "port_device: no port to request it for"
    assert found["port_optics"] == "port_optics: no port to request it for"
    assert len(fake.of("/v2/ports")) == 1


def test_a_list_that_cannot_be_read(fake: Fake) -> None:
    """Only a resource whose targets are in the list has its error: ports do not need the virtual circuits."""
    fake.script["/v2/services"] = [Answer(403)]
    fake.lists["/v2/ports"] = []
    assert outcomes(fake, InventorySettings(optics=True))["port_device"] == (
        "port_device: no port to request it for"
    )
    fake.script["/v2/ports"] = [Answer(403)]
    found = outcomes(fake, InventorySettings(optics=True))["port_device"]
    assert isinstance(found, Notice)
    assert found.message.startswith("port_device: list of ports: ")
