"""Basic authentication, over HTTP and by direct calls."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest

from pf_exporter.config.secrets import Secret
from pf_exporter.server.basic_auth import CACHE_SIZE, QUEUE_LIMIT, BasicAuth, parse_credentials
from pf_exporter.server.turns import QueueFull
from tests.conftest import until
from tests.server.conftest import Serve, hashed


def basic(name: str, password: str | bytes) -> str:
    raw = password.encode() if isinstance(password, str) else password
    return "Basic " + b64encode(name.encode() + b":" + raw).decode()


ALICE = hashed("opensesame")
FILE = f"basic_auth_users: {{alice: {ALICE}}}"
USERS: Mapping[str, Secret] = {
    "alice": Secret(ALICE),
    "bob": Secret(hashed("b", 5)),
    "carol": Secret(hashed("c", 6)),
}


class CountingCheck:
    """Checks passwords with bcrypt, and records every call and its thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, bytes]] = []
        self.active = 0
        self.most_active = 0
        self.threads: set[str] = set()
        self.release = threading.Event()
        self.release.set()

    @property
    def costs(self) -> list[int]:
        return [int(hash_[4:6]) for _, hash_ in self.calls]

    def __call__(self, password: bytes, hash_: bytes) -> bool:
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        self.calls.append((password, hash_))
        self.threads.add(threading.current_thread().name)
        self.release.wait(60)
        self.active -= 1
        return bcrypt.checkpw(password, hash_)


def authenticate(
    auth: BasicAuth, *headers: str, users: Mapping[str, Secret] = USERS
) -> list[bool | BaseException]:
    """The results for all headers, which arrive at the same time."""

    async def authenticate_all() -> list[bool | BaseException]:
        calls = (auth.authenticate(header, users) for header in headers)
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(authenticate_all())


def test_right_password(serve: Serve) -> None:
    """The right user name with the right password gets the page."""
    assert serve(FILE).get(headers={"Authorization": basic("alice", "opensesame")})[::2] == (200, "hello")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !",
        "Bearer opensesame",
        "Basic " + b64encode(b"alice").decode(),
        "Basic " + b64encode(b"\xff:opensesame").decode(),
        basic("alice", "wrong"),
        basic("alice", ""),
        basic("alice", "opensesame "),
        basic("alice", "opensesame\0"),
        basic("alice", "x" * 5000),
        basic("alice ", "opensesame"),
        basic("Alice", "opensesame"),
        basic("", "opensesame"),
        basic("mallory", "opensesame"),
        pytest.param(basic("alice", ALICE), id="hash as password"),
    ],
)
def test_anything_else_is_401(serve: Serve, header: str | None) -> None:
    """Any other header, or none, gets the same 401 with a challenge."""
    headers = {} if header is None else {"Authorization": header}
    status, response_headers, body = serve(FILE).get(headers=headers)
    assert (status, body) == (401, "Unauthorized\n")
    assert response_headers["www-authenticate"].startswith("Basic ")


def test_every_path_needs_a_user(serve: Serve) -> None:
    """Every path is 401 without a user, even unknown ones; health probes are exempt only with open_health."""
    server = serve(FILE)
    for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/nothing", "/-/healthy/.."):
        assert server.get(path)[0] == 401, path
    open_health = serve(FILE, open_health=True)
    assert [open_health.get(path)[0] for path in ("/-/healthy", "/-/ready")] == [200, 200]
    for path in ("/", "/metrics", "/-/reload", "/-/healthy/", "//-/healthy", "/-/healthy/../metrics"):
        assert open_health.get(path)[0] == 401, path


def test_users_are_reloaded(serve: Serve) -> None:
    """After a password changes in the file only the new one is accepted."""
    server = serve(FILE)
    assert server.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 200
    server.file.write_text(f"basic_auth_users: {{alice: {hashed('another')}, bob: {hashed('b')}}}")
    assert server.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 401
    assert server.get(headers={"Authorization": basic("alice", "another")})[0] == 200
    assert server.get(headers={"Authorization": basic("bob", "b")})[0] == 200
    server.file.write_text("")
    assert server.get()[0] == 200


def test_a_bad_file_keeps_the_users(serve: Serve) -> None:
    """A file that becomes invalid or is removed leaves authentication as it was."""
    server = serve(FILE)
    server.file.write_text("basic_auth_users: [")
    assert server.get()[0] == 401
    server.file.unlink()
    assert server.get()[0] == 401
    assert server.status.problems == (f"{server.file}: the file cannot be read: No such file or directory",)
    assert server.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 200


def test_known_and_unknown_users_take_the_same_time() -> None:
    """An unknown name costs one bcrypt check too, always with the same cost: timing does not reveal it."""
    known, unknown = CountingCheck(), CountingCheck()
    assert authenticate(BasicAuth(known), basic("alice", "wrong")) == [False]
    auth = BasicAuth(unknown)
    assert authenticate(auth, basic("mallory", "wrong")) == [False]
    assert len(known.calls) == len(unknown.calls) == 1
    assert unknown.calls[0][0] == b"wrong"
    assert authenticate(auth, basic("mallory", "again")) == [False]
    assert unknown.costs[0] == unknown.costs[1]


def test_unknown_users_have_the_costs_of_known_ones() -> None:
    """Where hashes have different costs, unknown names are spread over all of them."""
    check = CountingCheck()
    auth = BasicAuth(check)
    for number in range(60):
        authenticate(auth, basic(f"user{number}", "x"))
    assert set(check.costs) == {4, 5, 6}


def test_a_substitute_hash_authenticates_nobody() -> None:
    """An unknown name with the password of a known user is refused, checked or cached."""
    auth = BasicAuth()
    only = {"alice": USERS["alice"]}
    header = basic("mallory", "opensesame")
    assert authenticate(auth, header, header, users=only) == [False, False]
    assert authenticate(auth, header, users=only) == [False]


def test_results_are_cached_by_name_and_password() -> None:
    """The same header is checked once; a:bc is not ab:c."""
    check = CountingCheck()
    auth = BasicAuth(check)
    users = {"a": Secret(hashed("bc")), "ab": Secret(hashed("x"))}
    assert authenticate(auth, basic("a", "bc"), users=users) == [True]
    assert authenticate(auth, basic("a", "bc"), basic("ab", "c"), users=users) == [True, False]
    assert len(check.calls) == 2


def test_cache_is_bounded() -> None:
    """However many passwords are tried, only the latest results are cached."""
    checked: list[bytes] = []

    def check(password: bytes, hash_: bytes) -> bool:
        checked.append(password)
        return False

    auth = BasicAuth(check)
    for number in range(CACHE_SIZE + 50):
        authenticate(auth, basic("alice", str(number)))
    checked.clear()
    for number in range(50, CACHE_SIZE + 50):
        authenticate(auth, basic("alice", str(number)))
    assert checked == []
    for number in range(50):
        authenticate(auth, basic("alice", str(number)))
    assert checked == [str(number).encode() for number in range(50)]


def test_the_cache_keeps_what_is_used() -> None:
    """The user who has not authenticated for the longest time is displaced, not the first one."""
    checked: list[bytes] = []

    def check(password: bytes, hash_: bytes) -> bool:
        checked.append(password)
        return True

    auth = BasicAuth(check)
    names = [str(number) for number in range(CACHE_SIZE + 1)]
    users = dict.fromkeys(names, Secret("a hash"))
    for name in (*names[:CACHE_SIZE], names[0], names[CACHE_SIZE]):
        authenticate(auth, basic(name, name), users=users)
    checked.clear()
    authenticate(auth, basic(names[0], names[0]), basic(names[1], names[1]), users=users)
    assert checked == [names[1].encode()]


def test_wrong_passwords_never_displace_the_right_one() -> None:
    """However many wrong passwords follow, the right one is not checked again."""
    checked: list[bytes] = []

    def check(password: bytes, hash_: bytes) -> bool:
        checked.append(password)
        return password == b"opensesame"

    auth = BasicAuth(check)
    for password in ("opensesame", *map(str, range(2 * CACHE_SIZE)), "opensesame"):
        assert authenticate(auth, basic("alice", password)) == [password == "opensesame"]
    assert checked.count(b"opensesame") == 1


def test_25_wrong_passwords_then_the_right_one(serve: Serve) -> None:
    """A user is let in after any number of mistakes: nothing locks the account."""
    server = serve(FILE)
    for number in range(25):
        assert server.get(headers={"Authorization": basic("alice", str(number))})[0] == 401
    assert server.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 200


@pytest.mark.no_cover
def test_100_clients_that_guess_passwords(serve: Serve) -> None:
    """While 100 clients guess passwords, one that was let in before is let in within a second, each time."""
    server = serve(f"basic_auth_users: {{alice: {hashed('opensesame', 8)}}}")
    right = {"Authorization": basic("alice", "opensesame")}
    assert server.get(headers=right)[0] == 200
    stopping = threading.Event()
    statuses: list[int] = []

    def guess(client: int) -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            with contextlib.suppress(OSError):
                statuses.append(
                    server.get(headers={"Authorization": basic("alice", f"{client} {number}")})[0]
                )

    with ThreadPoolExecutor(100) as pool:
        for client in range(100):
            pool.submit(guess, client)
        until(lambda: 503 in statuses and 401 in statuses, "a full queue")
        answers = [server.get(headers=right)[0] for _ in range(20)]
        stopping.set()
    assert answers == [200] * 20
    assert set(statuses) == {401, 503}


def test_clients_take_turns() -> None:
    """A client that asks once is next, even if another has filled the queue, and loses its newest request."""
    check = CountingCheck()

    async def authenticate_in_turn() -> list[bool | BaseException]:
        auth = BasicAuth(check, queue_limit=5)
        guesses = [
            asyncio.create_task(auth.authenticate(basic("alice", str(number)), USERS, client="many"))
            for number in range(5)
        ]
        await asyncio.sleep(0)
        right = asyncio.create_task(auth.authenticate(basic("alice", "opensesame"), USERS, client="one"))
        return await asyncio.gather(right, *guesses, return_exceptions=True)

    result, *guesses = asyncio.run(authenticate_in_turn())
    assert result is True
    assert guesses[:4] == [False] * 4
    assert isinstance(guesses[4], QueueFull)
    assert [password for password, _ in check.calls[:3]] == [b"0", b"1", b"opensesame"]


def test_one_check_at_a_time_off_the_event_loop() -> None:
    """Passwords are checked one after another on other threads; a full queue raises QueueFull."""
    check = CountingCheck()
    headers = [basic("alice", str(number)) for number in range(QUEUE_LIMIT + 5)]
    results = authenticate(BasicAuth(check), *headers)
    assert check.most_active == 1
    assert "MainThread" not in check.threads
    assert sum(isinstance(result, QueueFull) for result in results) == 5
    assert results.count(False) == QUEUE_LIMIT


def test_a_cached_user_skips_the_queue(serve: Serve) -> None:
    """While wrong passwords wait for their check, a user whose result is cached is let in at once."""
    check = CountingCheck()
    server = serve(FILE, basic_auth=BasicAuth(check))
    right = basic("alice", "opensesame")
    assert server.get(headers={"Authorization": right})[0] == 200
    check.release.clear()
    waiting = [
        threading.Thread(
            target=server.get, kwargs={"headers": {"Authorization": basic("alice", str(number))}}
        )
        for number in range(5)
    ]
    for thread in waiting:
        thread.start()
    until(lambda: check.active == 1, "a check in progress")
    assert server.get(headers={"Authorization": right})[0] == 200
    check.release.set()
    for thread in waiting:
        thread.join(60)


def test_a_full_queue_is_503(serve: Serve) -> None:
    """A request that finds the queue full gets 503 at once, whatever the password."""
    check = CountingCheck()
    check.release.clear()
    server = serve(FILE, basic_auth=BasicAuth(check, queue_limit=1))
    waiting = threading.Thread(target=server.get, kwargs={"headers": {"Authorization": basic("alice", "x")}})
    waiting.start()
    until(lambda: check.active == 1, "a check in progress")
    status, _, body = server.get(headers={"Authorization": basic("alice", "y")})
    check.release.set()
    waiting.join(60)
    assert (status, body) == (503, "Too many passwords to check, try again later.\n")


@pytest.mark.parametrize(
    ("header", "parsed"),
    [
        (basic("a", "b"), ("a", b"b")),
        (basic("a", "b").replace("Basic", "bAsIc"), ("a", b"b")),
        (basic("a", "b:c"), ("a", b"b:c")),
        (basic("ä", "€"), ("ä", "€".encode())),
        (basic("a", b"\xff"), ("a", b"\xff")),
        ("Basic YTpi YTpi", None),
        ("Digest YTpi", None),
    ],
)
def test_parse_credentials(header: str, parsed: tuple[str, bytes] | None) -> None:
    """Names are UTF-8 and end at the first colon, passwords are any bytes."""
    assert parse_credentials(header) == parsed


def test_long_passwords() -> None:
    """bcrypt uses 72 bytes; a longer password is not an error."""
    long = "p" * 72
    users = {"a": Secret(hashed(long))}
    assert authenticate(BasicAuth(), basic("a", long + "q"), basic("a", "p" * 71), users=users) == [
        True,
        False,
    ]
