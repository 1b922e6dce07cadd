"""Continues an interrupted backfill with the times and gaps of its first run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.spool import Spool
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import ConfigError


def open_spool(path: Path, request: BackfillRequest, command: str) -> tuple[Spool, BackfillRequest]:
    """Open the spool of a request, and return it with the request as it was when the spool was made.

    ``command`` identifies the command line; relative times of another day mean the same moments as then.
    Raises :class:`ConfigError` if the spool is that of another command line.
    """
    spool = Spool(path, request.labels)
    if spool.fact("command", command) != command:
        spool.close()
        problem = f"{path}: belongs to another backfill"
        raise ConfigError([f"{problem}; give its command to continue it, or delete the file"])
    gaps = None if request.gaps is None else dict(request.gaps)
    since, until, gaps = json.loads(spool.fact("moments", json.dumps([request.since, request.until, gaps])))
    if gaps is not None:
        gaps = {account: tuple(TimeSpan(*span) for span in spans) for account, spans in gaps.items()}
    return spool, dataclasses.replace(request, since=since, until=until, gaps=gaps)
