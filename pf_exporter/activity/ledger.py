"""Which entries of the activity log have been counted: a bounded memory, by what both sources tell of them.

Events have no ID. An entry is recognized by its time in µs, category, event, message and user. Several
entries can agree in all of these, so each source counts how often it has brought them, and the greatest of
these numbers is how many there are: a stream that repeats entries after it was opened again, or a log that
is read twice, adds nothing. Events may omit the user; such an entry can be that of any user.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence

from pf_exporter.schema import ActivityLogEntry, LoggedEntry
from pf_exporter.state import CatchUpResult

MAX_REMEMBERED = 1 << 14
"""Entries that are remembered, each by hashes: about 15 MB."""

MANY_MISSING = 5
"""Streamed entries missing from the log after which the two are not comparable."""

_NO_USER = 0
"""The hash that stands for a missing user."""


def _key(entry: ActivityLogEntry, timestamp: float) -> tuple[int, int]:
    """Return the time in µs, and a hash of what identifies an entry of that time."""
    text = (entry.category, entry.details.get("event", ""), entry.details.get("message", ""))
    return round(timestamp * 1e6), hash(text)


def _user(entry: ActivityLogEntry) -> int:
    user = entry.details.get("user")
    return hash(user) or 1 if user else _NO_USER


def _count_distinct(streamed: Counter[int], logged: Counter[int]) -> int:
    """Return how many entries two sources describe together; each maps users to numbers of entries."""
    common = streamed & logged
    streamed, logged = streamed - common, logged - common
    anonymous, anonymous_logged = streamed.pop(_NO_USER, 0), logged.pop(_NO_USER, 0)
    named, named_logged = streamed.total(), logged.total()
    return (
        common.total()
        + named
        + named_logged
        + max(anonymous - named_logged, 0)
        + max(anonymous_logged - named, 0)
    )


class _Sightings:
    """How often entries that agree in time, category, event and message have arrived, by user."""

    __slots__ = ("connection", "logged", "now", "size", "streamed")

    def __init__(self) -> None:
        self.connection = 0
        self.now: Counter[int] = Counter()
        """From the connection of that number."""
        self.streamed: Counter[int] = Counter()
        """From the stream as a whole: per user the greatest number that one connection has brought."""
        self.logged: dict[int, int] = {}
        """The rows of the log by the hash of their ID, with their user."""
        self.size = 0

    def number(self) -> int:
        """Return how many entries there are."""
        return _count_distinct(self.streamed, Counter(self.logged.values()))


class ActivityLedger:
    """Remembers entries as they arrive, and tells which of them are new. For one thread at a time.

    It can pass from one reader of an account to the next, which calls :meth:`taken_over`.
    """

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._size = 0
        self.lock = threading.Lock()
        """Held by users while they call a method: the threads of the previous reader may end late."""
        self._connection = 1
        self._first_connection = 1
        """The first one of the present reader."""
        self._sightings: OrderedDict[tuple[int, int], _Sightings] = OrderedDict()
        self._forgotten_until = float("-inf")
        """Time in µs of the newest entry that was forgotten."""

    def taken_over(self) -> None:
        """Note that another reader, maybe of other categories, now uses the memory."""
        self._connection += 1
        self._first_connection = self._connection

    def stream_opened(self) -> None:
        """Note that entries now come from another connection, which may repeat those of the one before."""
        self._connection += 1

    def add_streamed(self, entry: ActivityLogEntry) -> bool:
        """Remember an entry of the stream, and return whether it is new; one without a time always is."""
        if entry.timestamp is None:
            return True
        seen = self._at(_key(entry, entry.timestamp))
        before = seen.number()
        if seen.connection != self._connection:
            seen.connection, seen.now = self._connection, Counter()
        seen.now[_user(entry)] += 1
        streamed = seen.streamed | seen.now
        self._grow(seen, len(streamed) - len(seen.streamed))
        seen.streamed = streamed
        return seen.number() > before

    def add_logged(self, row: LoggedEntry) -> CatchUpResult | None:
        """Remember a row of the log, and return whether it is new or was streamed.

        None if the same row was read before, or is older than the memory, which cannot tell.
        """
        key = _key(row.entry, row.at)
        if key not in self._sightings and key[0] <= self._forgotten_until:
            return None
        seen = self._at(key)
        uuid = hash(row.uuid)
        if uuid in seen.logged:
            return None
        before = seen.number()
        seen.logged[uuid] = _user(row.entry)
        self._grow(seen, 1)
        return CatchUpResult.FOUND if seen.number() > before else CatchUpResult.STREAMED

    def was_streamed(self, row: LoggedEntry) -> bool:
        """Return whether the stream has brought an entry that looks like this row."""
        seen = self._sightings.get(_key(row.entry, row.at))
        return seen is not None and bool(seen.streamed)

    def contradicts(self, rows: Sequence[LoggedEntry], start: float) -> bool:
        """Return whether the log has other times than the stream; ``rows`` are all since ``start``, sorted.

        It has if an entry of the stream is among the rows at another time only. A few entries that are not
        among them at all say nothing: the log may lack their category. Many say that its texts differ.
        What a previous reader has streamed says nothing either: it may have read other categories.
        """
        if not rows or any(map(self.was_streamed, rows)):
            return False
        keys = [_key(row.entry, row.at) for row in rows]
        texts = {text for _, text in keys}
        missing = [
            text
            for (at, text), seen in self._sightings.items()
            if seen.streamed
            and seen.connection >= self._first_connection
            and start * 1e6 <= at <= keys[-1][0]
        ]
        return len(missing) >= MANY_MISSING or not texts.isdisjoint(missing)

    def _at(self, key: tuple[int, int]) -> _Sightings:
        seen = self._sightings.get(key)
        if seen is None:
            seen = self._sightings[key] = _Sightings()
        return seen

    def _grow(self, seen: _Sightings, size: int) -> None:
        seen.size += size
        self._size += size
        while self._size > self._limit:
            (at, _), oldest = self._sightings.popitem(last=False)
            self._size -= oldest.size
            self._forgotten_until = max(self._forgotten_until, at)
