"""A frame of a stream without anything that names a person, a place or a circuit.

What stays is on a list, and everything else goes: names of events and fields, numbers, timestamps, and the
few words that the API documents. Any other text becomes a pseudonym, the same one for the same text, so that
what is redacted has as many circuits, fields and series as before, and is counted, taken and refused alike.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from codecs import BOM_UTF8

from pf_exporter.events import MAX_ID, epoch
from pf_exporter.families import CATEGORIES, LOG_LEVELS

HEARTBEATS = frozenset(("", "heartbeat", "ping", "keepalive", "keep-alive"))
"""What a comment may say."""

# fmt: off
PERSONAL = frozenset((
    "account", "addr", "address", "asn", "contact", "customer", "email", "fax", "id", "ids", "ip", "ipv4",
    "ipv6", "lat", "latitude", "lng", "login", "lon", "longitude", "message", "mobile", "name", "number",
    "order", "phone", "po", "postal", "tel", "user", "username", "uuid", "zip",
))
# fmt: on
"""Words in the name of a field whose numbers, too, name someone or something."""

DEEPEST = 32
"""Levels of lists and objects in one another; what lies deeper becomes null."""

_WORDS = frozenset((*LOG_LEVELS, *CATEGORIES))
_EVENT = re.compile(r"[a-z0-9_|]{1,64}", re.ASCII)
# A long number in a name is an id, which no name of a field has.
_FIELD = re.compile(r"(?!.*\d{4})[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_FIELD_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", re.ASCII)
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


def _is_personal(field: str) -> bool:
    return not PERSONAL.isdisjoint(part.lower() for part in _FIELD_PARTS.findall(field))


def _may_stay(text: str) -> bool:
    text = text.strip()
    if len(text) > 64:
        return False
    return bool(_NUMBER.fullmatch(text)) or text.lower() in _WORDS or epoch(text) is not None


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
        plain = text.removesuffix("-PF")
        circuit = _CIRCUIT.fullmatch(plain)
        if circuit is None:
            half = "\ud800" if _HALF.search(text) else ""
            return f"x{self._random(text) % 16**12:012x}{half}"
        kind, places = circuit.groups()
        bits = self._random(plain)
        pseudonym = kind
        for _ in range(places.count("-")):
            pseudonym += "-"
            for letters in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ",) * 3 + ("123456789",):
                bits, choice = divmod(bits, len(letters))
                pseudonym += letters[choice]
        return f"{pseudonym}-{10**11 + bits % (9 * 10**11)}{text[len(plain) :]}"

    def frame(self, block: bytes) -> bytes:
        """The same frame, or part of one, redacted; LF for every newline, and the data in one line.

        Data that is no JSON object becomes a remark that is none either. Any bytes will do; what is not
        UTF-8 counts as U+FFFD, as it does for whoever reads the stream.
        """
        mark = BOM_UTF8 if block.startswith(BOM_UTF8) else b""
        redacted: list[str] = []
        data: list[str] = []
        data_at = 0
        for line in (*_NEWLINE.split(block[len(mark) :].decode(errors="replace")), None):
            if not line and data:
                redacted[data_at] = f"data: {self._data(chr(10).join(data))}"
                data = []
            if line is None:
                break
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                if not data:
                    data_at = len(redacted)
                    redacted.append("")
                data.append(value)
            elif not name:
                redacted.append(line if value.strip().lower() in HEARTBEATS else ": redacted")
            elif colon:
                redacted.append(f"{self._name(name)}: {self._value(name, value)}")
            else:
                redacted.append(self._name(name))
        return mark + "\n".join(redacted).encode()

    def _name(self, name: str) -> str:
        return name if name in ("event", "id", "retry") else self.text(name)

    def _value(self, name: str, value: str) -> str:
        if name == "retry" and value.isascii() and value.isdigit():
            return value
        if name != "event":
            return self.text(value)
        if _EVENT.fullmatch(value):
            return value
        kind = "customer|" if value.startswith("customer|") else ""
        return kind + self.text(value)

    def _data(self, data: str) -> str:
        try:
            document = json.loads(data, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return self._json(document)
        return f"redacted, {len(data.encode())} bytes, no JSON object"

    def _json(self, value: object, field: str = "", depth: int = 0) -> str:
        """A value as JSON; ``field`` is the name it stands under, however many lists around it."""
        if depth > DEEPEST:
            return "null"
        if isinstance(value, dict):
            items = (
                f"{self._key_of(key)}: {self._json(below, key, depth + 1)}" for key, below in value.items()
            )
            return f"{{{', '.join(items)}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._json(below, field, depth + 1) for below in value)}]"
        if not isinstance(value, str):
            return json.dumps(value)  # true, false, null
        is_personal = _is_personal(field)
        if isinstance(value, _Number):
            if not is_personal:
                return str(value)
            power = 10 ** (min(max(len(value), 9), 15) - 1)
            return str(power + self._random(value) % (9 * power))
        return json.dumps(value if not is_personal and _may_stay(value) else self.text(value))

    def _key_of(self, name: str) -> str:
        return json.dumps(name if _FIELD.fullmatch(name) else self.text(name))
