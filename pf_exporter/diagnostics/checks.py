"""Whether an account can be exported from here: what stands between it and /metrics, tried step by step."""

from __future__ import annotations

import email.utils
import functools
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from pf_exporter.config import Account, Config, SecretFile
from pf_exporter.diagnostics.result import BAD, HINTS, CheckResult, Failed, Finding, Notice, run_check
from pf_exporter.errors import CertificateNotTrusted, StreamError
from pf_exporter.formatting import duration
from pf_exporter.packetfabric import Client, Request, Session, StreamingResponse, Transport, read_events
from pf_exporter.schema import EVENTS, PORTS, VIRTUAL_CIRCUITS, canonical_id
from pf_exporter.state import AccountStats, DetectedTemporality, Store
from pf_exporter.stream import EventProcessor

CLOCK_TOLERANCE = 30.0
"""Seconds by which this machine's clock and the API's may differ."""
ENDS = 2
"""Ends of a virtual circuit, each of which is heard of by itself."""
LANES = 4
"""Lanes of an optical module, at most as a rule."""
SETTLING = 3.0
"""Seconds for which a stream that speaks is listened to at least: what is new in it rarely comes first."""


class AccountChecks:
    """The steps of one account. Whatever they begin is ended by :meth:`close`.

    ``within`` is how many seconds the stream may take until its first event, and ``listen`` how many it is
    listened to at least.
    """

    def __init__(
        self,
        account: Account,
        config: Config,
        *,
        within: float,
        listen: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._config = config
        self._within = max(within, listen)
        self._listen = listen
        self._clock = clock
        self._wall = wall
        self._client = Client(account, idle_timeout=self._within + 5)
        self._session: Session | None = None
        self._stream: StreamingResponse | None = None
        self._bundle = ""
        self._date = ""
        self.stats = AccountStats(account, idle_timeout=self._within)
        self.store = Store(ttl=config.series.ttl, limit=config.series.limit)
        self.store.add_account(account.name)

    def steps(self) -> Iterator[CheckResult]:
        """Try one after the other; what needs a step that failed is left out."""
        account = self._account.name
        attempt = functools.partial(run_check, account, clock=self._clock)
        for name, work in (
            ("secrets", self._secrets),
            ("name", self._name),
            ("connection", self._connection),
            ("clock", self._clocks),
            ("login", self._login),
        ):
            step = attempt(name, work)
            yield step
            if step.state == BAD and name != "clock":
                return
        step = attempt("inventory", self._inventory)
        yield step
        refused = step.failure == "login"  # an API key is first shown to the API here
        if refused:
            return
        for stream in self._account.streams:
            step = attempt(f"stream {stream.type}", functools.partial(self._accepts, stream.type))
            refused = refused or step.state == BAD
            yield step
        if refused:
            return
        for name, work in (
            ("subscription", self._subscription),
            ("first byte", self._open),
            ("events", self._hear),
        ):
            step = attempt(name, work)
            yield step
            if step.state == BAD:
                return
        if self._listen:
            for detected in self.stats.temporality.results():
                yield attempt("counts", functools.partial(self._counts, detected))
        if self.stats.unknown_fields.snapshot():
            yield attempt("new", self._novelties)

    def close(self) -> CheckResult | None:
        """Leave nothing behind: end the stream, and the session if it was begun here."""
        if self._stream is not None:
            self._stream.close()
        session = self._session
        if session is None or not session.from_login:
            return None

        def logout() -> str:
            self._client.logout(session)
            return "the session is ended; its subscriptions end with it"

        return run_check(self._account.name, "logout", logout, clock=self._clock)

    # The steps.

    def _secrets(self) -> str:
        account = self._account
        sources = [one for one in (account.token, account.login, account.password) if one is not None]
        for one in sources:
            one.read()
        what = "an API key" if account.token is not None else "a user and a password"
        in_files = any(isinstance(one, SecretFile) for one in sources)
        return f"{what}, {'from files' if in_files else 'set directly'}"

    def _name(self) -> str:
        parts = urlsplit(self._account.api_url)
        host = parts.hostname or ""
        try:
            return f"{ipaddress.ip_address(host)} is an address"
        except ValueError:
            pass
        try:
            found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as exc:
            why = getattr(exc, "strerror", None) or "no host can have this name"
            hint = "check api_url (PF_HOST), and the DNS of this machine"
            raise Failed("reach", f"{host}: {why}", hint) from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        return f"{host} is {addresses[0]}" + (f" and {len(addresses) - 1} more" if addresses[1:] else "")

    def _connection(self) -> str:
        account = self._account
        transport = Transport(account.api_url, {}, ca_file=account.ca_file)
        # No secret is sent until the server has shown who it is.
        try:
            answer = transport.call(Request("connection", "GET", "/v2/events"))
        except CertificateNotTrusted as exc:
            hint = "give the certificate of the authority that signed it as the account's ca_file"
            raise Failed("reach", str(exc), hint) from None
        self._date = answer.headers.get("Date", "")
        secure = account.api_url.startswith("https:")
        trusted = "its certificate is trusted" if secure else "not encrypted, for it is on this machine"
        return f"{account.api_url} answers; {trusted}"

    def _clocks(self) -> Finding:
        try:
            there = email.utils.parsedate_to_datetime(self._date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return Notice("the API's answer has no time to compare with", "")
        ahead = self._wall() - there
        if abs(ahead) <= CLOCK_TOLERANCE:
            return f"within {CLOCK_TOLERANCE:.0f} s of the API's"
        which = "ahead of" if ahead > 0 else "behind"
        raise Failed(
            "clock", f"{abs(ahead):.0f} s {which} the API's", "set this machine's clock, by NTP for one"
        )

    def _login(self) -> str:
        self._session = session = self._client.login()
        if not session.from_login:
            return "an API key needs none; what it may do shows below"
        if session.expires_at is None:
            return "a session of unknown length"
        return f"a session of {duration(session.expires_at - self._wall())}"

    def _begun(self) -> Session:
        assert self._session is not None  # steps() goes on only with one
        return self._session

    def _inventory(self) -> Finding:
        ids = {}
        for listing in (PORTS, VIRTUAL_CIRCUITS):
            pages = self._client.pages(self._begun(), listing.path)
            circuits = [listing.parse(item, ())[0] for page in pages for item in page]
            ids[listing.name] = [circuit.id for circuit in circuits if circuit is not None]
        ports, vcs = len(ids[PORTS.name]), len(ids[VIRTUAL_CIRCUITS.name])
        series = ports * _series("port|") + vcs * ENDS * _series("vc|")
        said = f"ports: {ports:,}, virtual circuits: {vcs:,}, series to expect: at most {series:,}"
        if series > self._config.series.limit:
            hint = "raise series.limit, or choose circuits under streams"
            return Notice(f"{said}, more than series.limit allows", hint)
        listed = {canonical_id(one) for of_kind in ids.values() for one in of_kind}
        pairs = (pair for stream in self._account.streams for pair in stream.selectors)
        if missing := [one for pair in pairs for one in pair.split("&") if canonical_id(one) not in listed]:
            hint = "correct ifds and vcs; of a circuit that the account does not have nothing will come"
            return Notice(f"{said}; not in the lists: {', '.join(missing)}", hint)
        if not ports and not vcs:
            return Notice(said, "nothing to measure yet: is it the right account?")
        return said

    def _accepts(self, kind: str) -> str:
        filters = [stream for stream in self._account.streams if stream.type == kind]
        self._bundle = self._client.subscribe(self._begun(), filters)
        return "accepted"

    def _subscription(self) -> str:
        if len(self._account.streams) > 1:
            self._bundle = self._client.subscribe(self._begun(), self._account.streams)
        return f"one for all of them, {self._bundle[:8]}…"

    def _open(self) -> str:
        self._stream = stream = self._client.open(self._begun(), self._bundle)
        began = self._clock()
        timer = threading.Timer(self._within, stream.shutdown)
        timer.daemon = True
        timer.start()
        try:
            self._first = next(stream.chunks())
        except StreamError as exc:
            if stream.was_shut_down:
                hint = "wait longer with --within, or look for a proxy that holds the stream back"
                raise Failed("silence", f"not a byte in {self._within:g} s", hint) from None
            raise exc
        finally:
            timer.cancel()
        what = "a heartbeat" if self._first.startswith(b":") else "an event"
        return f"{what} after {self._clock() - began:.1f} s"

    def _hear(self) -> Finding:
        stats, stream = self.stats, self._stream
        assert stream is not None  # opened by the step before
        processor = EventProcessor(self.store, stats)
        began = self._clock()
        first: float | None = None

        def enough() -> float:
            heard = self._within if first is None else first + min(SETTLING, self._within)
            return began + max(self._listen, heard)

        done = threading.Event()

        def watch() -> None:
            while (left := enough() - self._clock()) > 0:
                if done.wait(min(left, 0.2)):
                    return
            stream.shutdown()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        ended = ""
        try:
            for frame in read_events(self._bytes(stream), processor.reject):
                processor.take(frame)
                if first is None:
                    first = self._clock() - began
        except StreamError as exc:
            ended = "" if stream.was_shut_down else str(exc)
        finally:
            done.set()
            watcher.join()
        if ended:
            raise Failed("silence", ended, HINTS[StreamError][1])
        if first is None:
            return Notice(
                f"heartbeats, but no event in {self._within:g} s",
                "wait longer with --within 5m; a network without active circuits is silent too",
            )
        heard = {name: count for name, count in stats.events.items() if count}
        said = f"the first after {first:.1f} s; " + ", ".join(
            f"{name} {count}" for name, count in heard.items()
        )
        rejected = {reason: count for reason, count in stats.rejected.items() if count}
        if rejected:
            why = ", ".join(f"{reason} {count}" for reason, count in rejected.items())
            return Notice(
                f"{said}; unusable: {why}", "look at them with pf-exporter tail --raw, and report them"
            )
        return said

    def _bytes(self, stream: StreamingResponse) -> Iterator[bytes]:
        yield self._first
        yield from stream.chunks()

    def _counts(self, detected: DetectedTemporality) -> Finding:
        configured = self._config.value(detected.setting)
        if detected.temporality is None:
            return Notice(
                f"{detected.event}: not known yet. {detected.evidence}", "listen longer with --learn"
            )
        summary = f"{detected.event}: {detected.temporality.value}. {detected.evidence}"
        if not detected.agrees_with(configured):
            return Notice(
                summary,
                f"set {detected.setting} to {detected.temporality.value}; it is {configured} now",
            )
        return f"{summary} As {detected.setting} has it."

    def _novelties(self) -> Finding:
        found = self.stats.unknown_fields.snapshot()
        return Notice(
            "; ".join(map(str, found)),
            "this is new: please report it to the exporter's authors, as it stands here",
        )


def _series(kind: str) -> int:
    """Series of one circuit that all events of a kind make, each with the time it was last heard of."""
    return sum(
        1 + len(event.fields) * (LANES if event.has_lanes else 1)
        for name, event in EVENTS.items()
        if name.startswith(kind)
    )
