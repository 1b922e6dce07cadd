"""Reads the lists of an account, and counts the values in them that are unusable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pf_exporter.inventory.requester import Requester
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Session
from pf_exporter.schema import Circuit, Resource, canonical_id

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

log = Logger(__name__)


class ListReader:
    """Reads the lists of ``resources``; ``tags`` are the tags of descriptions that become labels."""

    def __init__(
        self, account: str, requester: Requester, resources: Iterable[Resource], tags: Sequence[str]
    ) -> None:
        self._account = account
        self._requester = requester
        self._tags = tags
        self.billing_accounts: frozenset[str] = frozenset()
        """UUIDs of the billing accounts of all circuits that were read."""
        self._rejected = {field: 0 for resource in resources for field in resource.fields}

    @property
    def rejected(self) -> Mapping[str, int]:
        """Unusable values, by field; an item that is not an object counts as one without an ID."""
        return self._rejected

    def read(self, resource: Resource, session: Session) -> dict[str, Circuit]:
        """Return the circuits of a complete list by canonical ID."""
        circuits = {}
        pages = self._requester.pages(
            resource.name, session, resource.path, key=resource.key, query=resource.query
        )
        for page in pages:
            for item in page:
                if not isinstance(item, dict):
                    self._reject(resource.key, item, None)
                    continue
                self._find_billing_account(item)
                circuit, rejected = resource.parse(item, self._tags)
                for field, value in rejected.items():
                    self._reject(field, value, circuit)
                if circuit is not None:
                    circuits[canonical_id(circuit.id)] = circuit
        return circuits

    def _find_billing_account(self, item: Mapping[str, Any]) -> None:
        bandwidth = item.get("bandwidth")
        for owner in (item, bandwidth if isinstance(bandwidth, dict) else {}):
            uuid = owner.get("account_uuid")
            if isinstance(uuid, str) and uuid not in self.billing_accounts and _UUID.fullmatch(uuid):
                self.billing_accounts |= {uuid}

    def _reject(self, field: str, value: object, circuit: Circuit | None) -> None:
        self._rejected[field] += 1
        log.warning_throttled(
            f"{field} {self._account}",
            "unusable value in the inventory",
            every=float("inf"),
            account=self._account,
            circuit=circuit.id if circuit is not None else "",
            field=field,
            value=value if isinstance(value, str | int | float) else type(value).__name__,
        )
