"""Tests an endpoint with a request without samples."""

from __future__ import annotations

import http.client

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.packetfabric import failure_cause
from pf_exporter.remote_write.batch import EMPTY
from pf_exporter.remote_write.endpoint import create_receiver, request_headers
from pf_exporter.remote_write.outcome import Outcome, Verdict, judge


def probe_endpoint(settings: RemoteWriteSettings) -> Outcome:
    """Send the request, and return what the response means; raises :class:`ConfigError` for a bad secret.

    Some receivers refuse a request without samples: then they have accepted URL and credentials.
    """
    headers = request_headers(settings)
    receiver = create_receiver(settings)
    try:
        return judge(receiver.post(EMPTY.body, headers))
    except (OSError, http.client.HTTPException) as exc:
        return Outcome(Verdict.RETRY, failure_cause(exc))
    finally:
        receiver.close()
