"""The web configuration in force, read again whenever one of its files has changed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pf_exporter.config import fingerprint
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.server.tls import create_context
from pf_exporter.server.web_config import WebConfig
from pf_exporter.server.web_config_file import read_web_config

RETRY = 60.0
"""Seconds until files that cannot be used are read again although they have not changed: the cause may lie
elsewhere, such as in a full disk."""

log = Logger(__name__)


class ReloadListener(Protocol):
    """Receives the result of each attempt to read the web configuration."""

    def succeeded(self) -> None:
        """The configuration was read and is in force."""

    def failed(self, problems: Sequence[str]) -> None:
        """The configuration cannot be used; the one before stays in force."""


def _check_tls(path: str, *, before: bool, after: bool) -> None:
    if before != after:
        raise ConfigError([f"{path}: tls_server_config: only a restart turns TLS on or off"])


class WebConfigReloader:
    """The contents of the file at ``path``, as of the last successful read; without a path, an empty file.

    The constructor raises :class:`ConfigError` if the file cannot be used. After that only the server's
    thread calls methods.
    """

    def __init__(
        self,
        path: str = "",
        listener: ReloadListener | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._listener = listener
        self._clock = clock
        self._retry_at = float("inf")
        self._problems: Sequence[str] = ()
        """What was logged last, until a success."""
        self._fingerprints: dict[str, object] = {}
        """By path, the fingerprint of each file when it was read."""
        self._config = WebConfig()
        self._context: ssl.SSLContext | None = None
        if path:
            self._config, self._context = self._read()
            if listener is not None:
                listener.succeeded()
        self.has_tls = self._context is not None
        """Whether connections are encrypted; only a restart changes that."""

    def _read(self) -> tuple[WebConfig, ssl.SSLContext | None]:
        fingerprints: dict[str, object] = {}
        try:
            config = read_web_config(self._path, fingerprints)
            context = None
            if config.tls is not None:
                try:
                    context = create_context(config.tls)
                except ConfigError as exc:
                    raise ConfigError([f"{self._path}: {problem}" for problem in exc.problems]) from None
        finally:
            # A bad file is not read again with the next request, unless it, or a file it names, has changed.
            self._fingerprints = fingerprints
        return config, context

    def _reload_if_changed(self) -> None:
        is_unchanged = all(fingerprint(path) == before for path, before in self._fingerprints.items())
        if is_unchanged and self._clock() < self._retry_at:
            return
        try:
            config, context = self._read()
            _check_tls(self._path, before=self.has_tls, after=context is not None)
        except ConfigError as exc:
            self._failed(exc.problems)
            return
        self._config, self._context = config, context
        self._retry_at, self._problems = float("inf"), ()
        if self._listener is not None:
            self._listener.succeeded()
        log.info("web configuration reloaded", file=self._path)

    def _failed(self, problems: Sequence[str]) -> None:
        self._retry_at = self._clock() + RETRY
        if self._listener is not None:
            self._listener.failed(problems)
        if problems != self._problems:
            log.error("web configuration not reloaded", file=self._path, error="; ".join(problems))
        self._problems = problems

    def config(self) -> WebConfig:
        """The web configuration in force."""
        self._reload_if_changed()
        return self._config

    def context(self) -> ssl.SSLContext:
        """The TLS context for a new connection."""
        self._reload_if_changed()
        assert self._context is not None, "called only if has_tls"
        return self._context


def check_web_config(path: str, *, has_tls: bool) -> None:
    """Read the file at ``path``, if there is one, without applying it; any thread may call.

    Raises :class:`ConfigError` if it cannot be used by a server that runs with or without TLS.
    """
    if path:
        _check_tls(path, before=has_tls, after=WebConfigReloader(path).has_tls)
