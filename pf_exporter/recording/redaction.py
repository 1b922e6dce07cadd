"""Redaction: removes from a frame everything that identifies a person, a place or a circuit.

An allow-list decides what is kept: names of events and fields, measurements, timestamps, and the few words
that the API documents. Any other text becomes a pseudonym. Equal texts get equal pseudonyms: the redacted
stream has as many circuits, fields and series as the original, and the decoder accepts and rejects the same
events.

Digits in a text can be a phone or card number, so a text that is a number is kept only in the numeric fields
of the schema. A JSON number is kept in undocumented fields as well, because a recording shows new fields that
way; but not in an entry of the activity log, which has no measurements, and not below a name that refers to a
person or an account.
"""

from __future__ import annotations

import enum
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence

from pf_exporter.config import Account
from pf_exporter.recording.field_names import is_event, is_field, is_generic, is_personal
from pf_exporter.recording.pseudonyms import Pseudonyms
from pf_exporter.schema import (
    CATEGORIES,
    EVENTS,
    LOG_LEVELS,
    MAX_TIMESTAMP,
    MAX_VLAN,
    epoch,
    is_number,
    table_field,
)

HEARTBEATS = frozenset(("", "heartbeat", "ping", "keepalive", "keep-alive"))
"""Comments that are kept."""

MAX_DEPTH = 32
"""Levels of nested lists and objects; deeper values become null."""

_DOCUMENTED_WORDS = frozenset((*LOG_LEVELS, *CATEGORIES))
_NUMERIC_FIELDS = frozenset(("vlan", *(field for event in EVENTS.values() for field in event.fields)))
_ACTIVITY = "customer|"
_NEWLINE = re.compile(r"\r\n|\r|\n")


class _Number(str):
    """A JSON number as it is spelled."""


class _Keep(enum.Enum):
    """The rule for the values under a name: which of them are kept."""

    NOTHING = enum.auto()
    WORDS = enum.auto()
    """Documented words and timestamps."""
    WORDS_AND_NUMBERS = enum.auto()


def _keeps_key(key: str, keep: _Keep) -> bool:
    """Whether a key is only a field's name; a key under ``users`` can be a user."""
    return is_generic(key) if keep is _Keep.NOTHING else is_field(key)


def _keep_below(key: str, keep: _Keep) -> _Keep:
    return keep if is_field(key) and not is_personal(key) else _Keep.NOTHING


def _is_read_as_number(field: str, value: str) -> bool:
    """Whether the exporter reads this value of this field of an event as a number."""
    if field == "log_level":
        return isinstance(value, _Number) and len(value) < 20 and float(value) in range(len(LOG_LEVELS))
    return table_field(field) in _NUMERIC_FIELDS and (isinstance(value, _Number) or is_number(value.strip()))


def _is_documented_word(text: str) -> bool:
    text = text.strip()
    return len(text) <= MAX_TIMESTAMP and (text.lower() in _DOCUMENTED_WORDS or epoch(text) is not None)


def _placeholder(data: str) -> str:
    """Return the replacement of data that cannot be redacted field by field."""
    return f"redacted, {len(data.encode())} bytes, no JSON object"


class Redaction:
    """Redacts frames; pseudonyms depend on the ``key``, which is random by default.

    Time is linear in the bytes. Only one thread at a time may use it.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._pseudonyms = Pseudonyms(key)

    def account(self, name: str) -> str:
        """Return the pseudonym of an account."""
        return self._pseudonyms.account(name)

    def frame(self, frame: bytes) -> bytes:
        """Return a frame, or a piece of one, redacted; newlines become LF, and data one line.

        Data that is not a JSON object is replaced by a placeholder that is not JSON either; so is data
        that is cut short, which may be an object from within another. Any bytes can be redacted; invalid
        UTF-8 becomes U+FFFD, as in the parser of the stream.
        """
        bom = BOM_UTF8 if frame.startswith(BOM_UTF8) else b""
        redacted: list[str] = []
        event: list[str] = []
        *lines, rest = _NEWLINE.split(frame[len(bom) :].decode(errors="replace"))
        for line in lines:
            event.append(line)
            if not line:
                redacted += self._event(event, is_whole=True)
                event.clear()
        redacted += self._event([*event, rest], is_whole=False)  # The rest is empty after a newline.
        return bom + "\n".join(redacted).encode()

    def _event(self, lines: Sequence[str], *, is_whole: bool) -> Iterator[str]:
        """Yield the redacted lines of an event up to its blank line; only that makes it whole."""
        parts = [line.partition(":") for line in lines]
        fields = [(name, value.removeprefix(" ")) for name, _, value in parts]
        data = "\n".join(value for name, value in fields if name == "data")
        has_data = False
        for number, (line, (name, _)) in enumerate(zip(lines, fields, strict=True), 1):
            if name != "data":
                yield self._line(line, is_cut_short=not is_whole and number == len(lines))
            elif not has_data:
                has_data = True
                event = dict(fields).get("event", "")
                yield f"data: {self._data(event, data) if is_whole else _placeholder(data)}"

    def _line(self, line: str, *, is_cut_short: bool) -> str:
        """Redact a blank line, a comment, or a field other than data."""
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            return line if value.strip().lower() in HEARTBEATS else ": redacted"
        key = name if name in ("event", "id", "retry") else self._pseudonyms.text(name)
        if not colon:
            return key
        # "customer|hank@…" cut short can look like the name of an event.
        return f"{key}: {self._pseudonyms.text(value) if is_cut_short else self._field(name, value)}"

    def _field(self, name: str, value: str) -> str:
        if name == "retry" and value.isascii() and value.isdigit() and len(value) < 7:
            return value
        if name == "event" and is_event(value):
            return value
        prefix = _ACTIVITY if name == "event" and value.startswith(_ACTIVITY) else ""
        return prefix + self._pseudonyms.text(value)

    def _data(self, event: str, data: str) -> str:
        try:
            document = json.loads(data, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return _placeholder(data)
        has_measurements = is_event(event) and not event.startswith(_ACTIVITY)
        return self._json(document, _Keep.WORDS_AND_NUMBERS if has_measurements else _Keep.WORDS)

    def _json(self, value: object, keep: _Keep, key: str = "", depth: int = 0) -> str:
        """Return a value, which is under ``key``, redacted, as JSON."""
        if depth > MAX_DEPTH:
            return "null"
        if isinstance(value, dict):
            items = (
                f"{self._key(key, keep)}: {self._json(below, _keep_below(key, keep), key, depth + 1)}"
                for key, below in value.items()
            )
            return f"{{{', '.join(items)}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._json(below, keep, '', depth + 1) for below in value)}]"
        if isinstance(value, str):
            return self._scalar(value, keep, key if depth == 1 else "")
        return json.dumps(value)  # true, false, null

    def _scalar(self, value: str, keep: _Keep, field: str) -> str:
        """Return a text or number redacted, as JSON; ``field`` is empty unless it is a field of the event."""
        if field and _is_read_as_number(field, value):
            return value if isinstance(value, _Number) else json.dumps(value)
        if isinstance(value, _Number):
            return value if keep is _Keep.WORDS_AND_NUMBERS else self._pseudonyms.number(value)
        if keep is not _Keep.NOTHING and _is_documented_word(value):
            return json.dumps(value)
        text = self._pseudonyms.text(value)
        if field == "vlan" and len(value) > MAX_VLAN:  # is rejected for its length, and stays so
            text = text.ljust(MAX_VLAN + 1, "x")
        return json.dumps(text)

    def _key(self, key: str, keep: _Keep) -> str:
        return json.dumps(key if _keeps_key(key, keep) else self._pseudonyms.text(key))


def redaction_for(accounts: Sequence[Account]) -> Redaction:
    """Return a redaction that numbers these accounts in their order, in every run the same."""
    redaction = Redaction()
    for account in accounts:
        redaction.account(account.name)
    return redaction
