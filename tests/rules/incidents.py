"""What exporters show on /metrics before and during the incidents of test_incidents.py, in minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

LAG, MEMBER, OTHER, PORT, VC = "PF-AE-1", "PF-AP-1", "PF-AP-2", "PF-AP-3", "PF-BC-1"
CATEGORIES = ("metrics", "errors", "optical")
TTL = 10
"""Minutes after which series without events end, as with the default of series.ttl."""

Page = dict[str, float]
"""Values by metric and labels."""


class Moment(NamedTuple):
    """A time of a scenario: minutes since its incident started, negative before, and UNIX seconds."""

    minute: float
    now: float

    @property
    def during(self) -> bool:
        """Whether the incident has started."""
        return self.minute >= 0

    def silent_since(self, minute: float, seconds_per_minute: float) -> float:
        """Return the UNIX time of the last event of something that is silent since a minute."""
        return self.now - max(self.minute - minute, 0.0) * seconds_per_minute


def series(metric: str, **labels: str) -> str:
    """Return the key of a series of the account."""
    pairs = ",".join(f'{key}="{value}"' for key, value in ({"account": "east"} | labels).items())
    return f"packetfabric_{metric}{{{pairs}}}"


def port_series(metric: str, port: str, **labels: str) -> str:
    """Return the key of a series of a port."""
    return series(f"port_{metric}", port_circuit_id=port, **labels)


def _process(moment: Moment) -> Iterator[tuple[str, float]]:
    yield "process_start_time_seconds", 1000.0
    yield "packetfabric_config_last_reload_successful", 1.0
    yield series("up"), 1.0
    yield series("stream_connects_total"), 1.0
    yield series("stream_gap_seconds_total"), 1.0
    yield series("session_expiry_timestamp_seconds"), moment.now + 10 * 86400
    yield series("inventory_last_success_timestamp_seconds"), moment.now


def _port(moment: Moment, port: str, lag: str) -> Iterator[tuple[str, float]]:
    yield port_series("info", port, lag=lag, media="LR4", description=f"Port {port}"), 1.0
    yield port_series("operational_up", port), 1.0
    yield port_series("admin_up", port), 1.0
    for category in CATEGORIES:
        yield port_series("last_event_timestamp_seconds", port, category=category), moment.now
    for direction in ("receive", "transmit"):
        yield port_series(f"{direction}_packets_total", port), 1000 * moment.minute + 100_000
        yield port_series(f"{direction}_unspecified_errors_total", port), 5.0
    yield port_series("carrier_transitions_total", port), 1.0
    if port != LAG:
        yield port_series("optical_receive_power_dbm", port, lane="0"), -3.0


def healthy(moment: Moment) -> Page:
    """Return the page for an account with a LAG of two members, a port and a virtual circuit."""
    page = dict(_process(moment))
    for event in (*(f"port|{category}" for category in CATEGORIES), "vc|metrics"):
        page[series("stream_last_event_timestamp_seconds", event=event)] = moment.now
        page[series("resets_total", event=event)] = 0.0
    page[series("inventory_circuits", type="port")] = 4.0
    page[series("inventory_circuits", type="vc")] = 1.0
    for port, lag in ((LAG, ""), (MEMBER, LAG), (OTHER, LAG), (PORT, "")):
        page |= dict(_port(moment, port, lag))
    page[series("vc_info", vc_circuit_id=VC, port_a=LAG, port_z=PORT)] = 1.0
    page[series("vc_connected", vc_circuit_id=VC)] = 1.0
    for port in (LAG, PORT):
        end = series("vc_last_event_timestamp_seconds", vc_circuit_id=VC, port_circuit_id=port)
        page[end] = moment.now
    return page


def _take_down(page: Page, *ports: str) -> None:
    for port in ports:
        page[port_series("operational_up", port)] = 0.0
        page.pop(port_series("optical_receive_power_dbm", port, lane="0"), None)


def _disconnect(page: Page) -> None:
    page[series("vc_connected", vc_circuit_id=VC)] = 0.0


def _maintenance(page: Page, moment: Moment, start: float, end: float) -> None:
    """Add a maintenance of the port and its circuit from one minute to another."""
    page[series("poll_last_success_timestamp_seconds", resource="maintenance")] = moment.now
    page[series("maintenance_info", maintenance="M-1", ticket="NOC-1", type="routine")] = 1.0
    page[series("maintenance_affects_port", maintenance="M-1", port_circuit_id=PORT)] = 1.0
    page[series("maintenance_affects_vc", maintenance="M-1", vc_circuit_id=VC)] = 1.0
    for name, minute in (("start", start), ("end", end)):
        at = moment.now + (minute - moment.minute) * SECONDS_PER_MINUTE
        page[series(f"maintenance_{name}_timestamp_seconds", maintenance="M-1")] = at


class Scenario(NamedTuple):
    """An incident: the messages that it sends, and the page of each replica; None if it does not respond."""

    messages: tuple[tuple[str, str], ...]
    """Receiver and name of the alert of each message."""
    page: Callable[[Moment, str], Page | None]
    replicas: str = "a"


def _lag_member_down(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if moment.during:
        page[port_series("operational_up", MEMBER)] = 0.0
        page[port_series("optical_receive_power_dbm", MEMBER, lane="0")] = -40.0
    return page


def _lag_down(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if moment.during:
        _take_down(page, LAG, MEMBER, OTHER)
        _disconnect(page)
    return page


def _port_shut(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if moment.during:
        _take_down(page, PORT)
        page[port_series("admin_up", PORT)] = 0.0
        _disconnect(page)
    return page


def _router_reboot(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if 0 <= moment.minute < 2.5:
        _take_down(page, PORT)
        _disconnect(page)
    if moment.during:
        for direction in ("receive", "transmit"):
            page[port_series(f"{direction}_packets_total", PORT)] = 1000 * moment.minute
            page[port_series(f"{direction}_unspecified_errors_total", PORT)] = 0.0
        page[series("resets_total", event="port|metrics")] = 1.0
        page[series("resets_total", event="port|errors")] = 1.0
    return page


def _restart_during_an_outage(moment: Moment, replica: str) -> Page | None:
    if 12 <= moment.minute < 13:
        return None
    page = healthy(moment)
    if moment.during:
        _take_down(page, PORT)
        _disconnect(page)
    if 13 <= moment.minute < 15:
        # Neither the inventory nor the stream has delivered anything.
        page = dict(_process(moment))
        page[series("up")] = 0.0
        del page[series("inventory_last_success_timestamp_seconds")]
    if moment.minute >= 13:
        page["process_start_time_seconds"] = 2000.0
    return page


def _replica_lost(moment: Moment, replica: str) -> Page | None:
    return None if moment.during and replica == "b" else healthy(moment)


def _series_expired(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if moment.during:
        last = moment.silent_since(0, SECONDS_PER_MINUTE)
        for category in CATEGORIES:
            page[port_series("last_event_timestamp_seconds", PORT, category=category)] = last
        page[series("vc_last_event_timestamp_seconds", vc_circuit_id=VC, port_circuit_id=PORT)] = last
    if moment.minute > TTL:
        for key in list(page):
            if "total" in key or "optical" in key:
                page.pop(key if PORT in key else "", None)
    return page


def _port_down(moment: Moment, since: float) -> Page:
    page = healthy(moment)
    if moment.minute >= since:
        _take_down(page, PORT)
        _disconnect(page)
    return page


def _port_down_and_maintenance(down: float, start: float, end: float) -> Callable[[Moment, str], Page]:
    """The pages of a port that goes down, and of a maintenance from one minute to another."""

    def page_at(moment: Moment, replica: str) -> Page:
        page = _port_down(moment, since=down)
        if moment.during:
            _maintenance(page, moment, start, end)
        return page

    return page_at


def _planned_renewal(moment: Moment, replica: str) -> Page:
    page = healthy(moment)
    if moment.during:
        page[series("stream_connects_total")] = 2.0
        page[series("session_expiry_timestamp_seconds")] += 30 * 86400
    return page


def _no_circuits(moment: Moment, replica: str) -> Page:
    page = dict(_process(moment))
    page[series("inventory_circuits", type="port")] = 0.0
    page[series("inventory_circuits", type="vc")] = 0.0
    page[series("stream_last_event_timestamp_seconds", event="customer|auth")] = moment.now
    return page


SECONDS_PER_MINUTE = 1.0
"""How long a minute of a scenario takes."""

SCENARIOS = {
    "LAG member down": Scenario((("team", "LagMemberDown"),), _lag_member_down),
    "LAG down": Scenario((("pager", "PortDown"),), _lag_down),
    "port shut on purpose": Scenario((), _port_shut),
    "router reboot": Scenario((("notes", "CounterResets"),), _router_reboot),
    "exporter restart during an outage": Scenario((("pager", "PortDown"),), _restart_during_an_outage),
    "replica lost": Scenario((("team", "ExporterScrapesFailing"),), _replica_lost, "ab"),
    "series expired": Scenario((("team", "PortSilent"),), _series_expired),
    "port down in a maintenance": Scenario(
        (("notes", "MaintenanceStarted"),), _port_down_and_maintenance(down=2, start=0, end=60)
    ),
    "port down outside a maintenance": Scenario(
        (("pager", "PortDown"),), _port_down_and_maintenance(down=2, start=-60, end=-1)
    ),
    "port down until after a maintenance": Scenario(
        (("notes", "MaintenanceStarted"), ("pager", "PortDown")),
        _port_down_and_maintenance(down=2, start=0, end=10),
    ),
    "port down before a maintenance": Scenario(
        (("notes", "MaintenanceAnnounced"), ("pager", "PortDown"), ("notes", "MaintenanceStarted")),
        _port_down_and_maintenance(down=0, start=16, end=70),
    ),
    "planned renewal": Scenario((), _planned_renewal),
    "account without circuits": Scenario((), _no_circuits),
}
