"""Streams are validated, and select the events of a subscription."""

from __future__ import annotations

import pytest

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.events import Event
from pf_exporter.simulator.subscription import Stream, Subscription, parse_streams

PORT: Event = ("port|metrics", {"port_circuit_id": "PF-AP-1"})
VC: Event = ("vc|metrics", {"vc_circuit_id": "PF-BC-1", "port_circuit_id": "PF-AP-1"})
LOGIN: Event = ("customer|auth", {"event": "login"})


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ({"type": "port"}, [PORT]),
        ({"type": "port", "events": [], "ifds": None}, [PORT]),
        ({"type": "port", "events": ["errors"]}, []),
        ({"type": "port", "ifds": ["PF-AP-2"]}, []),
        ({"type": "vc", "vcs": ["PF-BC-1&PF-AP-1"]}, [VC]),
        ({"type": "vc", "vcs": ["PF-BC-1"]}, []),
        ({"type": "customer", "events": ["auth"]}, [LOGIN]),
        ({"type": "customer", "events": ["bgp"]}, []),
    ],
)
def test_selection(stream: Stream, expected: list[Event]) -> None:
    """Type, category and circuit select events; an absent, empty or null list selects all."""
    subscription = Subscription("uuid", "token", 0.0, (stream,))
    assert [event for event in (PORT, VC, LOGIN) if subscription.includes(event)] == expected


@pytest.mark.parametrize(("kind", "expected"), [("port", True), ("vc", True), ("customer", False)])
def test_measurements(kind: str, expected: bool) -> None:
    """Only the activity log has no measurements."""
    assert Subscription("uuid", "token", 0.0, ({"type": kind},)).has_measurements() is expected


@pytest.mark.parametrize(
    ("streams", "path"),
    [
        ("port", "streams"),
        ([{"type": "weather"}], r"streams\.0\.type"),
        ([{"type": "port"}, {"type": "vc", "vcs": [7]}], r"streams\.1\.vcs"),
        ([{"type": "vc", "events": ["errors"]}], r"streams\.0\.events"),
    ],
)
def test_invalid_streams(streams: object, path: str) -> None:
    """The error names the path of the invalid value."""
    with pytest.raises(BadRequest, match=f"^{path}: "):
        parse_streams({"streams": streams})
