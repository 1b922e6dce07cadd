"""The status page: is it working, and if not, why."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pf_exporter import __version__
from pf_exporter.config import SETTINGS, Account, Config, Secret, SecretFile
from pf_exporter.formatting import bit_rate, duration
from pf_exporter.inventory import Snapshot
from pf_exporter.metrics import ReloadStatus
from pf_exporter.state import AccountStats, Store, StreamState
from pf_exporter.web.markup import Markup, joined, table, tag
from pf_exporter.web.style import STYLE
from pf_exporter.web.top_circuits import CircuitTraffic, busiest
from pf_exporter.web.words import ago, moment

REFRESH = 10
"""Seconds until a browser asks again."""
SHOWN = 25
"""Most circuits of a kind that are listed."""

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of the page: it needs its own style and nothing else, from nowhere."""


@dataclass(frozen=True)
class StatusContext:
    """What the page shows."""

    config: Config
    store: Store
    histories: Sequence[AccountStats]
    snapshots: Mapping[str, Snapshot]
    """The inventories by account."""
    readings: Mapping[str, ReloadStatus]
    """By what was read: the configuration, and that of the web."""


def page(view: StatusContext) -> str:
    """The whole page."""
    kinds = (("Ports", "port|metrics"), ("Virtual circuits", "vc|metrics"))
    parts = (
        tag("header", tag("h1", "pf_exporter"), tag("p", *_links(view.config), class_="links")),
        *(_complaint(what, reading) for what, reading in view.readings.items() if reading.problems),
        *map(_account, sorted(view.histories, key=lambda one: one.up)),  # trouble first
        *(_circuits(title, *busiest(view.store, view.snapshots, event, SHOWN)) for title, event in kinds),
        _novelties(view.histories),
        _counts(view),
        _configuration(view.config),
        tag("footer", f"pf_exporter {__version__} · ", moment(time.time()), f" · anew every {REFRESH} s"),
    )
    head = joined(
        (
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            Markup(f'<meta http-equiv="refresh" content="{REFRESH}">'),
            tag("title", f"{_verdict(view.histories)} · pf_exporter"),
            tag("style", Markup(STYLE)),
        )
    )
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", *parts), lang="en")


def _links(config: Config) -> Iterator[Markup]:
    for text, path in (
        ("Metrics", config.web.telemetry_path),
        ("Healthy?", "/-/healthy"),
        ("Ready?", "/-/ready"),
    ):
        yield tag("a", text, href=path)


def _verdict(histories: Sequence[AccountStats]) -> str:
    """For the browser's tab."""
    down = [one.account for one in histories if not one.up]
    return f"Not streaming: {', '.join(down)}" if down else "Streaming"


# Accounts.


def _state(history: AccountStats) -> tuple[str, str]:
    """The state in words, and its colour."""
    if history.up:
        return "Streaming", "good"
    words = {
        StreamState.STREAMING: ("Silent: nothing was heard within the idle timeout", "bad"),
        StreamState.CONNECTING: ("Connecting", "poor"),
        StreamState.BACKOFF: ("Waiting to try again", "bad"),
    }
    return words.get(history.state, ("Stopped", "bad"))


def _account(history: AccountStats) -> Markup:
    words, colour = _state(history)
    rates, lag = history.recent_rates()
    last = max(list(history.last_event.values()), default=None)
    expires = history.session_expires_at
    facts = (
        ("Since", ago(history.history.state_since)),
        ("Last event", "none yet" if last is None else ago(last)),
        ("Lag", "–" if lag is None else f"{lag:.1f} s"),
        ("Session ends", "–" if expires is None else joined(("in ", duration(expires - time.time())))),
        # Its beginning tells subscriptions apart, and is of no use to anyone else.
        ("Subscription", f"{history.bundle[:8]}…" if history.bundle else "–"),
        ("Streams opened", history.connects),
        ("Without a stream", duration(history.gap_seconds)),
    )
    now = time.time()
    heard = dict(history.last_event)
    events = [
        (
            name,
            f"{rates.get(name, 0.0):.3g}",
            f"{count:,}",
            f"{duration(now - heard[name])} ago" if name in heard else "–",
        )
        for name, count in list(history.events.items())
        if count
    ]
    faults = [
        tag(
            "li",
            ago(fault.at),
            " ",
            tag("b", fault.reason),
            f": {fault.reason.summary} {fault.reason.remedy}",
        )
        for fault in reversed(history.history.errors())
    ]
    return tag(
        "section",
        tag("h2", tag("span", words, class_=f"state {colour}"), " ", history.account),
        tag("dl", *(tag("div", tag("dt", term), tag("dd", fact)) for term, fact in facts)),
        tag("h3", "Last errors") if faults else "",
        tag("ul", *faults) if faults else "",
        table(("Event", "A second", "In all", "Last usable"), events) if events else "",
    )


# Circuits.


def _bar(one: CircuitTraffic) -> Markup:
    if not one.speed:
        return Markup("")
    share = min(one.busiest / one.speed, 1.0)
    text = f"{share:.0%} of {bit_rate(one.speed)}"
    # An image, since the style of an element may not be set on the element.
    bar = Markup(
        f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img"><title>{text}</title>'
        f'<rect class="room" width="100" height="8"/><rect width="{share * 100:.1f}" height="8"/></svg>'
    )
    return joined((bar, tag("small", text)))


def _power(one: CircuitTraffic) -> str:
    shown = ["–" if dbm is None else f"{dbm:.1f}" for dbm in (one.receive_power, one.transmit_power)]
    return "–" if shown == ["–", "–"] else f"{shown[0]} / {shown[1]}"


def _circuits(title: str, found: Sequence[CircuitTraffic], there_are: int) -> Markup:
    if not found:
        return tag("section", tag("h2", title), tag("p", "None has been heard of yet.", class_="none"))
    has_power = any(one.receive_power is not None for one in found)
    rows = [
        (
            tag("code", one.circuit),
            one.account,
            bit_rate(one.receive),
            bit_rate(one.transmit),
            _bar(one),
            *((_power(one),) if has_power else ()),
            duration(one.age),
        )
        for one in found
    ]
    heads = ("Circuit", "Account", "Receives", "Transmits", "Of the port's speed")
    more = (
        f"The busiest {len(found)} of {there_are:,}." if there_are > len(found) else f"{there_are:,} in all."
    )
    return tag(
        "section",
        tag("h2", title),
        tag("p", more, class_="none"),
        table((*heads, *(("Optics in / out, dBm",) if has_power else ()), "Age"), rows),
    )


# What is new.


def _novelties(histories: Sequence[AccountStats]) -> Markup:
    found = [f"{novelty}" for history in histories for novelty in history.unknown_fields.snapshot()]
    if not found:
        return Markup("")
    intro = "The API sends what its documentation does not know. Please report these lines as they stand:"
    lines = "\n".join((f"pf_exporter {__version__}", *found))
    return tag("section", tag("h2", "New"), tag("p", intro), tag("pre", lines))


def _counts(view: StatusContext) -> Markup:
    rows = []
    for history in view.histories:
        for detected in history.temporality.results():
            if detected.temporality is not None:
                value = detected.temporality.value
                fits = (
                    "fits"
                    if detected.agrees_with(view.config.value(detected.setting))
                    else f"does not fit: set it to {value}"
                )
                rows.append((history.account, detected.event, value, detected.evidence, fits))
    if not rows:
        return Markup("")
    heads = ("Account", "Event", "Its counts are", "Because", "The setting")
    return tag("section", tag("h2", "Totals or differences"), table(heads, rows))


# Configuration.


def _complaint(what: str, reading: ReloadStatus) -> Markup:
    told = tag("ul", *(tag("li", problem) for problem in reading.problems))
    intro = f"The new {what} cannot be used; what was in force stays in force:"
    return tag("section", tag("h2", tag("span", "Not reloaded", class_="state bad")), tag("p", intro), told)


def _shown(value: Any) -> str:
    if isinstance(value, Secret):
        return "<secret>"
    if isinstance(value, SecretFile):
        return "<secret> from a file"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_account(account: Account) -> Iterator[tuple[str, str]]:
    for row in fields(account):
        value = getattr(account, row.name)
        if row.name == "streams":
            for stream in account.streams:
                said = f"{stream.type}: {(_shown(stream.events) or 'all')}"
                yield "streams", said + (f"; of {_shown(stream.selectors)}" if stream.selectors else "")
        elif value is not None:
            yield row.name, _shown(value)


def _configuration(config: Config) -> Markup:
    rows = []
    for setting in SETTINGS:
        value = _shown(config.value(setting.key))
        rows.append((tag("code", setting.key), f"{value} {setting.type.unit}".strip() if value else "–"))
    accounts = [
        (tag("code", f"accounts.{account.name}.{key}"), value)
        for account in config.accounts
        for key, value in _of_account(account)
    ]
    return tag("section", tag("h2", "Configuration in force"), table(("Key", "Value"), (*rows, *accounts)))
