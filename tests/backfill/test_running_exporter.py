"""What the page and the gaps of a running exporter tell."""

from __future__ import annotations

import json

import pytest

from pf_exporter.backfill.running_exporter import ExportedLabels, RunningExporter
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import Rejected
from pf_exporter.schema.history import CircuitEnd
from pf_exporter.scrape.target import ScrapeTarget
from tests.fakes import Answer, Fake

PAGE = """\
packetfabric_port_receive_bytes_per_second{account="east",port_circuit_id="PF-AP-1-PF"} 1.0
packetfabric_vc_receive_bytes_per_second{account="east",VC} 1
packetfabric_cloud_router_connection_receive_bytes_per_second{account="east",cloud_circuit_id="PF-L3-CON-1"} 1
packetfabric_port_mtu_bytes{account="east",port_circuit_id="PF-AP-9-PF"} 1.0
""".replace("VC", 'vc_circuit_id="PF-BC-1",port_circuit_id="PF-AP-1",vlan="7"')


def exported() -> ExportedLabels:
    with Fake() as fake:
        fake.script["/metrics"] = [Answer(200, {"Content-Type": "text/plain; version=0.0.4"}, PAGE.encode())]
        return RunningExporter(ScrapeTarget(fake.url)).labels()


def test_labels() -> None:
    """IDs and VLANs are those of the exporter's series; unknown circuits keep those of the list."""
    labels = exported()
    assert labels.circuit_id("east", "PF-AP-1") == "PF-AP-1-PF"
    assert labels.circuit_id("east", "PF-L3-CON-1") == "PF-L3-CON-1"
    assert [labels.circuit_id(*circuit) for circuit in (("west", "PF-AP-1"), ("east", "PF-AP-9"))] == [
        "PF-AP-1",
        "PF-AP-9",
    ]
    end = CircuitEnd("PF-BC-1-PF", "PF-AP-1-PF", "")
    assert labels.end("east", end) == ("PF-BC-1", "PF-AP-1", "7")
    assert labels.end("west", end) == end


def test_several_vlans() -> None:
    """Of two ends on one port, the one with the VLAN of the list is meant."""
    labels = ExportedLabels()
    for vlan in ("7", "8"):
        labels.add({"account": "a", "vc_circuit_id": "v", "port_circuit_id": "p", "vlan": vlan})
    assert labels.end("a", CircuitEnd("v", "p", "8")).vlan == "8"
    assert labels.end("a", CircuitEnd("v", "p", "9")).vlan == "7"


def test_gaps() -> None:
    """The gaps by account; anything else than such a list is refused."""
    gaps = {"east": [{"start": 1.5, "end": 2}], "west": []}
    with Fake() as fake:
        fake.script["/-/gaps"] = [Answer(200, {}, json.dumps(gaps).encode()), Answer(200, {}, b"[1]")]
        exporter = RunningExporter(ScrapeTarget(f"{fake.url}/metrics"))
        assert exporter.gaps() == {"east": (TimeSpan(1.5, 2),), "west": ()}
        with pytest.raises(Rejected, match=r"/-/gaps: not a list of gaps"):
            exporter.gaps()
