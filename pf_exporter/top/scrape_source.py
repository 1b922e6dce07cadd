"""Readings from the ``/metrics`` page of a running exporter."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable

from pf_exporter.errors import ApiError, ConfigError, Rejected
from pf_exporter.log import Logger
from pf_exporter.metrics import parse_samples
from pf_exporter.scrape import ScrapeTarget, fetch_page
from pf_exporter.supervised_thread import SupervisedThread
from pf_exporter.top.builder import FAMILIES, CircuitBuilder
from pf_exporter.top.circuit import STREAMING, Reading

UP = "packetfabric_up"

log = Logger(__name__)


class ScrapeSource:
    """Scrapes a page at an interval, on a thread; :meth:`read` returns the latest values.

    ``on_failure`` is called if the thread dies.
    """

    def __init__(
        self,
        target: ScrapeTarget,
        interval: float,
        *,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._target = target
        self._context = target.context()
        self._interval = interval
        self._latest = (Reading(), time.monotonic())
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
        return reading._replace(age=time.monotonic() - read_at)

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
        page = fetch_page(self._target, self._target.path, self._context)
        builder = CircuitBuilder()
        accounts = {}
        try:
            for name, labels, value in parse_samples(
                page.text, page.headers.get("content-type", ""), FAMILIES | {UP}
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
        self._latest = (reading, time.monotonic())
