"""The activity log has the variety of the API's own examples."""

from __future__ import annotations

from itertools import islice

from pf_exporter.simulator import Network
from pf_exporter.simulator.traffic import DAY
from tests.simulator.conftest import NOW


def test_entries_vary(network: Network) -> None:
    """Entries have names, addresses and both timestamp formats, and logins have no user field."""
    log = list(islice(network.activity(NOW + DAY, NOW), 400))
    assert {"customer|auth", "customer|physical_interface", "customer|bgp"} <= {name for name, _ in log}
    assert {str(data["timestamp"])[26:] for _, data in log} == {"", "+0000"}
    logins = [data for _, data in log if data["event"] == "login"]
    assert any("Hank Aaron" in str(data["message"]) and "ip_address" in data for data in logins)
    assert all("user" not in data for data in logins)
    assert any(data.get("user") == "system" for _, data in log)
