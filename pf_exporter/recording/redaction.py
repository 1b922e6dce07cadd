"""A frame of a stream without anything that names a person, a place or a circuit.

What stays is on a list, and everything else goes: names of events and fields, measurements, timestamps, and
the few words that the API documents. Any other text becomes a pseudonym, the same one for the same text, so
that what is redacted has as many circuits, fields and series as before, and is counted, taken and refused
alike.

Digits in a text may be a telephone or a card, so a text that is a number stays only under the fields of the
table that are numbers. A number in JSON stays under fields that nobody documents as well, because what they
measure is how a new field is learnt from a recording; but not in an entry of the activity log, which measures
nothing, and not under a name that speaks of a person or an account, nor anywhere below one.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
import secrets
from codecs import BOM_UTF8
from collections.abc import Sequence

from pf_exporter.config import Account
from pf_exporter.recording.field_names import is_event, is_field, is_personal, is_plain
from pf_exporter.schema import CATEGORIES, EVENTS, LOG_LEVELS, MAX_ID, MAX_TIMESTAMP, MAX_VLAN, epoch


def redaction_for(accounts: Sequence[Account]) -> Redaction:
    """A redaction that numbers the accounts in their order, from one run to the next."""
    made = Redaction()
    for account in accounts:
        made.account(account.name)
    return made


HEARTBEATS = frozenset(("", "heartbeat", "ping", "keepalive", "keep-alive"))
"""What a comment may say."""

DEEPEST = 32
"""Levels of lists and objects in one another; what lies deeper becomes null."""

_DOCUMENTED = frozenset((*LOG_LEVELS, *CATEGORIES))
_NUMBERS = frozenset(("vlan", *(field for event in EVENTS.values() for field in event.fields)))
_LANE = re.compile(r"lane_\d{1,2}_", re.ASCII)
_ACTIVITY = "customer|"
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?|-\s?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?", re.ASCII
)
# The prefix says what kind of circuit it is; what stands between it and the number are places.
_CIRCUIT = re.compile(
    r"(PF-(?:A[BEP]|BC|CC|DC|I[PX]|MC|P[DS]|TC|SO|OBCC|IPSEC|L3-(?:CUST|CON|TRAN|IMP|RS|IP))|CT)"
    r"((?:-[A-Z0-9]+){0,3})-\d+",
    re.ASCII,
)
_PAIR = re.compile(r"[\w.:-]+&[\w.:-]+", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n|\r|\n")


class _Number(str):
    """A number as it was spelt."""


class _Keep(enum.Enum):
    """What stays of the values under a name."""

    NOTHING = enum.auto()
    WORDS = enum.auto()
    """Words and timestamps."""
    NUMBERS_TOO = enum.auto()


def _may_stay(key: str, stays: _Keep) -> bool:
    """Whether a key is a field's name and nothing more; under ``users`` a key may be a user."""
    return is_plain(key) if stays is _Keep.NOTHING else is_field(key)


def _below(key: str, stays: _Keep) -> _Keep:
    """What stays below a key, of what stays beside it."""
    return stays if is_field(key) and not is_personal(key) else _Keep.NOTHING


def _is_used(field: str, value: str) -> bool:
    """Whether the exporter reads this value of this field of an event as a number."""
    is_number = isinstance(value, _Number)
    if field == "log_level":
        return is_number and len(value) < 20 and float(value) in range(len(LOG_LEVELS))
    text = value.strip()
    return _LANE.sub("lane_N_", field) in _NUMBERS and (
        is_number or (len(text) <= 64 and bool(_NUMBER.fullmatch(text)))
    )


def _is_word(text: str) -> bool:
    text = text.strip()
    return len(text) <= MAX_TIMESTAMP and (text.lower() in _DOCUMENTED or epoch(text) is not None)


def _remark(data: str) -> str:
    """What stands in the place of data that cannot be redacted field by field."""
    return f"redacted, {len(data.encode())} bytes, no JSON object"


class Redaction:
    """Redacts frames, with pseudonyms that only this one makes, or another with the same ``key``.

    Without a key it is random, and nobody can tell afterwards what a pseudonym stood for. Time is linear in
    the bytes. One thread at a time may use it.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = hashlib.blake2b(key or secrets.token_bytes(32), digest_size=32).digest()
        self._accounts: dict[str, str] = {}

    def account(self, name: str) -> str:
        """``account-1``, ``account-2``, … in the order in which they are first asked for."""
        return self._accounts.setdefault(name, f"account-{len(self._accounts) + 1}")

    def _random(self, text: str) -> int:
        """128 bits that only who has the key can tell from the text."""
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=16)
        return int.from_bytes(digest.digest(), "big")

    def text(self, text: str) -> str:
        """The pseudonym of a text: of a circuit's id another id of its kind, else ``x`` and 12 digits.

        An id that ends in ``-PF`` has the pseudonym of the id without it, and ``-PF``: they are one circuit.
        What no event could use as an id, because it is empty, too long or no valid text, stays unusable.
        """
        if not text:
            return text
        if len(text) > MAX_ID:
            return f"x{self._random(text):032x}".ljust(MAX_ID + 1, "x")
        if _PAIR.fullmatch(text):
            return "&".join(map(self.text, text.split("&")))
        if text.endswith("-PF"):
            return self.text(text.removesuffix("-PF")) + "-PF"
        circuit = _CIRCUIT.fullmatch(text)
        bits = self._random(text)
        if circuit is None:
            half = "\ud800" if _HALF.search(text) else ""
            return f"x{bits % 16**12:012x}{half}"
        pseudonym, places = circuit.groups()
        for _ in range(places.count("-")):
            pseudonym += "-"
            for letters in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ",) * 3 + ("123456789",):
                bits, choice = divmod(bits, len(letters))
                pseudonym += letters[choice]
        return f"{pseudonym}-{10**11 + bits % (9 * 10**11)}"

    def frame(self, block: bytes) -> bytes:
        """The same frame, or part of one, redacted; LF for every newline, and the data in one line.

        Data that is no JSON object becomes a remark that is none either, and so does data of an event without
        an end: it may be an object out of the middle of another. Any bytes will do; what is not UTF-8 counts
        as U+FFFD, as it does for whoever reads the stream.
        """
        mark = BOM_UTF8 if block.startswith(BOM_UTF8) else b""
        redacted: list[str] = []
        data: list[str] = []
        data_at = 0
        event = ""
        lines = _NEWLINE.split(block[len(mark) :].decode(errors="replace"))
        for number, line in enumerate(lines, 1):
            is_cut = number == len(lines)  # nothing, where the block ends with its newline
            if not line and not is_cut:
                if data:
                    redacted[data_at] = f"data: {self._data(event, chr(10).join(data))}"
                data, event = [], ""
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            if name == "data":
                if not data:
                    data_at = len(redacted)
                    redacted.append("")
                data.append(value)
            elif not name:
                redacted.append(line if value.strip().lower() in HEARTBEATS else ": redacted")
            elif colon:
                # What is left of "customer|hank@…" may look like the name of an event.
                said = self.text(value) if is_cut else self._value(name, value)
                redacted.append(f"{self._name(name)}: {said}")
            else:
                redacted.append(self._name(name))
        if data:
            redacted[data_at] = f"data: {_remark(chr(10).join(data))}"
        return mark + "\n".join(redacted).encode()

    def _name(self, name: str) -> str:
        return name if name in ("event", "id", "retry") else self.text(name)

    def _value(self, name: str, value: str) -> str:
        if name == "retry" and value.isascii() and value.isdigit() and len(value) < 7:
            return value
        if name != "event":
            return self.text(value)
        if is_event(value):
            return value
        kind = _ACTIVITY if value.startswith(_ACTIVITY) else ""
        return kind + self.text(value)

    def _data(self, event: str, data: str) -> str:
        try:
            document = json.loads(data, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return _remark(data)
        measures = is_event(event) and not event.startswith(_ACTIVITY)
        return self._json(document, _Keep.NUMBERS_TOO if measures else _Keep.WORDS)

    def _json(self, value: object, stays: _Keep, field: str = "", depth: int = 0) -> str:
        """A value as JSON; ``field`` is the name it stands under."""
        if depth > DEEPEST:
            return "null"
        if isinstance(value, dict):
            items = (
                f"{self._key_of(key, stays)}: {self._json(below, _below(key, stays), key, depth + 1)}"
                for key, below in value.items()
            )
            return f"{{{', '.join(items)}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._json(below, stays, '', depth + 1) for below in value)}]"
        if not isinstance(value, str):
            return json.dumps(value)  # true, false, null
        is_field = depth == 1  # Only these are read from events.
        is_number = isinstance(value, _Number)
        if is_field and _is_used(field, value):
            return value if is_number else json.dumps(value)
        if is_number:
            return value if stays is _Keep.NUMBERS_TOO else self._number(value)
        if stays is not _Keep.NOTHING and _is_word(value):
            return json.dumps(value)
        text = self.text(value)
        if is_field and field == "vlan" and len(value) > MAX_VLAN:
            text = text.ljust(MAX_VLAN + 1, "x")
        return json.dumps(text)

    def _number(self, number: str) -> str:
        power = 10 ** (min(max(len(number), 9), 15) - 1)
        return str(power + self._random(number) % (9 * power))

    def _key_of(self, name: str, stays: _Keep) -> str:
        return json.dumps(name if _may_stay(name, stays) else self.text(name))
