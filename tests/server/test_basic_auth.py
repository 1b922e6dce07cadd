"""Users and their passwords, over HTTP and one call at a time."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Mapping

import bcrypt
import pytest

from pf_exporter.config.secrets import Secret
from pf_exporter.server.basic_auth import LINE, REMEMBERED, BasicAuth, QueueFull, credentials
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


class Counting:
    """Checks passwords as bcrypt does, and writes down what it was asked, and where."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.threads: set[str] = set()
        self.go = threading.Event()
        self.go.set()

    @property
    def costs(self) -> list[int]:
        return [int(hash_[4:6]) for _, hash_ in self.asked]

    def __call__(self, password: bytes, hash_: bytes) -> bool:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.asked.append((password, hash_))
        self.threads.add(threading.current_thread().name)
        self.go.wait(10)
        self.at_once -= 1
        return bcrypt.checkpw(password, hash_)


def ask(doorman: BasicAuth, *headers: str, users: Mapping[str, Secret] = USERS) -> list[bool | BaseException]:
    """What becomes of all the headers, which come at the same time."""

    async def all_of_them() -> list[bool | BaseException]:
        asked = (doorman.admits(header, users) for header in headers)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(all_of_them())


def test_a_user_gets_in(serve: Serve) -> None:
    """The right name with the right password gets the page."""
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
        basic("alice", ALICE),
    ],
)
def test_nobody_else_does(serve: Serve, header: str | None) -> None:
    """Anything else gets 401, the same for each, with the question for a name."""
    headers = {} if header is None else {"Authorization": header}
    status, answered, body = serve(FILE).get(headers=headers)
    assert (status, body) == (401, "Unauthorized\n")
    assert answered["www-authenticate"].startswith("Basic ")


def test_every_page_is_closed(serve: Serve) -> None:
    """No path answers without a user, not even with 404, and health does only where it is said to."""
    site = serve(FILE)
    for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/nothing", "/-/healthy/.."):
        assert site.get(path)[0] == 401, path
    opened = serve(FILE, open_health=True)
    assert [opened.get(path)[0] for path in ("/-/healthy", "/-/ready")] == [200, 200]
    for path in ("/", "/metrics", "/-/reload", "/-/healthy/", "//-/healthy", "/-/healthy/../metrics"):
        assert opened.get(path)[0] == 401, path


def test_users_rotate(serve: Serve) -> None:
    """A password that is changed in the file is the one that counts from then on, and only that one."""
    site = serve(FILE)
    assert site.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 200
    site.file.write_text(f"basic_auth_users: {{alice: {hashed('another')}, bob: {hashed('b')}}}")
    assert site.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 401
    assert site.get(headers={"Authorization": basic("alice", "another")})[0] == 200
    assert site.get(headers={"Authorization": basic("bob", "b")})[0] == 200
    site.file.write_text("")
    assert site.get()[0] == 200


def test_a_bad_file_leaves_the_door_closed(serve: Serve) -> None:
    """A file that becomes unreadable, wrong or missing does not let anybody in."""
    site = serve(FILE)
    site.file.write_text("basic_auth_users: [")
    assert site.get()[0] == 401
    site.file.unlink()
    assert site.get()[0] == 401
    assert site.policy.reading.problems == (
        f"{site.file}: the file cannot be read: No such file or directory",
    )
    assert site.get(headers={"Authorization": basic("alice", "opensesame")})[0] == 200


def test_known_and_unknown_names_cost_the_same() -> None:
    """An unknown name is checked against a hash as well, once, and each time the same: no clock tells it."""
    known, unknown = Counting(), Counting()
    assert ask(BasicAuth(known), basic("alice", "wrong")) == [False]
    doorman = BasicAuth(unknown)
    assert ask(doorman, basic("mallory", "wrong")) == [False]
    assert len(known.asked) == len(unknown.asked) == 1
    assert unknown.asked[0][0] == b"wrong"
    assert ask(doorman, basic("mallory", "again")) == [False]
    assert unknown.costs[0] == unknown.costs[1]


def test_unknown_names_cost_what_users_cost() -> None:
    """Where costs differ, the names that nobody has are spread over the costs that somebody has."""
    check = Counting()
    doorman = BasicAuth(check)
    for number in range(60):
        ask(doorman, basic(f"user{number}", "x"))
    assert set(check.costs) == {4, 5, 6}


def test_a_stand_in_hash_lets_nobody_in() -> None:
    """The right password of somebody with a name that nobody has does not open, now or from memory."""
    doorman = BasicAuth()
    only = {"alice": USERS["alice"]}
    header = basic("mallory", "opensesame")
    assert ask(doorman, header, header, users=only) == [False, False]
    assert ask(doorman, header, users=only) == [False]


def test_results_are_remembered_and_not_confused() -> None:
    """The same question is not worked on twice; a:bc is not ab:c."""
    check = Counting()
    doorman = BasicAuth(check)
    users = {"a": Secret(hashed("bc")), "ab": Secret(hashed("x"))}
    assert ask(doorman, basic("a", "bc"), users=users) == [True]
    assert ask(doorman, basic("a", "bc"), basic("ab", "c"), users=users) == [True, False]
    assert len(check.asked) == 2


def test_memory_is_bounded() -> None:
    """However many passwords are tried, only the last results are kept."""
    doorman = BasicAuth(lambda password, hash_: False)
    for number in range(REMEMBERED + 50):
        ask(doorman, basic("alice", str(number)))
    assert len(doorman._known) <= REMEMBERED


def test_one_at_a_time_and_off_the_loop() -> None:
    """Passwords are checked one after another on other threads; who comes when the line is full is told."""
    check = Counting()
    results = ask(BasicAuth(check), *(basic("alice", str(number)) for number in range(LINE + 5)))
    assert check.most_at_once == 1
    assert "MainThread" not in check.threads
    assert sum(isinstance(result, QueueFull) for result in results) == 5
    assert results.count(False) == LINE


def test_a_known_user_passes_those_who_wait(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """While wrong passwords queue up, who was let in before is let in at once."""
    check = Counting()
    monkeypatch.setattr("pf_exporter.server.middleware.Doorman", lambda: BasicAuth(check))
    site = serve(FILE)
    right = basic("alice", "opensesame")
    assert site.get(headers={"Authorization": right})[0] == 200
    check.go.clear()
    waiting = [
        threading.Thread(target=site.get, kwargs={"headers": {"Authorization": basic("alice", str(number))}})
        for number in range(5)
    ]
    for thread in waiting:
        thread.start()
    until(lambda: check.at_once == 1, "a password that is being checked")
    assert site.get(headers={"Authorization": right})[0] == 200
    check.go.set()
    for thread in waiting:
        thread.join(10)


def test_a_crowd_is_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the line full gets 503 at once, whatever the password."""
    check = Counting()
    check.go.clear()
    monkeypatch.setattr("pf_exporter.server.middleware.Doorman", lambda: BasicAuth(check))
    monkeypatch.setattr("pf_exporter.server.basic_auth.LINE", 1)
    site = serve(FILE)
    waiting = threading.Thread(target=site.get, kwargs={"headers": {"Authorization": basic("alice", "x")}})
    waiting.start()
    until(lambda: check.at_once == 1, "a password that is being checked")
    status, _, body = site.get(headers={"Authorization": basic("alice", "y")})
    check.go.set()
    waiting.join(10)
    assert (status, body) == (503, "Too many passwords to check, try again later.\n")


@pytest.mark.parametrize(
    ("header", "found"),
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
def test_credentials(header: str, found: tuple[str, bytes] | None) -> None:
    """Names are UTF-8 and end at the first colon, passwords are any bytes."""
    assert credentials(header) == found


def test_long_passwords() -> None:
    """bcrypt looks at 72 bytes; a longer password is not an error."""
    long = "p" * 72
    users = {"a": Secret(hashed(long))}
    assert ask(BasicAuth(), basic("a", long + "q"), basic("a", "p" * 71), users=users) == [True, False]
