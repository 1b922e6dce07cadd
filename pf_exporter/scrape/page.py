"""Fetches a page of a running exporter as text."""

from __future__ import annotations

import base64
import http
import http.client
import ssl
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pf_exporter.errors import ApiError, Forbidden, Rejected, Unauthorized, Unavailable
from pf_exporter.scrape.connection import failure_text, open_connection
from pf_exporter.scrape.target import ScrapeTarget

TIMEOUT = 10.0
"""Seconds for the connection and for each read."""
LIMIT = 256 << 20
"""Largest page, in bytes, before and after decompression."""
_GZIP = 31
"""zlib's window size for gzip."""


class TextPage(NamedTuple):
    """A page, decompressed and decoded."""

    text: str
    headers: Mapping[str, str]
    """By name in lower case."""


def fetch_page(target: ScrapeTarget, path: str, context: ssl.SSLContext | None) -> TextPage:
    """Return a page of the exporter; ``context`` is that of the target. Redirects are not followed.

    Raises :class:`ApiError`.
    """
    where = target.at(path)
    parts = urlsplit(target.url)
    connection = open_connection(parts.hostname or "", parts.port, context, TIMEOUT)
    try:
        connection.request("GET", path, headers=_headers(target))
        response = connection.getresponse()
        body = response.read(LIMIT + 1)
    except ssl.SSLCertVerificationError as exc:
        why = f"{exc.verify_message}; --ca-file names the CA that signed it"
        raise Unavailable(f"{where}: the certificate is not trusted: {why}") from None
    except ConnectionResetError:
        why = "the server closed the connection; does it require https, or a client certificate?"
        raise Unavailable(f"{where}: {why}") from None
    except (OSError, http.client.HTTPException) as exc:
        raise Unavailable(f"{where}: {failure_text(exc)}; is the exporter running?") from None
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise _refusal(response.status, target, where)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return TextPage(_text(body, headers.get("content-encoding", ""), where), headers)


def _headers(target: ScrapeTarget) -> dict[str, str]:
    headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip"}
    if target.password is not None:
        # Read at each scrape: the password may change.
        pair = f"{target.user}:{target.password.read().reveal()}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _refusal(status: int, target: ScrapeTarget, where: str) -> ApiError:
    where = f"{where}: HTTP {status}"
    if status == http.HTTPStatus.UNAUTHORIZED:
        advice = (
            "check --user and --password-file" if target.user else "it requires --user and --password-file"
        )
        return Unauthorized(f"{where}: {advice}")
    if status == http.HTTPStatus.FORBIDDEN:
        return Forbidden(f"{where}: access is refused")
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(f"{where}: the exporter cannot answer now")
    return Rejected(f"{where}: not the page of metrics; check the URL")


def _text(body: bytes, encoding: str, where: str) -> str:
    is_complete = True
    if encoding == "gzip":
        decompressor = zlib.decompressobj(_GZIP)
        try:
            body = decompressor.decompress(body, LIMIT + 1)
            is_complete = decompressor.eof
        except zlib.error:
            is_complete = False
    if len(body) > LIMIT:
        raise Rejected(f"{where}: the page is larger than {LIMIT >> 20} MiB")
    if not is_complete:
        raise Rejected(f"{where}: damaged gzip data")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Rejected(f"{where}: the page is not UTF-8 text") from None
