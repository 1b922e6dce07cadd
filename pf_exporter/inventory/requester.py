"""Requests of the polls: within the budget, counted by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pf_exporter.errors import RateLimited, Unavailable
from pf_exporter.inventory.budget import RequestBudget
from pf_exporter.inventory.pause import Pause
from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.packetfabric import Client, Session


class Requester:
    """Makes an account's requests one after the other, for one thread."""

    def __init__(self, client: Client, budget: RequestBudget, pause: Pause, stats: PollStats) -> None:
        self._client = client
        self._budget = budget
        self._pause = pause
        self._stats = stats

    def get(
        self, resource: str, session: Session, operation: str, path: str, query: Mapping[str, str]
    ) -> Any:
        """Return the JSON value at a path, as soon as the budget allows the request."""
        self._wait(resource)
        try:
            return self._client.get(session, operation, path, query)
        except RateLimited as exc:
            self._budget.hold(exc.retry_after or 0.0)
            raise

    def pages(
        self,
        resource: str,
        session: Session,
        path: str,
        *,
        key: str,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[list[Any]]:
        """Yield the items of a list page by page."""
        try:
            yield from self._client.pages(
                session, path, key=key, query=query, before_page=lambda: self._wait(resource)
            )
        except RateLimited as exc:
            self._budget.hold(exc.retry_after or 0.0)
            raise

    def _wait(self, resource: str) -> None:
        if not self._pause.sleep(self._budget.delay()):
            raise Unavailable(f"{resource}: the exporter is stopping")
        self._budget.take()
        self._stats.requests[resource] += 1
