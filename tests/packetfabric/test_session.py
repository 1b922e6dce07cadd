"""The session: one login at a time, never in a hot loop, renewed in time, kept if a renewal fails."""

from __future__ import annotations

import itertools
import math
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import (
    ApiError,
    CredentialsUnreadable,
    Forbidden,
    LoginIncomplete,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.packetfabric.session import LOGIN_SCHEDULE, RENEW_AFTER, UNANSWERED_DELAY, SessionManager
from pf_exporter.packetfabric.session_stats import CredentialState
from tests.fakes import FIN, OK, Answer, Fake, Step, answer

NOW = 1_700_000_000.0
LIFE = 100_000.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def manager_of(fake: Fake, clock: Clock, *, jitter: float = 0.0, **changes: Any) -> SessionManager:
    account = fake.account(**changes)
    client = Client(account, idle_timeout=5.0)
    return SessionManager(client, account.name, clock=clock, wall=lambda: NOW, jitter=lambda: jitter)


def ends_after(seconds: float) -> dict[str, object]:
    return {"time_expires": datetime.fromtimestamp(NOW + seconds, timezone.utc).isoformat()}


def refused(session_manager: SessionManager) -> ApiError:
    with pytest.raises(ApiError) as caught:
        session_manager.get()
    return caught.value


def wait_of(session_manager: SessionManager) -> float:
    seconds = refused(session_manager).retry_after
    assert seconds is not None
    return seconds


def credential(session_manager: SessionManager) -> CredentialState:
    return session_manager.stats.credential


def logins(fake: Fake) -> int:
    return len(fake.of("login"))


# One at a time


def test_threads_share_one_login(fake: Fake, clock: Clock) -> None:
    """Twenty threads that ask at once share one session from one login."""
    gate = threading.Event()
    fake.script["login"] = [(gate.wait, OK)]
    session_manager = manager_of(fake, clock)
    with ThreadPoolExecutor(20) as pool:
        sessions = [pool.submit(session_manager.get) for _ in range(20)]
        fake.wait_for(lambda: logins(fake))
        gate.set()
        assert len({id(session.result(60)) for session in sessions}) == 1
    assert (logins(fake), fake.most["login"]) == (1, 1)


def test_threads_share_one_refusal(fake: Fake, clock: Clock) -> None:
    """A password that is refused is tried once, however many threads ask."""
    fake.script["login"] = itertools.repeat(Answer(401))
    session_manager = manager_of(fake, clock)
    with ThreadPoolExecutor(20) as pool:
        errors = [pool.submit(session_manager.get).exception(60) for _ in range(20)]
    assert all(isinstance(error, Unauthorized) for error in errors)
    assert logins(fake) == 1


def test_threads_share_a_new_login_after_401(fake: Fake, clock: Clock) -> None:
    """Threads that get a 401 discard the same session once, and never its successor."""
    session_manager = manager_of(fake, clock)
    dead = session_manager.get()
    clock.now += 1000
    with ThreadPoolExecutor(20) as pool:

        def renewed(_: int) -> Session:
            session_manager.discard(dead)
            return session_manager.get()

        assert len({id(session) for session in pool.map(renewed, range(20))}) == 1
    assert logins(fake) == 2


# The slow schedule


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Answer(401), Unauthorized),
        (Answer(403), Forbidden),
        (Answer(429), RateLimited),
        (Answer(400), Rejected),
        (answer(200, {"mfa_required": True}), LoginIncomplete),
    ],
)
def test_refused_logins_are_repeated_slowly(
    fake: Fake, clock: Clock, step: Step, error: type[ApiError]
) -> None:
    """After a refusal the next login waits up to twice as long as before, to at most ten minutes."""
    fake.script["login"] = itertools.repeat(step)
    session_manager = manager_of(fake, clock, jitter=1 - 1e-9)
    waits = []
    for number in range(1, 8):
        first = refused(session_manager)
        assert type(first) is error
        assert first.retry_after is not None
        waits.append(round(first.retry_after))
        clock.now += first.retry_after - 0.5
        again = refused(session_manager)
        assert type(again) is error
        assert again.retry_after == pytest.approx(0.5)
        assert str(again) == str(first)
        assert logins(fake) == number
        clock.now += 0.5
    assert waits == [60, 120, 240, 480, 600, 600, 600]


def test_jitter_keeps_the_minimum(fake: Fake, clock: Clock) -> None:
    """A refused login is never repeated within the minimum of the schedule."""
    fake.script["login"] = itertools.repeat(Answer(401))
    assert wait_of(manager_of(fake, clock, jitter=0.0)) == LOGIN_SCHEDULE.minimum


def test_outage_does_not_slow_the_schedule(fake: Fake, clock: Clock) -> None:
    """A server that cannot answer is asked again soon, and its outage does not count as refusals."""
    fake.script["login"] = [*[Answer(503)] * 20, Answer(401), OK]
    session_manager = manager_of(fake, clock, jitter=1 - 1e-9)
    for number in range(1, 21):
        error = refused(session_manager)
        assert (type(error), error.retry_after) == (Unavailable, UNANSWERED_DELAY)
        assert type(refused(session_manager)) is Unavailable
        assert logins(fake) == number
        clock.now += UNANSWERED_DELAY
    assert wait_of(session_manager) == pytest.approx(60)


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [
        (429, "90", 90),
        (503, "90", 90),
        (429, "5", 30),
        (503, "0", 1),
        (429, "99999999", 3600),
        (401, "90", 90),
    ],
)
def test_retry_after_is_obeyed(fake: Fake, clock: Clock, status: int, asked: str, wait: float) -> None:
    """The server may ask for a longer wait than the schedule, up to an hour, never for a shorter one."""
    fake.script["login"] = [Answer(status, {"Retry-After": asked}), OK]
    session_manager = manager_of(fake, clock)
    assert wait_of(session_manager) == wait
    clock.now += wait - 0.1
    refused(session_manager)
    assert logins(fake) == 1
    clock.now += 0.2
    session_manager.get()
    assert logins(fake) == 2


def test_retry_after_starts_at_the_response(fake: Fake, clock: Clock) -> None:
    """The duration of the login itself is not subtracted from the requested wait."""

    def dawdle() -> None:
        clock.now += 20

    fake.script["login"] = [(dawdle, Answer(429, {"Retry-After": "90"}))]
    session_manager = manager_of(fake, clock)
    assert wait_of(session_manager) == 90
    clock.now += 89
    assert wait_of(session_manager) == pytest.approx(1)


@pytest.mark.parametrize(("changes", "what"), [({}, "session"), ({"token": Secret("key")}, "API key")])
def test_session_refused_at_once(fake: Fake, clock: Clock, changes: dict[str, Any], what: str) -> None:
    """Sessions that are refused right after the login lead to slow logins, not to fast ones."""
    session_manager = manager_of(fake, clock, jitter=0.5, **changes)
    waits = []
    for _ in range(6):
        session_manager.discard(session_manager.get())
        error = refused(session_manager)
        assert isinstance(error, Unauthorized)
        assert str(error) == f"login: the {what} was refused right after its first use"
        assert error.retry_after is not None
        waits.append(error.retry_after)
        clock.now += error.retry_after + 0.001
    assert waits == sorted(waits)
    assert waits[0] >= LOGIN_SCHEDULE.minimum
    assert waits[-1] > 300


def test_schedule_resets_after_a_quiet_time(fake: Fake, clock: Clock) -> None:
    """After a quiet time the next failure starts at the short end again."""
    session_manager = manager_of(fake, clock, jitter=1 - 1e-9)
    for _ in range(5):
        session_manager.discard(session_manager.get())
        clock.now += wait_of(session_manager) + 0.001
    clock.now += 3600
    session_manager.discard(session_manager.get())
    assert wait_of(session_manager) == pytest.approx(60)


# What the status page shows


def test_the_state_of_a_login(fake: Fake, clock: Clock) -> None:
    """A login is not verified until it succeeds; a refusal is visible together with the next attempt."""
    fake.script["login"] = iter([Answer(500), Answer(401)])
    session_manager = manager_of(fake, clock)
    stats = session_manager.stats
    assert credential(session_manager) is CredentialState.NOT_VERIFIED
    clock.now += wait_of(session_manager)
    assert credential(session_manager) is CredentialState.NOT_VERIFIED  # a server error tells nothing
    wait = wait_of(session_manager)
    assert credential(session_manager) is CredentialState.REFUSED
    assert (stats.login_at, stats.next_login_at) == (None, NOW + wait)
    clock.now += wait
    session_manager.get()
    assert (stats.login_attempts, sum(stats.login_failures.values())) == (3, 2)
    assert credential(session_manager) is CredentialState.ACCEPTED
    assert (stats.login_at, stats.accepted_at, stats.next_login_at) == (NOW, NOW, None)


def test_the_state_of_an_api_key(fake: Fake, clock: Clock) -> None:
    """An API key is verified by the first request that is accepted, and refused by one that is not."""
    session_manager = manager_of(fake, clock, token=Secret("key"))
    stats = session_manager.stats
    session = session_manager.get()
    assert credential(session_manager) is CredentialState.NOT_VERIFIED
    session_manager.verified(session)
    assert (stats.credential, stats.accepted_at) == (CredentialState.ACCEPTED, NOW)
    session_manager.discard(session)
    assert credential(session_manager) is CredentialState.REFUSED
    assert stats.next_login_at is not None
    session_manager.verified(session)
    assert credential(session_manager) is CredentialState.REFUSED


def test_an_earlier_session_says_nothing(fake: Fake, clock: Clock) -> None:
    """A request that is accepted after its session was discarded does not verify the API key."""
    session_manager = manager_of(fake, clock, token=Secret("key"))
    session = session_manager.get()
    session_manager.discard(session)
    session_manager.verified(session)
    assert credential(session_manager) is CredentialState.REFUSED


@pytest.mark.parametrize(
    ("is_verified", "state"), [(True, CredentialState.ACCEPTED), (False, CredentialState.REFUSED)]
)
def test_the_state_after_a_session_ends(
    fake: Fake, clock: Clock, is_verified: bool, state: CredentialState
) -> None:
    """If the API ends a session that was of use, the password still counts as accepted."""
    session_manager = manager_of(fake, clock)
    session = session_manager.get()
    if is_verified:
        session_manager.verified(session)
    session_manager.discard(session)
    assert credential(session_manager) is state


@pytest.mark.parametrize(("age", "wait"), [(0.0, LOGIN_SCHEDULE.minimum), (1000.0, 0.0)])
def test_the_next_login_after_a_session_ends(fake: Fake, clock: Clock, age: float, wait: float) -> None:
    """The time of the next login is shown: not before the schedule allows it, and else now."""
    session_manager = manager_of(fake, clock)
    session = session_manager.get()
    clock.now += age
    session_manager.discard(session)
    assert session_manager.stats.next_login_at == NOW + wait


def test_the_log_of_an_api_key(fake: Fake, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The use of an API key is logged, but not with each retry after it was refused."""
    caplog.set_level("INFO", "pf_exporter")
    session_manager = manager_of(fake, clock, token=Secret("key"))
    for _ in range(3):
        session_manager.discard(session_manager.get())
        clock.now += 1000
    assert [record.getMessage() for record in caplog.records] == ["using an API key (not yet verified)"]


def test_a_refusal_is_logged_again_after_an_accepted_login(
    fake: Fake, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused password is logged once, until a login was accepted in between."""
    fake.script["login"] = [Answer(401), Answer(401), OK, Answer(401)]
    session_manager = manager_of(fake, clock)
    counts = []
    for _ in range(4):
        try:
            session_manager.discard(session_manager.get())
        except ApiError as error:
            session_manager.failures.failed("not connected", error, 1.0)
        clock.now += 1000
        counts.append(len(caplog.records))
    assert counts == [1, 1, 1, 2]


def test_a_missing_permission_is_not_a_refused_key(fake: Fake, clock: Clock) -> None:
    """After HTTP 403 the session is dropped, and the API key still counts as accepted."""
    session_manager = manager_of(fake, clock, token=Secret("key"))
    session = session_manager.get()
    session_manager.verified(session)
    session_manager.discard(session, refused=False)
    assert session_manager.stats.credential is CredentialState.ACCEPTED


def test_the_state_of_an_unreadable_secret(fake: Fake, clock: Clock, tmp_path: Path) -> None:
    """A secret file that is missing is a state different from a refusal."""
    session_manager = manager_of(fake, clock, token=SecretFile(str(tmp_path / "missing"), "token_file"))
    wait_of(session_manager)
    assert session_manager.stats.credential is CredentialState.UNREADABLE


# Renewal


def test_renewal_at_four_fifths(fake: Fake, clock: Clock) -> None:
    """A session is replaced after four fifths of its life, not before."""
    fake.session = ends_after(LIFE)
    session_manager = manager_of(fake, clock)
    first = session_manager.get()
    assert session_manager.renew_at == pytest.approx(clock.now + LIFE * RENEW_AFTER)
    clock.now = session_manager.renew_at - 1
    assert session_manager.get() is first
    clock.now += 2
    assert session_manager.get() is not first
    assert logins(fake) == 2


@pytest.mark.parametrize("status", [401, 429, 500])
def test_failed_renewal_keeps_the_old_session(fake: Fake, clock: Clock, status: int) -> None:
    """While renewals fail the old session is used, and logins keep their distance."""
    fake.session = ends_after(LIFE)
    fake.script["login"] = [OK, Answer(status), Answer(status), OK]
    session_manager = manager_of(fake, clock)
    first = session_manager.get()
    clock.now = session_manager.renew_at
    for number in (2, 3):
        for _ in range(100):
            assert session_manager.get() is first
        assert logins(fake) == number
        assert session_manager.renew_at >= clock.now + LOGIN_SCHEDULE.minimum
        clock.now = session_manager.renew_at
    assert session_manager.get() is not first


def test_the_log_of_a_failed_renewal(fake: Fake, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells when a renewal that failed is repeated."""
    fake.session = ends_after(LIFE)
    fake.script["login"] = [OK, Answer(500)]
    session_manager = manager_of(fake, clock)
    session_manager.get()
    clock.now = session_manager.renew_at
    session_manager.get()
    (record,) = caplog.records
    assert record.getMessage() == "session not renewed"
    assert record.fields["retry_in"] == LOGIN_SCHEDULE.minimum  # type: ignore[attr-defined]


@pytest.mark.parametrize("session", [{}, ends_after(-5), ends_after(-1e9), {"time_expires": "soon"}])
def test_session_without_a_usable_expiry(fake: Fake, clock: Clock, session: dict[str, object]) -> None:
    """A session without an expiry, or with one in the past, is used until the API refuses it."""
    fake.session = session
    session_manager = manager_of(fake, clock)
    first = session_manager.get()
    assert session_manager.renew_at == math.inf
    clock.now += 1e7
    assert session_manager.get() is first
    session_manager.discard(first)
    assert session_manager.get() is not first


def test_very_short_sessions(fake: Fake, clock: Clock) -> None:
    """Sessions that expire almost at once are not renewed faster than the schedule allows."""
    fake.session = ends_after(1)
    session_manager = manager_of(fake, clock)
    for _ in range(1000):
        assert isinstance(session_manager.get(), Session)
        clock.now += 1
    assert 2 < logins(fake) <= 1000 / LOGIN_SCHEDULE.minimum + 1


# Secrets


def test_secret_files_are_read_at_each_login(fake: Fake, clock: Clock, tmp_path: Path) -> None:
    """A password that was rotated on disk is used by the next login."""
    path = tmp_path / "password"
    path.write_text("one\n")
    session_manager = manager_of(fake, clock, password=SecretFile(str(path), "password_file"))
    first = session_manager.get()
    path.write_text("two\n")
    clock.now += 1000
    session_manager.discard(first)
    session_manager.get()
    assert [request.json()["password"] for request in fake.of("login")] == ["one", "two"]


@pytest.mark.parametrize("key", ["token", "password", "login"])
def test_unreadable_credentials(fake: Fake, clock: Clock, tmp_path: Path, key: str) -> None:
    """A missing secret file has its own error, without the path, until the file is back."""
    path = tmp_path / "secret"
    changes: dict[str, Any] = {key: SecretFile(str(path), f"{key}_file")}
    session_manager = manager_of(fake, clock, **changes)
    error = refused(session_manager)
    assert type(error) is CredentialsUnreadable
    assert str(error).startswith(f"{key}_file: ")
    assert str(tmp_path) not in str(error)
    assert fake.requests == []
    path.write_text("secret\n")
    refused(session_manager)
    clock.now += error.retry_after or 0.0
    session_manager.get()


def test_repeated_refusal_holds_no_secret(fake: Fake, clock: Clock) -> None:
    """A refusal that is raised again has no frames of the login, whose variables hold the password."""
    fake.script["login"] = [Answer(401)]
    session_manager = manager_of(fake, clock, password=Secret("c4nary"))
    refused(session_manager)
    shown = traceback.TracebackException.from_exception(refused(session_manager), capture_locals=True)
    assert "c4nary" not in "".join(shown.format())


# The end


def test_close_logs_out_once(fake: Fake, clock: Clock) -> None:
    """At the end the session is logged out; a failure of that has no effect."""
    session_manager = manager_of(fake, clock)
    session_manager.get()
    session_manager.close()
    session_manager.close()
    assert (len(fake.of("logout")), fake.sessions) == (1, {"key"})
    clock.now += 1000
    session = session_manager.get()
    fake.script["logout"] = [Answer(500), FIN]
    session_manager.log_out(session)
    session_manager.close()
    assert len(fake.of("logout")) == 3


def test_replaced_sessions_are_logged_out(fake: Fake, clock: Clock) -> None:
    """A session is logged out once its successor is in use, and at the end at the latest; each once."""
    fake.session = ends_after(LIFE)
    session_manager = manager_of(fake, clock)

    def renewed() -> Session:
        clock.now = max(clock.now, min(session_manager.renew_at, 1e9)) + 1
        return session_manager.get()

    session = renewed()
    session_manager.logout_replaced(session)
    assert len(fake.of("logout")) == 0
    session = renewed()
    assert len(fake.of("logout")) == 0
    for _ in range(2):
        session_manager.logout_replaced(session)
        assert len(fake.of("logout")) == 1
    renewed()
    session_manager.close()
    session_manager.close()
    assert len(fake.of("logout")) == 3


def test_retry_delay(fake: Fake, clock: Clock) -> None:
    """The delay is the time until the next login; with a session it is 0."""
    fake.script["login"] = [Answer(401), OK]
    session_manager = manager_of(fake, clock)
    assert session_manager.retry_delay == 0
    refused(session_manager)
    assert session_manager.retry_delay == LOGIN_SCHEDULE.minimum
    clock.now += LOGIN_SCHEDULE.minimum
    assert session_manager.retry_delay == 0
    session_manager.get()
    assert session_manager.retry_delay == 0


def test_a_login_returns_the_same_session(fake: Fake, clock: Clock) -> None:
    """A session that is still in use after a renewal is not logged out."""
    same = answer(200, {"token": "same", **ends_after(LIFE)})
    fake.script["login"] = itertools.repeat(same)
    session_manager = manager_of(fake, clock)
    session_manager.get()
    clock.now += LIFE * RENEW_AFTER
    session_manager.logout_replaced(session_manager.get())
    assert logins(fake) == 2
    assert fake.of("logout") == []


def test_api_key_is_never_logged_out(fake: Fake, clock: Clock) -> None:
    """Closing with an API key sends no request: a logout might end the key."""
    session_manager = manager_of(fake, clock, token=Secret("key"))
    assert session_manager.get().token.reveal() == "key"
    session_manager.close()
    assert fake.requests == []


def test_short_sessions_are_renewed_in_time(fake: Fake, clock: Clock) -> None:
    """Sessions of two minutes for an hour: each is renewed before it expires."""
    fake.session = ends_after(120)
    session_manager = manager_of(fake, clock, jitter=0.99)
    current, age, ages = session_manager.get(), 0, []
    for _ in range(360):
        session = session_manager.get()
        session_manager.verified(session)
        age = age + 10 if session is current else 10
        current = session
        ages.append(age)
        clock.now += 10
    assert max(ages) <= 120


def test_short_sessions_without_an_expiry(fake: Fake, clock: Clock) -> None:
    """A session that the API ends after two minutes, and that was of use, is followed by a login at once."""
    session_manager = manager_of(fake, clock, jitter=0.99)
    for number in range(1, 11):
        session = session_manager.get()
        session_manager.verified(session)
        clock.now += 120
        session_manager.discard(session)
        assert logins(fake) == number


def test_refused_renewals_are_repeated_slowly(fake: Fake, clock: Clock) -> None:
    """A session that is in use does not let a wrong password be tried more often."""
    fake.session = ends_after(120)
    session_manager = manager_of(fake, clock, jitter=0.99)
    session_manager.verified(session_manager.get())
    fake.script["login"] = itertools.repeat(Answer(401))
    for _ in range(3600):
        session_manager.verified(session_manager.get())
        clock.now += 1
    assert 3 <= logins(fake) <= 12
