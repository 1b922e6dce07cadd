"""``pf-exporter backfill`` as a user has it."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGINT
from urllib.request import urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pf_exporter.recording.format import Record, encode, encode_header
from pf_exporter.simulator import Simulator
from tests.backfill.sites import CONNECTIONS, backfill, exporter_of, minute_ago, small_network, streamed
from tests.conftest import FIXTURES, Program, until
from tests.fakes import SILENCE, Answer, Fake, answer, event

LABELS = ("--label=job=j", "--label=instance=i")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with small_network() as running:
        yield running


def samples(path: Path) -> dict[frozenset[tuple[str, str]], dict[float, float]]:
    """Return the values by time of every series of a file, which a strict parser accepts."""
    found: dict[frozenset[tuple[str, str]], dict[float, float]] = {}
    families = text_string_to_metric_families(path.read_text())
    for family in families:
        for sample in family.samples:
            series = found.setdefault(frozenset((*sample.labels.items(), ("__name__", sample.name))), {})
            at = float(sample.timestamp)
            assert not series or max(series) < at
            series[at] = sample.value
    return found


def of(found: dict[frozenset[tuple[str, str]], dict[float, float]], name: str) -> list[dict[str, str]]:
    """Return the label sets of a family."""
    return [dict(series) for series in found if ("__name__", name) in series]


def test_file(simulator: Simulator, tmp_path: Path) -> None:
    """The file holds a sample for each minute, with the labels given and the values that are streamed."""
    file = tmp_path / "history.om"
    done = backfill(simulator, str(file), "--since=4h", *LABELS)
    found = samples(file)
    count = sum(map(len, found.values()))
    assert done == (
        0,
        f"{count:,} samples of {len(found)} series in {file};"
        f" load them with: promtool tsdb create-blocks-from openmetrics {file} DATA_DIRECTORY\n",
        "",
    )
    at = minute_ago(3.5)
    expected = streamed(simulator.network, at)
    for series, values in found.items():
        labels = series - {("job", "j"), ("instance", "i")}
        assert len(labels) == len(series) - 2
        if "cloud_circuit_id" not in dict(series):
            assert values[at] == pytest.approx(expected[labels])
        assert max(values) <= time.time() - 3 * 3600
        assert 59 <= len(values) <= 61
    assert list(tmp_path.iterdir()) == [file]


def test_circuits_and_recent(simulator: Simulator, tmp_path: Path) -> None:
    """Only circuits or ports that match a pattern are read; --recent includes the last three hours."""
    file = tmp_path / "history.om"
    port = simulator.network.ports[0].circuit_id
    assert backfill(simulator, str(file), "--since=10m", "--recent", f"--circuit={port[:-1]}?").code == 0
    found = samples(file)
    assert {dict(series)["port_circuit_id"] for series in found} >= {port}
    others = {dict(series).get("port_circuit_id", "")[:-1] for series in found} - {port[:-1]}
    assert others == set()
    assert max(max(values) for values in found.values()) > time.time() - 600


def test_gaps(simulator: Simulator, tmp_path: Path) -> None:
    """With --gaps only the gaps of a running exporter are filled."""
    file = tmp_path / "history.om"
    with exporter_of(simulator) as exporter:
        (pipeline,) = exporter.pipelines
        url = f"http://{exporter.server.addresses[0]}"
        until(lambda: pipeline.stats.gaps.records(), "the exporter's first gap")
        start = minute_ago(5)
        pipeline.stats.gaps.add(start, start + 300)
        with urlopen(f"{url}/-/gaps", timeout=60) as page:
            assert json.load(page)["default"][1] == {"start": start, "end": start + 300}
        done = backfill(simulator, str(file), "--since=1d", "--gaps", f"--exporter={url}")
        none = backfill(simulator, f"{tmp_path}/none", "--since=4h", "--gaps", f"--exporter={url}")
    assert none.code == 6
    assert none.err.startswith("pf-exporter: nothing to write: no gap that contains a whole minute between")
    assert none.err.endswith("; the last three hours are left out, --recent includes them\n")
    assert done.code == 0
    times = {at for values in samples(file).values() for at in values}
    assert times == {start + 60 * minute for minute in range(5)}


def test_recording(simulator: Simulator, tmp_path: Path) -> None:
    """A recording gives counters, too; times, units and labels are those of the exporter."""
    recording, file = tmp_path / "streams", tmp_path / "history.om"
    at = time.time() - 7200
    data = {"port_circuit_id": "PF-AP-1", "bytes_rx_total": 5, "bytes_rx_bps": 800, "vlan": 1}
    frames = []
    for second in (0, 60, 60):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at + second))
        frames.append(event("port|metrics", {**data, "timestamp": stamp}))
    frames += [event("port|metrics", {"bytes_rx_total": 5}), event("customer|auth", {}), b": heartbeat\n\n"]
    lines = [encode_header(at, redacted=False), *(encode(Record(at, "east", frame)) for frame in frames)]
    recording.write_bytes(b"".join(lines))
    done = backfill(simulator, str(file), f"--recording={recording}", "--recent", "--since=1d")
    assert done.out.startswith("4 samples of 2 series"), done
    found = samples(file)
    labels = {"account": "east", "port_circuit_id": "PF-AP-1"}
    for name, value in (("bytes_total", 5), ("bytes_per_second", 100)):
        (series,) = of(found, f"packetfabric_port_receive_{name}")
        assert series.items() >= labels.items()
        assert found[frozenset(series.items())] == {int(at): value, int(at) + 60: value}


def test_continues(simulator: Simulator, tmp_path: Path, program: Callable[..., Program]) -> None:
    """After Ctrl-C the same command continues, and the file is that of a command without interruption."""
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minute_ago(hours))) for hours in (5, 4))
    file, whole = tmp_path / "history.om", tmp_path / "whole.om"
    arguments = ("backfill", str(file), f"--since={start}", f"--until={end}", "--log.level=error")
    environment = {"PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key}
    first = program(*arguments, "--requests-per-minute=60", env=environment)
    state = tmp_path / "history.om.partial"

    def done() -> int:
        try:
            with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as database:
                return int(database.execute("SELECT count(*) FROM done").fetchone()[0])
        except sqlite3.Error:
            return 0

    until(lambda: done() >= 3, "some requests")
    first.send_signal(SIGINT)
    assert first.end() == 1
    assert re.fullmatch(
        r"pf-exporter: interrupted after \d+ of \d+ requests; the same command continues", first.output
    )
    assert not file.exists()
    other = program(*arguments, "--circuit=x", env=environment)
    assert other.end() == 2
    assert "belongs to another backfill" in other.output
    before = done()
    second = program(*arguments, "--requests-per-minute=100000", env=environment)
    assert second.end() == 0
    assert before >= 3
    flags = (*arguments[2:], "--requests-per-minute=100000")
    assert program("backfill", str(whole), *flags, env=environment).end() == 0
    assert file.read_text() == whole.read_text()


def test_interrupted_while_it_reads_the_lists(tmp_path: Path, program: Callable[..., Program]) -> None:
    """Ctrl-C before the circuits are known, and so the number of requests, is reported without one."""
    with Fake() as fake:
        fake.script["/v2/ports"] = [Answer(body=(SILENCE,), framing="chunked")]
        command = program("backfill", str(tmp_path / "x"), env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
        fake.wait_for(lambda: fake.of("/v2/ports"))
        command.send_signal(SIGINT)
        assert command.end() == 1
    assert command.lines == [
        "pf-exporter: interrupted before reading any samples; the same command continues"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("{folder}",), "{folder}: the file exists; give the name of a new one"),
        (("http://u:p@h",), "OUTPUT: expected a URL such as http://127.0.0.1:8428, without a password"),
        (("x", "--gaps"), "--gaps: needs --exporter"),
        (("x", "--user=u"), "--user: needs --exporter"),
        (
            ("x", "--since=soon"),
            "--since: expected a time such as 2026-01-31T12:00:00Z, or a duration such as 24h",
        ),
        (
            ("x", "--since=2h"),
            "--since: no time between --since and --until; the last three hours are left out,"
            " --recent includes them",
        ),
        (("x", "--label=1=2"), "--label: expected a label, such as job=packetfabric"),
        (
            ("x", "--recording={fixtures}/recording.gz"),
            "{fixtures}/recording.gz: the recording is redacted: its circuit IDs are pseudonyms;"
            " record with --no-record.redact",
        ),
    ],
)
def test_problems(simulator: Simulator, tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    """A mistake is one line and exit code 2."""
    places = {"folder": tmp_path, "fixtures": FIXTURES}
    state = f"--state={tmp_path}/state"
    done = backfill(simulator, *(word.format(**places) for word in arguments), state)
    assert (done.code, done.out, done.err) == (2, "", f"pf-exporter: {problem.format(**places)}\n")


def test_refused_and_empty(tmp_path: Path, program: Callable[..., Program]) -> None:
    """Histories that the API refuses are left out; without any sample there is no file."""
    with Fake() as fake:
        fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}, {"port_circuit_id": "../../odd"}]
        fake.script["/v2/metrics/ifd/rate/bps/PF-AP-1"] = [answer(403, {})]
        environment = {"PF_HOST": fake.url, "PF_TOKEN": "key"}
        flags = ("--since=4h", "--requests-per-minute=100000", "--log.level=error", CONNECTIONS)
        command = program("backfill", str(tmp_path / "x"), *flags, env=environment)
        assert command.end() == 6
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    expected = f"nothing to write: no samples between {moment} and {moment}; 3 requests were refused"
    assert re.fullmatch(f"pf-exporter: {expected}", command.output)
    assert list(tmp_path.iterdir()) == []


def test_login_ends(tmp_path: Path, program: Callable[..., Program]) -> None:
    """A session that the command has begun with a password is logged out at the end."""
    with Fake() as fake:
        environment = {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password"}
        command = program("backfill", str(tmp_path / "x"), env=environment)
        assert command.end() == 6
        assert [request.phase for request in fake.requests] == [
            "login",
            "/v2/ports",
            "/v2/services",
            "logout",
        ]


def test_unreachable(tmp_path: Path, program: Callable[..., Program]) -> None:
    """Credentials that are refused, and an exporter that does not run, have the exit codes of check."""
    with Fake() as fake:
        environment = {"PF_HOST": fake.url, "PF_TOKEN": "wrong"}
        command = program("backfill", str(tmp_path / "x"), "--log.level=error", env=environment)
        assert command.end() == 4
        assert "HTTP 401" in command.output
        environment = {"PF_HOST": fake.url, "PF_TOKEN": "key"}
        flags = ("--exporter=http://127.0.0.1:9", "--log.level=error")
        command = program("backfill", str(tmp_path / "x"), *flags, env=environment)
        assert command.end() == 3
        assert "is the exporter running?" in command.output
