"""Delivers the samples of a spool: as an OpenMetrics file, or to VictoriaMetrics."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from pf_exporter.backfill.spool import Spool
from pf_exporter.errors import ConfigError, Rejected, Unavailable
from pf_exporter.metrics import OPENMETRICS_END, openmetrics_header
from pf_exporter.schema import FamilySpec
from pf_exporter.scrape import failure_text, open_connection

IMPORT_PATH = "/api/v1/import/prometheus"
LINES_PER_IMPORT = 20_000
TIMEOUT = 60.0
"""Seconds for a connection and each read; the server answers when it has stored the lines."""
_DELIVERED = "delivered"


def write_openmetrics(
    spool: Spool, path: Path, families: Mapping[str, FamilySpec], progress: Callable[[int], None]
) -> None:
    """Write all samples, grouped by family and series and sorted by time, as promtool requires.

    ``progress`` is called with the number of samples after each series. The file appears when it is complete.
    Raises :class:`ConfigError` if it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            family = ""
            for series in spool.series():
                number = 0
                for sample in spool.read(series):
                    if sample.family != family:
                        family = sample.family
                        file.write(openmetrics_header(families[family]))
                    number += 1
                    file.write(f"{family}{sample.labels} {sample.value!r} {sample.at / 1000!r}\n")
                progress(number)
            file.write(OPENMETRICS_END)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be written: {exc.strerror}"]) from None


def _base(url: str) -> str:
    """Return the address of VictoriaMetrics without the path of the import."""
    return url.rstrip("/").removesuffix(IMPORT_PATH)


def reset_cache_url(url: str) -> str:
    """Return the URL that makes VictoriaMetrics forget the results of earlier queries."""
    return f"{_base(url)}/internal/resetRollupResultCache"


class Importer:
    """Sends samples to VictoriaMetrics; ``url`` is its address, with or without the path of the import."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(_base(url) + IMPORT_PATH)
        self._path = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._where = f"import: {url}"

    def send(self, spool: Spool, progress: Callable[[int], None]) -> None:
        """Send what was not sent before, in pieces; ``progress`` is called with the samples of each.

        Raises :class:`~pf_exporter.errors.ApiError`; what the server accepted is not sent again.
        """
        last, after = map(int, spool.fact(_DELIVERED, "-1 -1").split())
        for series in sorted(spool.series()):
            if series < last:
                continue
            samples = spool.read(series, after if series == last else -1)
            while piece := list(islice(samples, LINES_PER_IMPORT)):
                lines = "".join(f"{one.family}{one.labels} {one.value!r} {one.at}\n" for one in piece)
                self._post(lines.encode())
                spool.replace_fact(_DELIVERED, f"{series} {piece[-1].at}")
                progress(len(piece))

    def _post(self, body: bytes) -> None:
        connection = open_connection(self._host, self._port, self._context, TIMEOUT)
        where = self._where
        try:
            connection.request("POST", self._path, body, {"Content-Type": "text/plain"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as exc:
            raise Unavailable(f"{where}: {failure_text(exc)}; is VictoriaMetrics running?") from None
        finally:
            connection.close()
        if status >= 500:
            raise Unavailable(f"{where}: HTTP {status}")
        if not 200 <= status < 300:
            raise Rejected(f"{where}: HTTP {status}; check the URL of VictoriaMetrics")
