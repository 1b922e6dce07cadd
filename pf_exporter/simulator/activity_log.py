"""The customer's people, and what the activity log says of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

_PEOPLE = (
    ("hank.aaron", "Hank Aaron"),
    ("grace.h", "Grace Hopper"),
    ("zoë.ångström", "Zoë Ångström"),
    ("r.kumar", "Ravi Kumar"),
    ("m.o'brien", "Máire O'Brien"),
)
# Category, verb, level, what is said.
_ACTIONS = (
    ("auth", "login", "info", "User {name} logged in."),
    ("auth", "login", "info", "User {name} logged in."),
    ("auth", "logout", "info", "User {name} logged out."),
    ("auth", "login_failed", "warning", "Failed login for user {name}."),
    ("user", "update", "info", "User {name} changed their contact details."),
    ("document", "create", "info", "User {name} uploaded a document for {port}."),
    ("physical_interface", "update", "info", "User {name} changed the description of {port}."),
    ("virtual_circuit", "update", "notice", "User {name} changed {circuit}."),
    ("rate_limit", "update", "notice", "User {name} changed the rate limit of {circuit}."),
    ("bgp", "session_down", "error", "BGP session on {circuit} went down."),
    ("bgp", "session_up", "notice", "BGP session on {circuit} came up."),
    ("billing", "invoice", "info", "A new invoice is ready."),
)
_SLOT = 60.0


def activity(
    seed: int, ports: Sequence[str], circuits: Sequence[str], at: float, since: float
) -> Iterator[tuple[str, dict[str, object]]]:
    """What people did after ``since`` up to and with ``at``: in some minutes something, in most nothing."""
    for slot in range(math.floor(since / _SLOT), math.floor(at / _SLOT) + 1):
        rng = random.Random(f"{seed} people {slot}")
        moment = (slot + rng.random()) * _SLOT
        if rng.random() > 0.4 or not since < moment <= at:
            continue
        category, verb, level, text = rng.choice(_ACTIONS)
        login, name = rng.choice(_PEOPLE)
        port, circuit = (rng.choice(known or ["something old"]) for known in (ports, circuits))
        message = text.format(name=name, port=port, circuit=circuit)
        yield entry(
            category,
            verb,
            message,
            moment,
            level=level,
            # The API's own examples of logins do not name the user in a field.
            user=None if category == "auth" else login if "{name}" in text else "system",
            ip_address=f"192.0.2.{rng.randrange(1, 255)}" if "{name}" in text else None,
            with_zone=rng.random() < 0.5,
        )


def entry(
    category: str,
    verb: str,
    message: str,
    moment: float,
    *,
    level: str = "info",
    user: str | None = None,
    ip_address: str | None = None,
    with_zone: bool = False,
) -> tuple[str, dict[str, object]]:
    """One line of the activity log as an event; its time ends in ``+0000`` or in no zone at all."""
    time = datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    data: dict[str, object] = {"log_level": level, "category": category, "event": verb}
    if ip_address:
        data["ip_address"] = ip_address
    if user:
        data["user"] = user
    data |= {"message": message, "timestamp": time + ("+0000" if with_zone else "")}
    return f"customer|{category}", data
