"""The check of an endpoint of remote write: whether it accepts a request without samples."""

from __future__ import annotations

import os
from functools import partial
from urllib.parse import urlsplit

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.diagnostics.result import CheckFailed, CheckResult, FailureClass, Notice, Outcome
from pf_exporter.diagnostics.runner import run_check
from pf_exporter.remote_write import Verdict, probe_endpoint

_REMEDY = "correct the url and the credentials of the endpoint, or start the receiver"


def _can_hold_spool(path: str) -> bool:
    """Whether a directory is writable or can be created."""
    path = os.path.abspath(path)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def _check(settings: RemoteWriteSettings) -> Outcome:
    outcome = probe_endpoint(settings)
    where = f"{settings.name}: {urlsplit(settings.url).netloc}"
    if outcome.verdict is Verdict.RETRY:
        raise CheckFailed(FailureClass.CONNECTION, f"{where}: {outcome.problem}", _REMEDY)
    if settings.spool_path and not _can_hold_spool(settings.spool_path):
        raise CheckFailed(
            FailureClass.CONFIG,
            f"{settings.name}: {settings.spool_path} cannot be written",
            "create the directory, and give it to the exporter's user",
        )
    if outcome.verdict is Verdict.SPLIT:
        return Notice(f"{where}: reached; it refuses a request without samples: {outcome.problem}")
    return f"{where} accepts samples"


def check_remote_write(settings: RemoteWriteSettings) -> CheckResult:
    """Send a request without samples to an endpoint."""
    return run_check("", "remote write", partial(_check, settings))
