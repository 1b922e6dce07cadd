"""Who may ask: names and passwords, checked against bcrypt hashes, one failure like the other."""

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

REMEMBERED = 100
"""Most results that are kept."""
LINE = 20
"""Most passwords that wait to be checked; each takes as long as its hash is meant to take."""
BCRYPT_LIMIT = 72
"""Bytes of a password that bcrypt looks at."""


class QueueFull(Exception):
    """Too many passwords wait to be checked already."""


def _check(password: bytes, hashed: bytes) -> bool:
    return bcrypt.checkpw(password[:BCRYPT_LIMIT], hashed)


def credentials(authorization: str) -> tuple[str, bytes] | None:
    """Name and password of an ``Authorization: Basic`` header; None if it is none."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon and scheme.lower() == "basic" else None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


class BasicAuth:
    """Checks one password at a time, each off the event loop, and remembers what came of the last ones."""

    def __init__(self, check: Callable[[bytes, bytes], bool] = _check) -> None:
        self._check = check
        self._pepper = secrets.token_bytes(32)
        self._known: OrderedDict[tuple[str, bytes, bytes], bool] = OrderedDict()
        """By name, hash and keyed digest of the password: a tuple, since texts put together are ambiguous."""
        self._turn = asyncio.Lock()
        self._waiting = 0

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._pepper).digest()

    def _hash_for(self, name: str, users: Mapping[str, Secret]) -> bytes:
        """The user's hash; for who is none that of one who is, the same each time for the same name.

        So a name that nobody has costs what it costs where there is somebody, whatever the costs are.
        """
        names = sorted(users)
        stand_in = names[int.from_bytes(self._digest(name.encode()), "big") % len(names)]
        return (users.get(name) or users[stand_in]).reveal().encode()

    async def admits(self, authorization: str, users: Mapping[str, Secret]) -> bool:
        """Whether the header has the name and the password of one of the users, of whom there are some.

        Raises :class:`QueueFull` when it cannot be checked now.
        """
        given = credentials(authorization)
        if given is None:
            return False
        name, password = given
        hashed = self._hash_for(name, users)
        key = (name, hashed, self._digest(password))
        if key not in self._known:
            if self._waiting >= LINE:
                raise QueueFull
            self._waiting += 1
            try:
                async with self._turn:
                    if key not in self._known:  # else the one before asked the same
                        self._known[key] = await run_in_threadpool(self._check, password, hashed)
            finally:
                self._waiting -= 1
        self._known.move_to_end(key)
        matches = self._known[key]
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return matches and name in users
