"""What the status page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pf_exporter.config import Config
from pf_exporter.metrics import ReloadStatus
from pf_exporter.state import AccountStats, Store

if TYPE_CHECKING:  # Imported only when they are needed.
    from pf_exporter.remote_write import Endpoint
    from pf_exporter.web.account_status import Inventory


class StatusSources(NamedTuple):
    """The parts of the exporter that the page shows."""

    config: Config
    store: Store
    accounts: Sequence[AccountStats]
    inventories: Mapping[str, Inventory]
    """By account."""
    reload_statuses: Mapping[str, ReloadStatus]
    """By the name of what was reloaded, such as ``web configuration``."""
    endpoints: Sequence[Endpoint] = ()
    """Of remote write."""
