"""The command ``pf-exporter check`` with its golden output, also as a process."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.responses import PlainTextResponse

from pf_exporter.cli import main
from pf_exporter.server import HEALTHY
from pf_exporter.simulator import Options, Simulator
from tests.conftest import LogFile, Program, process_environment
from tests.fakes import SILENCE, STREAM, Answer, Fake, answer, certificate, dead_url, event
from tests.server.conftest import Serve


class Checked(NamedTuple):
    """The exit code of a check, and what it printed."""

    code: int
    output: str


Start = Callable[..., Program]
Check = Callable[..., Checked]
Golden = Callable[[str, str], None]

FREE = "--web.listen-address=127.0.0.1:0"
METRICS = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.events.append(event("port|metrics", METRICS))
        server.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}]
        yield server


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, log_file: LogFile) -> Check:
    """Runs the command in this process, with only the given settings in its environment."""
    for name in [name for name in os.environ if name.startswith("PF_")]:
        monkeypatch.delenv(name)

    def run(*flags: str, env: dict[str, str] | None = None) -> Checked:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        code = main(["check", *flags])
        return Checked(code, "".join(capfd.readouterr()).rstrip("\n"))

    return run


def env(fake: Fake, **more: str) -> dict[str, str]:
    return {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password", **more}


def tidy(output: str) -> str:
    """The output without the parts that differ between runs."""
    output = re.sub(r"[ \d]\d\.\d\d s  ", " N.NN s  ", output)
    output = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", output)
    output = re.sub(r"after \d+\.\d s", "after N.N s", output)
    output = re.sub(r"\b[0-9a-f]{8}…", "UUID…", output)
    output = re.sub(r"\d+ s (ahead|behind)", r"N s \1", output)
    output = re.sub(r"/\S+/(?=\w+\.\w+)", "…/", output)
    # The simulated users change something now and then.
    output = re.sub(r", customer\|\w+ \d+|\bcustomer\|\w+ \d+, ", "", output)
    return re.sub(r"(port\||vc\|)(\w+) \d+", r"\1\2 N", output) + "\n"


def checked(check: Check, golden: Golden, name: str, code: int, env: dict[str, str], *flags: str) -> Checked:
    done = check(FREE, "--within=1s", *flags, env=env)
    assert done.code == code, done.output
    golden(f"check/{name}.txt", tidy(done.output))
    return done


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
def test_simulated(check: Check, golden: Golden, name: str, code: int, faults: list[str]) -> None:
    """On a simulated PacketFabric, with or without a fault: each step, its remedy, and the exit code."""
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2, faults=tuple(faults))) as simulator:
        account = {"PF_HOST": simulator.url, "PF_USER": simulator.login, "PF_PASSWORD": simulator.password}
        checked(check, golden, name, code, account)


def test_wrong_password(check: Check, golden: Golden) -> None:
    """A wrong password gives exit code 4, and is not printed."""
    with Simulator(Options(listen_address="127.0.0.1:0")) as simulator:
        account = {"PF_HOST": simulator.url, "PF_USER": simulator.login, "PF_PASSWORD": "canary"}
        done = checked(check, golden, "wrong-password", 4, account)
    assert "canary" not in done.output


def test_wrong_key(check: Check, golden: Golden, fake: Fake) -> None:
    """A wrong key fails at the first request that needs it."""
    checked(check, golden, "wrong-key", 4, {"PF_HOST": fake.url, "PF_TOKEN": "canary"})


def test_nothing_is_left_behind(check: Check, fake: Fake) -> None:
    """After a check there is no session, stream, subscription or connection."""
    assert check(FREE, "--within=1s", env=env(fake)).code == 0
    fake.wait_for(lambda: not fake.connections)
    assert fake.sessions == {"key"}
    assert (fake.subscriptions, fake.streams) == ({}, [])


def test_interrupt(program: Start, fake: Fake) -> None:
    """Ctrl-C ends a check with one line and exit code 1, and logs out."""
    fake.script["open"] = [STREAM.but(body=(SILENCE,))]
    process = program("check", FREE, env=env(fake))
    fake.wait_for(lambda: fake.of("open"))
    process.send_signal(signal.SIGINT)
    assert process.end() == 1
    assert process.lines[-1] == "pf-exporter: interrupted"
    assert "Traceback" not in process.output
    assert len(fake.of("logout")) == 1


def test_a_key(check: Check, golden: Golden, fake: Fake) -> None:
    """With a key there is no logout."""
    checked(check, golden, "key", 0, {"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert fake.of("logout") == []


def test_no_byte(check: Check, golden: Golden, fake: Fake) -> None:
    """A stream without a byte in time gives exit code 6."""
    fake.script["open"] = [STREAM.but(body=(SILENCE,))]
    checked(check, golden, "no-data", 6, env(fake))


def test_heartbeats_only(check: Check, golden: Golden, fake: Fake) -> None:
    """A stream with heartbeats but no event is noted, and is not a failure."""
    fake.events.clear()
    checked(check, golden, "heartbeats", 0, env(fake))


def test_unknown_events_and_fields(check: Check, golden: Golden, fake: Fake) -> None:
    """Undocumented events and fields are listed, without their values."""
    fake.events += [
        event("port|weather", {"rain": 3}),
        event("port|metrics", {**METRICS, "port_circuit_id": "PF-AP-2", "who": "canary", "jitter_ms": 1.5}),
    ]
    done = checked(check, golden, "new", 0, env(fake))
    assert "canary" not in done.output


def test_rejected_events(check: Check, golden: Golden, fake: Fake) -> None:
    """Events that cannot be decoded are counted, with a remedy."""
    fake.events.append(b"event: port|metrics\ndata: {\n\n")
    checked(check, golden, "unusable", 0, env(fake))


def test_clock(check: Check, golden: Golden, fake: Fake) -> None:
    """A clock that is wrong by an hour gives exit code 7, and the other steps still run."""
    fake.script["/v2/events"] = [answer(401, {}, Date=formatdate(time.time() - 3600, usegmt=True))]
    done = checked(check, golden, "clock", 7, env(fake))
    assert re.search(r": 36\d\d s ahead of the API's", done.output)  # one hour, and the seconds of the check


@pytest.fixture
def taken() -> Iterator[str]:
    """The flag with an address that another program uses, but does not answer on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield f"--web.listen-address=127.0.0.1:{server.getsockname()[1]}"


def test_address_in_use(check: Check, golden: Golden, fake: Fake, taken: str) -> None:
    """A listen address in use gives exit code 8, after all other steps."""
    checked(check, golden, "listen", 8, env(fake), taken)


def test_an_address_in_use_hides_no_other_failure(check: Check, taken: str) -> None:
    """If another check fails as well, its exit code is given."""
    done = check(taken, env={"PF_HOST": dead_url(), "PF_TOKEN": "x"})
    assert done.code == 3
    assert "Address already in use" in done.output


def test_a_running_exporter(check: Check, serve: Serve, fake: Fake) -> None:
    """An address that a healthy exporter uses is noted, and is not a failure."""
    address = serve(app=PlainTextResponse(f"{HEALTHY}\n")).address
    done = check(f"--web.listen-address={address}", "--within=1s", env=env(fake))
    assert done.code == 0
    assert f"{address}: in use by a healthy exporter" in done.output


def test_a_circuit_of_another_account(check: Check, fake: Fake, tmp_path: Path) -> None:
    """A selected circuit that the account does not have is named."""
    file = tmp_path / "pf.yml"
    ids = "PF-AP-LAX1-1, PF-AP-LAX1-9"
    file.write_text(
        f"accounts: [{{api_url: '{fake.url}', token: key, streams: [{{type: port, ifds: [{ids}]}}]}}]\n"
    )
    file.chmod(0o600)
    fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-LAX1-1-PF"}]
    done = check(FREE, f"--config.file={file}", "--within=1s")
    assert done.code == 0
    assert "expected series: at most 78; not in this account: PF-AP-LAX1-9\n" in done.output


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_closed_pipe(fake: Fake, flags: list[str]) -> None:
    """If standard output is closed, the check still runs and gives its exit code, without an error."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "pf_exporter", "check", FREE, "--within=1s", *flags]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            command, env=process_environment(**env(fake)), stdout=closed, stderr=subprocess.PIPE, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk(fake: Fake) -> None:
    """A result that cannot be written is one line on standard error, and exit code 1."""
    command = [sys.executable, "-m", "pf_exporter", "check", FREE, "--within=1s", "--json"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, env=process_environment(**env(fake)), stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == b"pf-exporter: cannot write to standard output: No space left on device\n"


def test_connection_refused(program: Start, golden: Golden) -> None:
    """Without a server the exit code of the process is 3."""
    process = program("check", FREE, "--within=1s", env={"PF_HOST": dead_url(), "PF_TOKEN": "x"})
    assert process.end() == 3
    golden("check/refused.txt", tidy(process.output))


def test_no_such_name(check: Check, golden: Golden) -> None:
    """A name that does not resolve gives exit code 3; RFC 6761 reserves .invalid for this."""
    done = check(FREE, env={"PF_HOST": "https://no-such-host.invalid", "PF_TOKEN": "x"})
    assert done.code == 3
    # The reason comes from the resolver, and depends on the network.
    golden("check/name.txt", tidy(re.sub(r"(no-such-host\.invalid: ).*", r"\1REASON", done.output)))


def test_untrusted_certificate(check: Check, golden: Golden, tmp_path: Path) -> None:
    """An untrusted certificate gives exit code 3, before any request is sent."""
    context: ssl.SSLContext = certificate(tmp_path)[1]
    with Fake(tls=context) as fake:
        checked(check, golden, "untrusted", 3, env(fake))
        assert fake.requests == []


def test_bad_configuration(check: Check, golden: Golden, tmp_path: Path) -> None:
    """Every problem of the file is a line, the exit code is 2, and no step runs."""
    file = tmp_path / "pf.yml"
    file.write_text("accounts: [{token: x, tokn: y}]\nseries: {ttl: soon}\n")
    file.chmod(0o600)
    checked(check, golden, "configuration", 2, {}, f"--config.file={file}")


def test_json(program: Start, fake: Fake) -> None:
    """--json prints one object with the steps, their times and the exit code."""
    process = program("check", FREE, "--within=1s", "--json", env=env(fake))
    assert process.end() == 0
    report = json.loads(process.output)
    assert (report["ok"], report["exit_code"]) == (True, 0)
    names = [step["name"] for step in report["steps"]]
    assert names[:2] == ["configuration", "secrets"]
    assert names[-2:] == ["logout", "listen"]
    assert {step["status"] for step in report["steps"]} <= {"ok", "warning"}
    assert sum(step["seconds"] for step in report["steps"]) > 0


def test_several_accounts(check: Check, golden: Golden, tmp_path: Path, fake: Fake) -> None:
    """Every account is checked; the first failure determines the exit code."""
    fake.script["login"] = [Answer(401), answer(200, {"token": "key"})]
    account = f"api_url: '{fake.url}', login: user, password: password"
    file = tmp_path / "pf.yml"
    file.write_text(f"accounts: [{{name: east, {account}}}, {{name: west, {account}}}]\n")
    file.chmod(0o600)
    checked(check, golden, "several", 4, {}, f"--config.file={file}")


@pytest.mark.parametrize("kind", ["cumulative", "delta"])
def test_learning(check: Check, golden: Golden, fake: Fake, kind: str) -> None:
    """--learn reports whether counts are cumulative or deltas, the evidence, and which setting to change."""
    fake.events.clear()
    stamp = itertools.count(1_632_342_870)
    total = 0
    for number in range(60):
        increment = number * 7 % 10 + 1
        total += increment
        data = {"port_circuit_id": "PF-AP-1", "rx_runt": total if kind == "cumulative" else increment}
        moment = datetime.fromtimestamp(next(stamp), timezone.utc).isoformat()
        fake.events.append(event("port|errors", {**data, "timestamp": moment}))
    checked(check, golden, f"learn-{kind}", 0, env(fake), "--learn=1500ms")
