"""``pf-exporter check`` as a user has it, in good states and bad ones."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from pf_exporter.simulator import Options, Simulator
from pf_exporter.web import HEALTHY
from tests.conftest import Program
from tests.fakes import SILENCE, STREAM, Answer, Fake, answer, certificate, dead_url, event
from tests.server.conftest import Serve

Start = Callable[..., Program]
Golden = Callable[[str, str], None]

FREE = "--web.listen-address=127.0.0.1:0"
METRICS = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.events.append(event("port|metrics", METRICS))
        server.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}]
        yield server


def env(fake: Fake, **more: str) -> dict[str, str]:
    return {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password", **more}


def tidy(output: str) -> str:
    """The output without what differs from run to run."""
    output = re.sub(r"\d\.\d\d s  ", "N.NN s  ", output)
    output = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", output)
    output = re.sub(r"after \d+\.\d s", "after N.N s", output)
    output = re.sub(r"\b[0-9a-f]{8}…", "UUID…", output)
    output = re.sub(r"\d+ s (ahead|behind)", r"N s \1", output)
    output = re.sub(r"/\S+/(?=\w+\.\w+)", "…/", output)
    output = re.sub(r", customer\|\w+ \d+", "", output)  # somebody changes something now and then
    return re.sub(r"(port\||vc\|)(\w+) \d+", r"\1\2 N", output) + "\n"


def checked(
    program: Start, golden: Golden, name: str, code: int, env: dict[str, str], *flags: str
) -> Program:
    one = program("check", FREE, "--within=1s", *flags, env=env)
    assert one.end() == code, one.output
    golden(f"check/{name}.txt", tidy(one.output))
    return one


@pytest.mark.parametrize(
    ("name", "code", "faults"),
    [
        ("good", 0, []),
        ("mfa", 4, ["login-mfa"]),
        ("eula", 4, ["login-eula"]),
        ("login-500", 3, ["login-500"]),
        ("login-429", 3, ["login-429"]),
        ("no-permission", 5, ["subscribe-403"]),
        ("subscribe-empty", 5, ["subscribe-empty"]),
        ("inventory-500", 3, ["inventory-500"]),
        ("stream-404", 5, ["stream-404"]),
        ("stream-html", 5, ["stream-html"]),
    ],
)
def test_simulated(program: Start, golden: Golden, name: str, code: int, faults: list[str]) -> None:
    """On a simulated PacketFabric, well or at fault: each step, what to do, the exit code of its class."""
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2, faults=tuple(faults))) as simulator:
        account = {"PF_HOST": simulator.url, "PF_USER": simulator.login, "PF_PASSWORD": simulator.password}
        checked(program, golden, name, code, account)


def test_wrong_password(program: Start, golden: Golden) -> None:
    """A password that is refused: exit code 4, and the password nowhere."""
    with Simulator(Options(listen_address="127.0.0.1:0")) as simulator:
        account = {"PF_HOST": simulator.url, "PF_USER": simulator.login, "PF_PASSWORD": "canary"}
        one = checked(program, golden, "wrong-password", 4, account)
    assert "canary" not in one.output


def test_wrong_key(program: Start, golden: Golden, fake: Fake) -> None:
    """A key that is refused is found by the first request that needs it."""
    checked(program, golden, "wrong-key", 4, {"PF_HOST": fake.url, "PF_TOKEN": "canary"})


def test_nothing_is_left_behind(program: Start, fake: Fake) -> None:
    """After a check its session is ended, and no stream, bundle or connection is there any more."""
    assert program("check", FREE, "--within=1s", env=env(fake)).end() == 0
    fake.wait_for(lambda: not fake.connections)
    assert fake.sessions == {"key"}
    assert (fake.bundles, fake.streams) == ({}, [])


def test_a_key(program: Start, golden: Golden, fake: Fake) -> None:
    """A key is never logged out."""
    checked(program, golden, "key", 0, {"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert fake.of("logout") == []


def test_no_byte(program: Start, golden: Golden, fake: Fake) -> None:
    """A stream that says nothing within the bound: exit code 6."""
    fake.script["open"] = [STREAM.but(body=(SILENCE,))]
    checked(program, golden, "silence", 6, env(fake))


def test_heartbeats_only(program: Start, golden: Golden, fake: Fake) -> None:
    """Heartbeats prove the stream; that no event came is said, and is no failure."""
    fake.events.clear()
    checked(program, golden, "heartbeats", 0, env(fake))


def test_what_is_new(program: Start, golden: Golden, fake: Fake) -> None:
    """Events and fields that nobody documented are listed, without a word of their text."""
    fake.events += [
        event("port|weather", {"rain": 3}),
        event("port|metrics", {**METRICS, "port_circuit_id": "PF-AP-2", "who": "canary", "jitter_ms": 1.5}),
    ]
    one = checked(program, golden, "new", 0, env(fake))
    assert "canary" not in one.output


def test_unusable_events(program: Start, golden: Golden, fake: Fake) -> None:
    """Events that cannot be used are counted, with what to do about them."""
    fake.events.append(b"event: port|metrics\ndata: {\n\n")
    checked(program, golden, "unusable", 0, env(fake))


def test_clock(program: Start, golden: Golden, fake: Fake) -> None:
    """A clock that is off by an hour: exit code 7, and the other steps are tried all the same."""
    fake.script["/v2/events"] = [answer(401, {}, Date=formatdate(time.time() - 3600, usegmt=True))]
    one = checked(program, golden, "clock", 7, env(fake))
    assert re.search(r": 36\d\d s ahead of the API's", one.output)  # as long as it takes


def test_port_taken(program: Start, golden: Golden, fake: Fake) -> None:
    """A listen address that is taken: exit code 8, and the other steps are tried all the same."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"
        checked(program, golden, "taken", 8, env(fake), address)


def test_a_taken_port_hides_nothing(program: Start) -> None:
    """Where the exporter runs already, its address is taken; the exit code is that of another failure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"
        one = program("check", address, env={"PF_HOST": dead_url(), "PF_TOKEN": "x"})
        assert one.end() == 3
    assert "Address already in use" in one.output


def test_an_exporter_listens_already(program: Start, serve: Serve, fake: Fake) -> None:
    """Where the exporter itself runs on the address, that is noted, and no failure."""
    address = serve(app=PlainTextResponse(f"{HEALTHY}\n")).address
    one = program("check", f"--web.listen-address={address}", "--within=1s", env=env(fake))
    assert one.end() == 0
    assert f"{address}: in use by a healthy exporter" in one.output


def test_a_circuit_of_somebody_else(program: Start, fake: Fake, tmp_path: Path) -> None:
    """What is chosen and in none of the account's lists is named: nothing would come of it."""
    file = tmp_path / "pf.yml"
    ids = "PF-AP-LAX1-1, PF-AP-LAX1-9"
    file.write_text(
        f"accounts: [{{api_url: '{fake.url}', token: key, streams: [{{type: port, ifds: [{ids}]}}]}}]\n"
    )
    file.chmod(0o600)
    fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-LAX1-1-PF"}]
    one = program("check", FREE, f"--config.file={file}", "--within=1s")
    assert one.end() == 0
    assert "expected series: at most 78; not in this account: PF-AP-LAX1-9\n" in one.output


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_nobody_reads(fake: Fake, flags: list[str]) -> None:
    """Where the pipe is closed the check goes on in silence, and its exit code is what it found."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "pf_exporter", "check", FREE, "--within=1s", *flags]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            command, env={**os.environ, **env(fake)}, stdout=closed, stderr=subprocess.PIPE, timeout=30
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_disk_that_is_full(fake: Fake) -> None:
    """What cannot be written is one line on standard error, and exit code 1: nobody has the answer."""
    command = [sys.executable, "-m", "pf_exporter", "check", FREE, "--within=1s", "--json"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, env={**os.environ, **env(fake)}, stdout=full, stderr=subprocess.PIPE, timeout=30
        )
    assert done.returncode == 1
    assert done.stderr == b"pf-exporter: cannot write to standard output: No space left on device\n"


def test_nobody_there(program: Start, golden: Golden) -> None:
    """A server that is not there: exit code 3."""
    checked(program, golden, "refused", 3, {"PF_HOST": dead_url(), "PF_TOKEN": "x"})


def test_no_such_name(program: Start, golden: Golden) -> None:
    """A name that does not resolve: exit code 3. (RFC 6761 keeps .invalid for this.)"""
    one = program("check", FREE, env={"PF_HOST": "https://nobody.invalid", "PF_TOKEN": "x"})
    assert one.end() == 3
    # The words of the reason are the resolver's, and differ with whether there is a network.
    golden("check/name.txt", tidy(re.sub(r"(nobody\.invalid: ).*", r"\1REASON", one.output)))


def test_untrusted(program: Start, golden: Golden, tmp_path: Path) -> None:
    """A certificate that nobody vouches for: exit code 3, before any secret is sent."""
    context: ssl.SSLContext = certificate(tmp_path)[1]
    with Fake(tls=context) as fake:
        checked(program, golden, "untrusted", 3, env(fake))
        assert fake.requests == []


def test_bad_configuration(program: Start, golden: Golden, tmp_path: Path) -> None:
    """Every mistake of a file is a line: exit code 2, and nothing is tried."""
    file = tmp_path / "pf.yml"
    file.write_text("accounts: [{token: x, tokn: y}]\nseries: {ttl: soon}\n")
    file.chmod(0o600)
    checked(program, golden, "configuration", 2, {}, f"--config.file={file}")


def test_json(program: Start, fake: Fake) -> None:
    """--json is one object with the steps, their times and the exit code."""
    one = program("check", FREE, "--within=1s", "--json", env=env(fake))
    assert one.end() == 0
    said = json.loads(one.output)
    assert (said["ok"], said["exit_code"]) == (True, 0)
    names = [step["name"] for step in said["steps"]]
    assert names[:2] == ["configuration", "secrets"]
    assert names[-2:] == ["logout", "listen"]
    assert all(step["seconds"] >= 0 and step["state"] in ("good", "note") for step in said["steps"])


def test_several_accounts(program: Start, golden: Golden, tmp_path: Path, fake: Fake) -> None:
    """One account that fails does not keep the next from being tried; the first failure gives the code."""
    fake.script["login"] = [Answer(401), answer(200, {"token": "key"})]
    account = f"api_url: '{fake.url}', login: user, password: password"
    file = tmp_path / "pf.yml"
    file.write_text(f"accounts: [{{name: east, {account}}}, {{name: west, {account}}}]\n")
    file.chmod(0o600)
    checked(program, golden, "several", 4, {}, f"--config.file={file}")


@pytest.mark.parametrize("kind", ["cumulative", "delta"])
def test_learning(program: Start, golden: Golden, fake: Fake, kind: str) -> None:
    """--learn says whether counts are totals or differences, why, and which setting does not fit."""
    fake.events.clear()
    stamp = itertools.count(1_632_342_870)
    total = 0
    for number in range(60):
        increment = number * 7 % 10 + 1
        total += increment
        data = {"port_circuit_id": "PF-AP-1", "rx_runt": total if kind == "cumulative" else increment}
        moment = datetime.fromtimestamp(next(stamp), timezone.utc).isoformat()
        fake.events.append(event("port|errors", {**data, "timestamp": moment}))
    checked(program, golden, f"learn-{kind}", 0, env(fake), "--learn=1500ms")
