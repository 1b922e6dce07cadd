"""A step: one thing that is tried before exporting, what it came to, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from pf_exporter.errors import (
    ConfigError,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    NotAnEventStream,
    RateLimited,
    Rejected,
    StreamError,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)

GOOD, NOTE, BAD = "good", "note", "bad"
"""What a step came to."""


class CheckResult(NamedTuple):
    """One thing that was tried."""

    account: str
    """Empty where it is about this machine."""
    name: str
    state: str
    said: str
    hint: str
    """What to do next; empty where nothing need be done."""
    seconds: float
    failure: str = ""
    """Its class: ``config``, ``reach``, ``login``, ``stream``, ``read_timeout``, ``clock`` or ``taken``."""


class Failed(Exception):
    """A step found what has to be mended first."""

    def __init__(self, failure: str, said: str, hint: str) -> None:
        super().__init__(said)
        self.failure = failure
        self.hint = hint


class Notice(NamedTuple):
    """A step found what is worth a look, though nothing need be mended."""

    said: str
    hint: str


Finding: TypeAlias = "str | Notice"

HINTS: Mapping[type[ExporterError], tuple[str, str]] = {
    ConfigError: ("config", "mend the file that the line names"),
    LoginIncomplete: (
        "login",
        "do what is asked for in the portal, or use an API key (Settings, API Keys)",
    ),
    Forbidden: (
        "stream",
        "give the user or key the permission in the portal, or leave it out under streams",
    ),
    Unauthorized: (
        "login",
        "correct the secret, or create an API key in the portal (Settings, API Keys)",
    ),
    RateLimited: ("reach", "wait, and look for others who use the same account"),
    Unavailable: ("reach", "check api_url, and that this machine may connect there; or wait for the API"),
    SubscriptionGone: ("stream", "try again; if it stays, PacketFabric's support can say why"),
    Rejected: (
        "stream",
        "check api_url and the account's streams: the API answers what its documentation does not know",
    ),
    NotAnEventStream: ("stream", "check api_url: a proxy or portal may answer in the API's place"),
    StreamError: ("silence", "try again; look for proxies and firewalls that cut connections"),
}
"""By class of error, and of those above it, the class of failure and what to do."""


def run_check(
    account: str, name: str, work: Callable[[], Finding], *, clock: Callable[[], float]
) -> CheckResult:
    """What came of doing it; an :class:`ExporterError` is a failure of its class."""
    began = clock()
    state, hint, failure = GOOD, "", ""
    try:
        said = work()
        if isinstance(said, Notice):
            state, (said, hint) = NOTE, said
    except Failed as exc:
        state, said, hint, failure = BAD, str(exc), exc.hint, exc.failure
    except ExporterError as exc:
        failure, hint = next(HINTS[cls] for cls in type(exc).__mro__ if cls in HINTS)
        # A login that a server forbids is no question of streams.
        if name == "login" and failure == "stream":
            failure = "login"
        wait = getattr(exc, "retry_after", None)
        asked = f"; the API asks to wait {wait:.0f} s" if wait else ""
        state, said = BAD, str(exc).replace("\n", "; ") + asked
    return CheckResult(account, name, state, said, hint, clock() - began, failure)
