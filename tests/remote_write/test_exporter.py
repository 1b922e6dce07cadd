"""The whole exporter on a simulated network: what it sends is what it shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from pf_exporter.config import Account, Config, InventorySettings, RemoteWriteSettings, Secret, WebSettings
from pf_exporter.service import Exporter
from pf_exporter.simulator import Options, Simulator
from tests.conftest import get, until
from tests.remote_write.fake_receiver import FakeReceiver


def test_same_series_as_on_the_page() -> None:
    """Every series of the page reaches the receiver, with `job` and `instance`; a stop ends each of them."""
    options = Options(listen_address="127.0.0.1:0", interval=0.5)
    with Simulator(options) as simulator, FakeReceiver() as fake:
        account = Account(api_url=simulator.url, token=Secret(options.api_key))
        config = Config(
            accounts=(account,),
            inventory=InventorySettings(interval=3600.0),
            web=WebSettings(listen_address=("127.0.0.1:0",)),
            endpoints=(RemoteWriteSettings(url=fake.url, instance="host:1"),),
        )
        with Exporter(config) as exporter:
            (pipeline,) = exporter.pipelines
            until(
                lambda: all(exporter.store.rows(name)["default"] for name in ("port|errors", "vc|metrics")),
                "events",
            )
            until(lambda: pipeline.inventory.snapshot.at, "the inventory")
            assert exporter.remote_write is not None
            page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
            exporter.remote_write.collect()
            until(
                lambda: any(sample.name == "packetfabric_up" for sample in fake.samples), "collected samples"
            )
            status = get(f"http://{exporter.server.addresses[0]}/")[2].decode()
        sent = {tuple(sorted(sample.labels.items())) for sample in fake.samples if not sample.is_stale}
        ended = {tuple(sorted(sample.labels.items())) for sample in fake.samples if sample.is_stale}
    extra = {"job": "packetfabric", "instance": "host:1"}
    shown = {
        tuple(
            sorted(
                {k: v for k, v in {**extra, **sample.labels, "__name__": sample.name}.items() if v}.items()
            )
        )
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    missing = {dict(labels)["__name__"] for labels in shown - sent}
    assert missing <= {"packetfabric_remote_storage_highest_sent_timestamp_seconds"}
    assert ended == sent
    assert "Remote write" in status


def test_off_costs_nothing(tmp_path: Path) -> None:
    """Without an endpoint, neither the compression nor a module of remote write is imported."""
    code = (
        "import json, sys; from pf_exporter.config import Account, Config, Secret, WebSettings;"
        "from pf_exporter.service import Exporter;"
        "web = WebSettings(listen_address=('127.0.0.1:0',));"
        "Exporter(Config(accounts=(Account(token=Secret('x')),), web=web));"
        "print(json.dumps([name for name in sys.modules if 'cramjam' in name or '.remote_write.' in name]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(done.stdout) == []
