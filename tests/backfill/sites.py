"""An exporter of a small simulated network, and the command that fills its past."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pf_exporter.backfill.recorded import observation_samples
from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.observation import Observation
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Network, Options, Simulator
from tests.conftest import process_environment

JOB = "packetfabric"
CONNECTIONS = "--inventory.cloud-router-connections"


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


def backfill(simulator: Simulator, *arguments: str) -> Done:
    """Run ``pf-exporter backfill`` against a simulator, without pauses."""
    words = ("-m", "pf_exporter", "backfill", "--requests-per-minute=100000", CONNECTIONS, *arguments)
    environment = process_environment(PF_HOST=simulator.url, PF_TOKEN=simulator.api_key)
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def small_network(**options: Any) -> Iterator[Simulator]:
    """A simulated network of few circuits."""
    settings = {"ports": 4, "vcs": 3, "interval": 0.5, **options}
    with Simulator(Options(listen_address="127.0.0.1:0", **settings)) as simulator:
        yield simulator


@contextmanager
def exporter_of(simulator: Simulator) -> Iterator[Exporter]:
    """An exporter of everything that the network has."""
    account = Account(api_url=simulator.url, token=Secret(simulator.api_key))
    config = Config(
        (account,),
        inventory=InventorySettings(60.0, cloud_router_connections=True),
        web=WebSettings(listen_address=("127.0.0.1:0",)),
    )
    with Exporter(config) as exporter:
        yield exporter


def streamed(network: Network, at: float) -> dict[frozenset[tuple[str, str]], float]:
    """Return what the stream sends at a time, by the labels of the series, name included."""
    values = {}
    for name, data in network.measurements(at):
        observation = decode(name, json.dumps(data))
        assert isinstance(observation, Observation)
        for family, labels, _, value in observation_samples("default", observation, at, with_counters=True):
            pairs = zip(family.labels, labels, strict=True)
            values[frozenset((*pairs, ("__name__", family.name)))] = value
    return values


def minute_ago(hours: float) -> float:
    """Return a whole minute of the past."""
    return (time.time() - hours * 3600) // 60 * 60
