"""HTTP basic authentication against bcrypt hashes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping

import bcrypt
from starlette.concurrency import run_in_threadpool

from pf_exporter.config import Secret

CACHE_SIZE = 100
"""Results that are cached, the most recently used."""
QUEUE_LIMIT = 20
"""Passwords that may wait for their check; bcrypt is slow by design."""
BCRYPT_MAX_BYTES = 72
"""Bytes of a password that bcrypt takes into account."""


class QueueFull(Exception):
    """Too many passwords are waiting to be checked."""


def _check(password: bytes, hashed: bytes) -> bool:
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


class BasicAuth:
    """Checks one password at a time, off the event loop, and caches the latest results.

    ``check`` compares a password with a bcrypt hash.
    """

    def __init__(
        self, check: Callable[[bytes, bytes], bool] = _check, *, queue_limit: int = QUEUE_LIMIT
    ) -> None:
        self._check = check
        self._queue_limit = queue_limit
        self._digest_key = secrets.token_bytes(32)
        self._cache: OrderedDict[tuple[str, bytes, bytes], bool] = OrderedDict()
        """By user name, hash and keyed digest of the password: a tuple, because ``a:bc`` is not ``ab:c``."""
        self._checking = asyncio.Lock()
        self._waiting = 0

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._digest_key).digest()

    def _hash_for(self, name: str, users: Mapping[str, Secret]) -> bytes:
        """The user's hash; for an unknown name the hash of some user, always the same one for the same name.

        Unknown and known users take the same time to check, even if the hashes have different costs.
        """
        if name in users:
            return users[name].reveal().encode()
        names = sorted(users)
        substitute = names[int.from_bytes(self._digest(name.encode()), "big") % len(names)]
        return users[substitute].reveal().encode()

    async def authenticate(self, authorization: str, users: Mapping[str, Secret]) -> bool:
        """Whether the header has the name and the password of one of ``users``, which must not be empty.

        Raises :class:`QueueFull` when it cannot be checked now.
        """
        credentials = parse_credentials(authorization)
        if credentials is None:
            return False
        name, password = credentials
        hashed = self._hash_for(name, users)
        key = (name, hashed, self._digest(password))
        if key not in self._cache:
            await self._check_queued(key, password, hashed)
        self._cache.move_to_end(key)
        matches = self._cache[key]
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return matches and name in users

    async def _check_queued(self, key: tuple[str, bytes, bytes], password: bytes, hashed: bytes) -> None:
        if self._waiting >= self._queue_limit:
            raise QueueFull
        self._waiting += 1
        try:
            async with self._checking:
                if key not in self._cache:  # A request ahead in the queue may have had the same password.
                    self._cache[key] = await run_in_threadpool(self._check, password, hashed)
        finally:
            self._waiting -= 1
