"""The remote write that a configuration describes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pf_exporter.config import Config

if TYPE_CHECKING:
    from pf_exporter.remote_write import RemoteWrite


def create_remote_write(
    config: Config, on_failure: Callable[[BaseException], None], wall: Callable[[], float] = time.time
) -> RemoteWrite | None:
    """Create the sender to the configured endpoints; None if there is none.

    Raises :class:`ConfigError` if a spool cannot be used.
    """
    if not config.endpoints:
        return None
    # Imports cramjam.
    from pf_exporter.remote_write import RemoteWrite

    port = config.web.listen_address[0].rpartition(":")[2]
    return RemoteWrite(config.endpoints, f"{socket.gethostname()}:{port}", on_failure, wall=wall)
