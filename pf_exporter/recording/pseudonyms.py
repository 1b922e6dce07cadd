"""Pseudonyms: replacements for texts, numbers and names of accounts in a recording."""

from __future__ import annotations

import hashlib
import re
import secrets

from pf_exporter.schema import MAX_ID, is_id

_PORT_PREFIXES = "A[BEP]|BC|CC|DC|I[PX]|MC|P[DS]|TC|SO|OBCC|IPSEC|L3-(?:CUST|CON|TRAN|IMP|RS|IP)"
# The prefix is the kind of circuit; between it and the number are the codes of places.
_CIRCUIT = re.compile(rf"(PF-(?:{_PORT_PREFIXES})|CT)((?:-[A-Z0-9]+){{0,3}})-\d+", re.ASCII)
_PAIR = re.compile(r"[\w.:-]+&[\w.:-]+", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNUSABLE = "\u00b7"
"""Marks the pseudonym of a text that no event can use as an ID."""
_PLACE_ALPHABETS = (*("ABCDEFGHIJKLMNOPQRSTUVWXYZ",) * 3, "123456789")


class Pseudonyms:
    """Gives the same pseudonym for the same input and the same ``key``.

    Without a key it chooses a random one, and pseudonyms cannot be traced back.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = hashlib.blake2b(key or secrets.token_bytes(32), digest_size=32).digest()
        self._accounts: dict[str, str] = {}

    def account(self, name: str) -> str:
        """Return ``account-1``, ``account-2`` and so on, in the order of the first requests."""
        return self._accounts.setdefault(name, f"account-{len(self._accounts) + 1}")

    def _hash(self, text: str) -> int:
        """Return 128 bits that cannot be derived from the text without the key."""
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=16)
        return int.from_bytes(digest.digest(), "big")

    def number(self, number: str) -> str:
        """Return another number, of 9 to 15 digits."""
        power = 10 ** (min(max(len(number), 9), 15) - 1)
        return str(power + self._hash(number) % (9 * power))

    def text(self, text: str) -> str:
        """Return another circuit ID of the same kind for a circuit ID, else ``x`` and 12 hexadecimal digits.

        An ID that ends in ``-PF`` has the pseudonym of the ID without it, and ``-PF``: they are one circuit.
        A text that no event can use as an ID, because it is empty, too long or not printable ASCII, stays
        unusable.
        """
        if not text:
            return text
        if len(text) > MAX_ID:
            return f"x{self._hash(text):032x}".ljust(MAX_ID + 1, "x")
        if _PAIR.fullmatch(text):
            return "&".join(map(self.text, text.split("&")))
        if text.endswith("-PF"):
            return self.text(text.removesuffix("-PF")) + "-PF"
        circuit = _CIRCUIT.fullmatch(text)
        if circuit is not None:
            return self._circuit(self._hash(text), *circuit.groups())
        mark = "" if is_id(text) else "\ud800" if _SURROGATE.search(text) else _UNUSABLE
        return f"x{self._hash(text) % 16**12:012x}{mark}"

    def _circuit(self, bits: int, kind: str, places: str) -> str:
        pseudonym = kind
        for _ in range(places.count("-")):
            pseudonym += "-"
            for alphabet in _PLACE_ALPHABETS:
                bits, choice = divmod(bits, len(alphabet))
                pseudonym += alphabet[choice]
        return f"{pseudonym}-{10**11 + bits % (9 * 10**11)}"
