"""The web configuration in force: read anew whenever one of its files has changed."""

from __future__ import annotations

import ssl

from pf_exporter.config import fingerprint
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.metrics import ReloadStatus, of_web_config
from pf_exporter.server import tls
from pf_exporter.server.web_config import WebConfig, read

log = Logger(__name__)


class WebConfigReloader:
    """What the file at ``path`` says now, or said when it could last be used; without a path, an empty file.

    The first reading raises :class:`ConfigError`. After that only the server's thread asks.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._files: dict[str, object] = {}
        """By path what marked each file when it was read."""
        self.reading: ReloadStatus = of_web_config()
        self._config = WebConfig()
        self._context: ssl.SSLContext | None = None
        if path:
            self._read()
        self.has_tls = self._context is not None
        """Whether connections are encrypted; a restart is needed to change that."""

    def _read(self) -> None:
        files: dict[str, object] = {}
        try:
            config = read(self._path, files)
            context = None
            if config.tls is not None:
                try:
                    context = tls.context(config.tls)
                except ConfigError as exc:
                    raise ConfigError([f"{self._path}: {problem}" for problem in exc.problems]) from None
            if self.reading.succeeded_at is not None and (context is not None) != self.has_tls:
                raise ConfigError([f"{self._path}: tls_server_config: only a restart turns TLS on or off"])
        finally:
            # A bad file is not read again until it, or one it names, has changed.
            self._files = files
        self._config, self._context = config, context
        self.reading.good()

    def _renewed(self) -> None:
        if any(fingerprint(path) != before for path, before in self._files.items()):
            try:
                self._read()
            except ConfigError as exc:
                self.reading.bad(exc.problems)
                log.error("web configuration not read anew", file=self._path, error="; ".join(exc.problems))
            else:
                log.info("web configuration read anew", file=self._path)

    def config(self) -> WebConfig:
        """What is in force now."""
        self._renewed()
        return self._config

    def context(self) -> ssl.SSLContext:
        """What a connection is encrypted with that is opened now."""
        self._renewed()
        assert self._context is not None, "asked for only where has_tls"
        return self._context
