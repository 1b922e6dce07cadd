"""Events and settings for tests that run the whole pipeline of an account."""

from __future__ import annotations

from typing import Any

from pf_exporter.config.settings import StreamSettings
from tests.chain import SETTINGS
from tests.fakes import event

PORT = "PF-AP-LAX1-1"


def sample(number: int, port: str = PORT, **fields: object) -> bytes:
    """A port's sample, taken at that second of an hour."""
    stamp = f"2021-09-22T20:{number // 60:02}:{number % 60:02}+00:00"
    return event(
        "port|metrics", {"timestamp": stamp, "port_circuit_id": port, "bytes_rx_total": number, **fields}
    )


def entry(number: int) -> bytes:
    """An entry of the activity log: these are counted, so that a lost or repeated one is noticed."""
    return event("customer|auth", {"log_level": "info", "event": "login", "message": f"{number}"})


def settings(**changes: float) -> StreamSettings:
    known: dict[str, Any] = {**vars(SETTINGS), **changes}
    return StreamSettings(**known)
