"""The row of current values at the top of the dashboard Exporter."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from grafana.panels import BLUE, GREEN, RED, YELLOW, stat_panel
from grafana.promql import ALL, EXPORTER, threshold


def stream_stats() -> tuple[stat.Panel, ...]:
    """Return the values of streams and sessions."""
    max_silence = threshold("silence")
    return (
        stat_panel(
            "Streams up",
            "Accounts with a working event stream. Red: none; Stream disconnects shows the reasons.",
            f"sum(max by (account) (packetfabric_up{{{ALL}}}))",
            colors=((None, RED), (1, GREEN)),
            empty="no exporter",
        ),
        stat_panel(
            "Last measurement",
            "Time since the last event of a port or circuit, of the account that has been silent "
            "longest. Red: the stream is open but delivers nothing.",
            f"max(time() - max by (account) ("
            f'packetfabric_stream_last_event_timestamp_seconds{{{ALL}, event=~"(port|vc)[|].+"}}))',
            "s",
            colors=((None, GREEN), (max_silence / 3, YELLOW), (max_silence, RED)),
            decimals=0,
        ),
        stat_panel(
            "Gaps, 24 h",
            "Time without a stream in the last 24 hours; its events are lost. Red: see Stream disconnects.",
            f"max(increase(packetfabric_stream_gap_seconds_total{{{ALL}}}[1d]))",
            "s",
            colors=((None, GREEN), (60, YELLOW), (900, RED)),
            decimals=0,
        ),
        stat_panel(
            "Session ends in",
            "Time until the first session of an account ends. The exporter renews sessions after four fifths "
            "of their lifetime. Red: see Failed logins and polls. An API key has no session.",
            f"min(packetfabric_session_expiry_timestamp_seconds{{{ALL}}} - time())",
            "s",
            colors=((None, RED), (600, YELLOW), (86400, GREEN)),
            decimals=0,
            empty="API key",
        ),
    )


def data_stats() -> tuple[stat.Panel, ...]:
    """Return the values of rejected data, the inventory and the version."""
    return (
        stat_panel(
            "Rejected, 1 h",
            "Events that were rejected, without duplicates. Red: Rejected and unknown shows the reasons.",
            f'sum(increase(packetfabric_stream_events_rejected_total{{{ALL}, reason!="duplicate"}}[1h]))',
            colors=((None, GREEN), (1, YELLOW), (100, RED)),
            decimals=0,
        ),
        stat_panel(
            "Inventory age",
            "Age of names, speeds and states. Red: the inventory cannot be polled; see Failed "
            "logins and polls.",
            f"max(time() - packetfabric_inventory_last_success_timestamp_seconds{{{ALL}}})",
            "s",
            colors=((None, GREEN), (900, YELLOW), (threshold("inventoryAge"), RED)),
            decimals=0,
            empty="no inventory",
        ),
        stat_panel(
            "Over the limit",
            "Observations and circuits dropped because of series.limit. Red: increase series.limit "
            "or subscribe to fewer circuits.",
            f"sum(packetfabric_series_dropped_total{{{ALL}}})"
            f" + (sum(packetfabric_inventory_circuits_left_out{{{ALL}}}) or vector(0))",
            colors=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Version",
            "The running version of the exporter.",
            f"max by (version) (packetfabric_exporter_build_info{{{EXPORTER}}})",
            legend="{{version}}",
            text=True,
            colors=((None, BLUE),),
        ),
    )
