"""The activity log: actions of the simulated customer's users, as events ``customer|…``."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from pf_exporter.simulator.events import Event


class _Action(NamedTuple):
    """A kind of entry; ``message`` is a format string with ``name``, ``port`` and ``circuit``."""

    category: str
    verb: str
    level: str
    message: str


_ACTIONS = (
    _Action("auth", "login", "info", "User {name} logged in."),
    _Action("auth", "login", "info", "User {name} logged in."),
    _Action("auth", "logout", "info", "User {name} logged out."),
    _Action("auth", "login_failed", "warning", "Failed login for user {name}."),
    _Action("user", "update", "info", "User {name} changed their contact details."),
    _Action("document", "create", "info", "User {name} uploaded a document for {port}."),
    _Action("physical_interface", "update", "info", "User {name} changed the description of {port}."),
    _Action("virtual_circuit", "update", "notice", "User {name} changed {circuit}."),
    _Action("rate_limit", "update", "notice", "User {name} changed the rate limit of {circuit}."),
    _Action("bgp", "session_down", "error", "BGP session on {circuit} went down."),
    _Action("bgp", "session_up", "notice", "BGP session on {circuit} came up."),
    _Action("billing", "invoice", "info", "A new invoice is ready."),
)
_USERS = (
    ("hank.aaron", "Hank Aaron"),
    ("grace.h", "Grace Hopper"),
    ("zoë.ångström", "Zoë Ångström"),
    ("r.kumar", "Ravi Kumar"),
    ("m.o'brien", "Máire O'Brien"),
)
_SLOT = 60.0
_ENTRY_PROBABILITY = 0.4


def generate_activity(
    seed: int, ports: Sequence[str], circuits: Sequence[str], at: float, since: float
) -> Iterator[Event]:
    """Yield the entries after ``since`` up to and including ``at``: at most one per minute."""
    for slot in range(math.floor(since / _SLOT), math.floor(at / _SLOT) + 1):
        rng = random.Random(f"{seed} people {slot}")
        moment = (slot + rng.random()) * _SLOT
        if rng.random() > _ENTRY_PROBABILITY or not since < moment <= at:
            continue
        action = rng.choice(_ACTIONS)
        login, name = rng.choice(_USERS)
        port, circuit = (rng.choice(ids or ["something old"]) for ids in (ports, circuits))
        by_user = "{name}" in action.message
        user = login if by_user else "system"
        yield activity_event(
            action.category,
            action.verb,
            action.message.format(name=name, port=port, circuit=circuit),
            moment,
            level=action.level,
            # In the API's own examples, logins have no ``user`` field.
            user=None if action.category == "auth" else user,
            ip_address=f"192.0.2.{rng.randrange(1, 255)}" if by_user else None,
            with_zone=rng.random() < 0.5,
        )


def activity_event(
    category: str,
    verb: str,
    message: str,
    moment: float,
    *,
    level: str = "info",
    user: str | None = None,
    ip_address: str | None = None,
    with_zone: bool = False,
) -> Event:
    """Return one entry as an event; its timestamp ends in ``+0000`` or has no zone."""
    time = datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    data: dict[str, object] = {"log_level": level, "category": category, "event": verb}
    if ip_address:
        data["ip_address"] = ip_address
    if user:
        data["user"] = user
    data |= {"message": message, "timestamp": time + ("+0000" if with_zone else "")}
    return f"customer|{category}", data
