"""Makes the requests of a resource for one target, and keeps what its reader keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from pf_exporter.errors import Rejected
from pf_exporter.inventory.requester import Requester
from pf_exporter.inventory.targets import Target
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Session
from pf_exporter.schema import PolledRequest, PolledResource, ReadContext, Reading

UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError)
"""What a reader raises for an odd response; more than it documents, so that none can end the exporter."""

log = Logger(__name__)


def _timestamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def is_own_key(session: Session, uuid: str) -> bool:
    """Return whether a session uses the API key with this UUID: a key's token contains its UUID."""
    return bool(uuid) and not session.from_login and uuid.lower() in session.token.reveal().lower()


class ResourceReader:
    """Reads a resource; ``zone`` is that of times without one. Counts unusable values in ``rejected``."""

    def __init__(self, account: str, resource: PolledResource, requester: Requester, zone: tzinfo) -> None:
        self._account = account
        self._resource = resource
        self._requester = requester
        self._zone = zone
        self.rejected: dict[str, int] = {}
        """Unusable values by field; the name of the resource comes first."""

    def read(self, session: Session, target: Target, *, since: float, now: float) -> Reading:
        """Return what is kept of the responses.

        ``since`` is the time of the last success; both times are UNIX seconds. Raises :class:`ApiError`, or
        :class:`ListIncomplete`.
        """
        times = {"from": _timestamp(since - self._resource.lookback), "to": _timestamp(now)}
        result = Reading()
        for request in self._resource.requests:
            path = request.path.format(**target.values())
            query = {key: value.format(id=target.id, **times) for key, value in request.query.items()}
            context = ReadContext(target.id, request.kind, self._zone, lambda uuid: is_own_key(session, uuid))
            for body in self._bodies(session, request, path, query):
                try:
                    result += self._resource.read(body, context)
                except UNREADABLE as exc:
                    raise Rejected(f"{path}: {exc}; the API does not document this response") from None
        for field in result.rejected:
            self._reject(field, target)
        return result

    def _bodies(
        self, session: Session, request: PolledRequest, path: str, query: dict[str, str]
    ) -> Iterator[Any]:
        name = self._resource.name
        if request.key:
            yield from self._requester.pages(name, session, path, key=request.key)
        else:
            yield self._requester.get(name, session, f"poll of {name}", path, query)

    def _reject(self, field: str, target: Target) -> None:
        name = f"{self._resource.name}.{field}"
        self.rejected[name] = self.rejected.get(name, 0) + 1
        # Without the value: in these resources it could be personal or secret.
        log.warning_throttled(
            f"{name} {self._account}",
            "unusable value in a polled resource",
            every=float("inf"),
            account=self._account,
            circuit=target.id,
            field=name,
        )
