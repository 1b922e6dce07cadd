"""The seven events of PacketFabric's documentation, through the whole exporter, over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.service.exporter import Exporter
from tests.conftest import FIXTURES, get, until
from tests.fakes import Fake, event

# Values that differ in each run: times, and the bytes of heartbeats.
VARIES = re.compile(
    r"^(packetfabric_(?:\w+_timestamp_seconds|stream_event_lag_seconds_(?:bucket|sum)|stream_gap_seconds_total"
    r"|stream_bytes_total)(?:{[^}]*})?) \S+$",
    re.MULTILINE,
)
BUILD = re.compile(r"^(packetfabric_exporter_build_info){.*}", re.MULTILINE)


def test_golden_page(golden: Callable[[str, str], None]) -> None:
    """The page for the documented events equals tests/fixtures/metrics.txt."""
    lines = (FIXTURES / "stream-events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert len(events) == 7
    with Fake() as fake:
        fake.events = [event(item["event"], item["data"]) for item in events]
        web = WebSettings(listen_address=("127.0.0.1:0",), disable_exporter_metrics=True)
        config = Config(accounts=(fake.account(),), web=web, inventory=InventorySettings(interval=0))
        with Exporter(config) as exporter:
            stats = exporter.pipelines[0].stats
            until(lambda: sum(stats.events.values()) == len(events), "all events")
            page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    page = VARIES.sub(r"\1 <varies>", page)
    golden("metrics.txt", BUILD.sub(r"\1{<varies>}", page))
