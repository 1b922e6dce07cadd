"""The checks of one account, in order: from its secrets to the events of its stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from pf_exporter.config import Account, Config, Proxy, find_proxy
from pf_exporter.diagnostics.connection import check_clock, check_name, check_proxy, check_secrets, connect
from pf_exporter.diagnostics.findings import compare_rates, compare_temporality, report_unknown_fields
from pf_exporter.diagnostics.inventory import check_inventory
from pf_exporter.diagnostics.resources import check_resource
from pf_exporter.diagnostics.result import CheckResult, CheckStatus, FailureClass, Outcome
from pf_exporter.diagnostics.runner import run_check
from pf_exporter.diagnostics.sample import StreamSample
from pf_exporter.errors import ConfigError
from pf_exporter.formatting import duration
from pf_exporter.inventory import ResourceProbe
from pf_exporter.packetfabric import Client, Session
from pf_exporter.state import AccountStats, Store


class AccountChecks:
    """Runs the checks of one account; :meth:`close` ends everything they start.

    ``within`` is the time in seconds that the stream may take until its first event, ``listen`` the minimum
    time to receive events.
    """

    def __init__(
        self,
        account: Account,
        config: Config,
        *,
        within: float,
        listen: float = 0.0,
    ) -> None:
        self._account = account
        self._config = config
        self._within = max(within, listen)
        self._listen = listen
        self._client = Client(account, idle_timeout=self._within + 5)
        self._session: Session | None = None
        self._sample: StreamSample | None = None
        self._subscription_uuid = ""
        self._date = ""

    def run(self) -> Iterator[CheckResult]:
        """Run one check after the other; skip those that depend on a failed one."""
        proxy = self._proxy()
        for name, check in (
            ("secrets", partial(check_secrets, self._account)),
            # Behind a proxy, the proxy resolves the name of the API.
            ("name", partial(check_name, self._account.api_url))
            if proxy is None
            else ("proxy", partial(check_proxy, proxy)),
            ("connection", self._connection),
            ("clock", self._clock_difference),
        ):
            result = self._run(name, check)
            yield result
            if result.status is CheckStatus.FAILED and name != "clock":
                return
        yield self._run("login", self._login)
        if self._session is not None:
            yield from self._run_with_session(self._session)

    def close(self) -> CheckResult | None:
        """End the stream, and log out of the session if the checks logged in."""
        if self._sample is not None:
            self._sample.close()
        session = self._session
        if session is None or not session.from_login:
            return None

        def logout() -> Outcome:
            self._client.logout(session)
            return "the session and its subscriptions are ended"

        return self._run("logout", logout)

    def _run(self, name: str, check: Callable[[], Outcome]) -> CheckResult:
        result = run_check(self._account.name, name, check)
        return result._replace(remedy=self._account.in_own_terms(result.remedy))

    def _proxy(self) -> Proxy | None:
        try:
            return find_proxy(self._account)
        except ConfigError:
            return None  # the check of the connection reports it

    def _connection(self) -> Outcome:
        message, self._date = connect(self._account)
        return message

    def _clock_difference(self) -> Outcome:
        return check_clock(self._date, time.time())

    def _login(self) -> Outcome:
        self._session = session = self._client.login()
        if not session.from_login:
            return "not needed with an API key; the next steps test its permissions"
        if session.expires_at is None:
            return "a session of unknown duration"
        return f"a session valid for {duration(session.expires_at - time.time())}"

    def _run_with_session(self, session: Session) -> Iterator[CheckResult]:
        limit = self._account.series_limit or self._config.series.limit
        result = self._run(
            "inventory",
            partial(check_inventory, self._client, session, self._account, series_limit=limit),
        )
        yield result
        if result.failure is FailureClass.LOGIN:  # the first request that needs the API key
            return
        yield from self._resources(session)
        is_accepted = True
        for stream in self._account.streams:
            result = self._run(f"stream {stream.type}", partial(self._subscribe, session, stream.type))
            yield result
            is_accepted = is_accepted and result.status is not CheckStatus.FAILED
        if is_accepted:
            yield from self._run_with_streams(session)

    def _resources(self, session: Session) -> Iterator[CheckResult]:
        settings = self._config.inventory
        if settings.interval:
            probe = ResourceProbe(self._account.name, self._client, session, settings, wall=time.time)
            for resource in probe.resources:
                yield self._run("poll", partial(check_resource, probe, resource))

    def _subscribe(self, session: Session, kind: str) -> Outcome:
        streams = [stream for stream in self._account.streams if stream.type == kind]
        self._subscription_uuid = self._client.subscribe(session, streams)
        return "accepted"

    def _subscribe_to_all(self, session: Session) -> Outcome:
        if len(self._account.streams) > 1:
            self._subscription_uuid = self._client.subscribe(session, self._account.streams)
        return f"one for all streams, {self._subscription_uuid[:8]}…"

    def _run_with_streams(self, session: Session) -> Iterator[CheckResult]:
        result = self._run("subscription", partial(self._subscribe_to_all, session))
        yield result
        if result.status is CheckStatus.FAILED:
            return
        store = Store(ttl=self._config.series.ttl, limit=self._config.series.limit)
        store.add_account(self._account.name)
        stats = AccountStats(self._account, idle_timeout=self._within, rate_unit=self._config.units.rates)
        self._sample = sample = StreamSample(
            partial(self._client.open, session, self._subscription_uuid),
            store,
            stats,
            within=self._within,
            listen=self._listen,
        )
        for name, check in (("first byte", sample.receive_first_byte), ("events", sample.receive_events)):
            result = self._run(name, check)
            yield result
            if result.status is CheckStatus.FAILED:
                return
        yield from self._findings(stats)

    def _findings(self, stats: AccountStats) -> Iterator[CheckResult]:
        if self._listen:
            for detected in stats.temporality.results():
                configured = self._config.value(detected.setting)
                yield self._run("counts", partial(compare_temporality, detected, configured))
            for rates in stats.rate_units.results():
                if stats.events[rates.event]:
                    yield self._run("units", partial(compare_rates, rates, stats.rate_units.assumed))
        if fields := stats.unknown_fields.snapshot():
            yield self._run("new", partial(report_unknown_fields, map(str, fields)))
