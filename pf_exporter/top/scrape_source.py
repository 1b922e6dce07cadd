"""Readings from the ``/metrics`` page of a running exporter."""

from __future__ import annotations

import base64
import email.utils
import http
import http.client
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pf_exporter.config import SecretFile
from pf_exporter.errors import ApiError, ConfigError, Forbidden, Rejected, Unauthorized, Unavailable
from pf_exporter.http_get import Page, failure_text, http_get
from pf_exporter.log import Logger
from pf_exporter.metrics import parse_samples
from pf_exporter.supervised_thread import SupervisedThread
from pf_exporter.top.builder import FAMILIES, CircuitBuilder
from pf_exporter.top.circuit import STREAMING, Reading

TIMEOUT = 10.0
"""Seconds for the connection and for each read."""
LIMIT = 256 << 20
"""Largest page, in bytes, before and after decompression."""
UP = "packetfabric_up"
_GZIP = 31
"""zlib's window size for gzip."""

log = Logger(__name__)


@dataclass(frozen=True)
class ScrapeTarget:
    """Where to scrape, and with which credentials."""

    url: str
    user: str = ""
    password: SecretFile | None = None
    ca_file: str = ""
    """CA certificates (PEM) to trust instead of the default ones."""

    def problems(self) -> list[str]:
        """The problems, one line each; without the URL, which may contain a password."""
        problems = []
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            return ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]
        if parts.username is not None:
            problems.append("--from: give the user with --user and the password with --password-file")
        if bool(self.user) != (self.password is not None):
            problems.append("--user: needs --password-file, and the reverse")
        if self.ca_file and parts.scheme != "https":
            problems.append("--ca-file: needs an https URL")
        return problems

    @property
    def page(self) -> str:
        """The URL without user, query and fragment; the path is ``/metrics`` by default."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{host}{port}{self.path}"

    @property
    def path(self) -> str:
        """The path of the page."""
        path = urlsplit(self.url).path
        return path if path.strip("/") else "/metrics"

    def context(self) -> ssl.SSLContext | None:
        """The TLS settings; None without TLS. Raises :class:`ConfigError`."""
        if not self.url.startswith("https:"):
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as exc:
            reason = exc.strerror if not isinstance(exc, ssl.SSLError) else "it contains no certificate (PEM)"
            raise ConfigError([f"--ca-file: {self.ca_file}: {reason}"]) from None


class ScrapeSource:
    """Scrapes a page at an interval, on a thread; :meth:`read` returns the latest values.

    ``on_failure`` is called if the thread dies; ``clock`` is monotonic.
    """

    def __init__(
        self,
        target: ScrapeTarget,
        interval: float,
        *,
        on_failure: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target = target
        self._context = target.context()
        self._interval = interval
        self._clock = clock
        self._latest = (Reading(), clock())
        """The last successful scrape and its time; one tuple, so that both change at once."""
        self._stopping = threading.Event()
        self._thread = SupervisedThread(self._run, name="scrape", on_failure=on_failure)

    def start(self) -> None:
        """Scrape once, then at the interval. Raises :class:`ApiError` if the first scrape fails."""
        self._scrape()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a scrape under way is not waited for."""
        self._stopping.set()

    def read(self) -> Reading:
        """The values of the last successful scrape, with the problem of the last one."""
        reading, read_at = self._latest
        return reading._replace(age=self._clock() - read_at)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self._scrape()
            except (ApiError, ConfigError) as exc:
                reading, read_at = self._latest
                if reading.problem != str(exc):
                    log.warning("scrape failed", error=exc)
                self._latest = (reading._replace(problem=str(exc)), read_at)

    def _scrape(self) -> None:
        page = self._get()
        text = _text(page, self._target.page)
        builder = CircuitBuilder()
        accounts = {}
        try:
            for name, labels, value in parse_samples(
                text, page.headers.get("content-type", ""), FAMILIES | {UP}
            ):
                if name == UP:
                    accounts[labels.get("account", "")] = STREAMING if value else "no stream"
                else:
                    builder.add(name, labels, value)
        except ValueError as exc:
            raise Rejected(f"{self._target.page}: not a page of metrics: {exc}") from None
        if not accounts:
            raise Rejected(f"{self._target.page}: no metrics of pf_exporter; check the URL")
        at = email.utils.parsedate_tz(page.headers.get("date", ""))
        reading = Reading(
            tuple(builder.build()),
            accounts,
            # By the exporter's clock, which may differ from the one here.
            at=time.time() if at is None else email.utils.mktime_tz(at),
            serial=self._latest[0].serial + 1,
        )
        self._latest = (reading, self._clock())

    def _get(self) -> Page:
        parts = urlsplit(self._target.url)
        default = http.client.HTTP_PORT if self._context is None else http.client.HTTPS_PORT
        try:
            page = http_get(
                parts.hostname or "",
                parts.port or default,
                self._target.path,
                context=self._context,
                timeout=TIMEOUT,
                limit=LIMIT + 1,
                headers=self._headers(),
            )
        except ssl.SSLCertVerificationError as exc:
            why = f"{exc.verify_message}; --ca-file names the CA that signed it"
            raise Unavailable(f"{self._target.page}: the certificate is not trusted: {why}") from None
        except (OSError, http.client.HTTPException) as exc:
            raise Unavailable(f"{self._target.page}: {failure_text(exc)}; is the exporter running?") from None
        if page.status == http.HTTPStatus.OK:
            return page
        raise _refusal(page.status, self._target)

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip"}
        if self._target.password is not None:
            # Read at each scrape: the password may change.
            pair = f"{self._target.user}:{self._target.password.read().reveal()}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return headers


def _refusal(status: int, target: ScrapeTarget) -> ApiError:
    where = f"{target.page}: HTTP {status}"
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


def _text(page: Page, where: str) -> str:
    body, is_complete = page.body, True
    if page.headers.get("content-encoding", "") == "gzip":
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
