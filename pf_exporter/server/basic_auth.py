"""HTTP basic authentication against bcrypt hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool

from pf_exporter.config import Secret
from pf_exporter.server.turns import Turns

CACHE_SIZE = 100
"""Accepted passwords that are cached, and as many refused ones; in each cache the most recently used."""
QUEUE_LIMIT = 20
"""Passwords that are being checked or wait for their check; bcrypt is slow by design."""
BCRYPT_MAX_BYTES = 72
"""Bytes of a password that bcrypt takes into account."""


def _check(password: bytes, hashed: bytes) -> bool:
    import bcrypt  # Only servers with users need it.

    return bcrypt.checkpw(password[:BCRYPT_MAX_BYTES], hashed)


def parse_credentials(authorization: str) -> tuple[str, bytes] | None:
    """User name and password of an ``Authorization: Basic`` header; None if it is not a valid one."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


_Key = tuple[str, bytes, bytes]
"""User name, hash and keyed digest of a password: a tuple, because ``a:bc`` is not ``ab:c``."""


class _Recent:
    """The most recently used keys, at most ``CACHE_SIZE``."""

    def __init__(self) -> None:
        self._keys: OrderedDict[_Key, None] = OrderedDict()

    def add(self, key: _Key) -> None:
        self._keys[key] = None
        if len(self._keys) > CACHE_SIZE:
            self._keys.popitem(last=False)

    def has(self, key: _Key) -> bool:
        """Whether the cache has the key, which becomes the most recently used one."""
        if key in self._keys:
            self._keys.move_to_end(key)
            return True
        return False


class BasicAuth:
    """Checks one password at a time, off the event loop, and caches the latest results.

    A password that was accepted before is accepted at once, however many others wait for their check; refused
    ones never displace it. Clients, which are addresses, take turns. ``check`` compares a password with a
    bcrypt hash.
    """

    def __init__(
        self, check: Callable[[bytes, bytes], bool] = _check, *, queue_limit: int = QUEUE_LIMIT
    ) -> None:
        self._check = check
        self._digest_key = secrets.token_bytes()
        self._accepted = _Recent()
        self._refused = _Recent()
        self._turns = Turns(queue_limit - 1)  # One is being checked.

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._digest_key).digest()

    def _hash_for(self, name: str, users: Mapping[str, Secret]) -> bytes:
        """The user's hash; for an unknown name another user's hash, chosen deterministically by name.

        Unknown and known users take the same time to check, even if the hashes have different costs.
        """
        if name in users:
            return users[name].reveal().encode()
        names = sorted(users)
        substitute = names[int.from_bytes(self._digest(name.encode()), "big") % len(names)]
        return users[substitute].reveal().encode()

    async def authenticate(
        self, authorization: str, users: Mapping[str, Secret], *, client: str = ""
    ) -> bool:
        """Whether the header has the name and the password of one of ``users``, which must not be empty.

        Raises :class:`QueueFull` when it cannot be checked now.
        """
        credentials = parse_credentials(authorization)
        if credentials is None:
            return False
        name, password = credentials
        hashed = self._hash_for(name, users)
        key = (name, hashed, self._digest(password))
        result = self._cached(key)
        if result is None:
            async with self._turns.turn(client):
                result = self._cached(key)  # A request ahead in the queue may have had the same password.
                if result is None:
                    matches = await run_in_threadpool(self._check, password, hashed)
                    result = matches and name in users
                    (self._accepted if result else self._refused).add(key)
        return result

    def _cached(self, key: _Key) -> bool | None:
        """The result of an earlier check, if there is one."""
        if self._accepted.has(key):
            return True
        return False if self._refused.has(key) else None
