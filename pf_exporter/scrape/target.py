"""Where the pages of a running exporter are, and the credentials for them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from pf_exporter.config import SecretFile
from pf_exporter.errors import ConfigError


@dataclass(frozen=True)
class ScrapeTarget:
    """Where to scrape, and with which credentials."""

    url: str
    user: str = ""
    password: SecretFile | None = None
    ca_file: str = ""
    """CA certificates (PEM) to trust instead of the default ones."""
    flag: str = "--from"
    """The flag that gives the URL, for messages."""

    def problems(self) -> list[str]:
        """The problems, one line each; without the URL, which may contain a password."""
        problems = []
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            return [f"{self.flag}: expected a URL, such as http://127.0.0.1:10054/metrics"]
        if parts.username is not None:
            problems.append(f"{self.flag}: give the user with --user and the password with --password-file")
        if bool(self.user) != (self.password is not None):
            problems.append("--user: needs --password-file, and the reverse")
        if self.ca_file and parts.scheme != "https":
            problems.append("--ca-file: needs an https URL")
        return problems

    def at(self, path: str) -> str:
        """The URL of a path on the same server, without user, query and fragment."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{host}{port}{path}"

    @property
    def page(self) -> str:
        """The URL of the metrics, ``/metrics`` by default."""
        return self.at(self.path)

    @property
    def path(self) -> str:
        """The path of the page."""
        path = urlsplit(self.url).path
        return path if path.strip("/") else "/metrics"

    def context(self) -> ssl.SSLContext | None:
        """The TLS settings; None without TLS. Raises :class:`ConfigError`."""
        if urlsplit(self.url).scheme != "https":
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as exc:
            reason = exc.strerror if not isinstance(exc, ssl.SSLError) else "it contains no certificate (PEM)"
            raise ConfigError([f"--ca-file: {self.ca_file}: {reason}"]) from None
