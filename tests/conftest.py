"""Fixtures and helpers of all tests."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.resources
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from pf_exporter.log.handler import LogHandler, configure_logging
from tests.programs import version_problem
from tests.yaml_loader import load_yaml

FIXTURES = Path(__file__).parent / "fixtures"
NEW_ENOUGH = sys.version_info >= (3, 11)
NOT_NEW_ENOUGH = "the package that it compares with requires Python 3.11"
"""The only reason to skip a test, on Python 3.10; elsewhere a missing package is an error."""

PATIENCE = 60.0
"""Seconds that a test waits for something that should come at once. They cost nothing unless it does not
come, and a busy machine may let a process pause for several seconds."""

# Examples may take any time. CI tries the same examples in each run, the nightly workflow others.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, database=None)
settings.register_profile("nightly", settings.get_profile("local"), max_examples=500, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

SLOW_MODULES = (
    "rules/test_incidents.py",
    "rules/test_rules.py",
    "web/test_browser.py",
    "commands/test_top.py",
    "release/test_dist.py",
    "commands/test_tail.py",
    "stream/test_backlog.py",
    "test_cli.py",
    "commands/test_check.py",
    "web/test_memory.py",
    "backfill/test_command.py",
    "inventory/test_poller.py",
    "test_benchmarks.py",
    "test_mutants.py",
    "grafana/test_dashboards.py",
    "test_prometheus.py",
    "test_matrix.py",
    "deploy/test_compose.py",
    "packetfabric/test_sse.py",
    "test_architecture.py",
    "rules/test_alertmanager.py",
    "server/test_connections.py",
    "metrics/test_inventory_collector.py",
    "state/test_temporality_detector.py",
    "command_line/test_parser.py",
    "recording/test_files.py",
    "recording/test_redaction.py",
)
"""Modules of five seconds and more. They start first, so that no process of a parallel run waits long for
another at the end."""


_COVERAGE = "COVERAGE_PROCESS_CONFIG"
"""What makes coverage measure a process of Python."""

_INHERITED = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
"""The environment of this process that every process has."""

# Go programs, such as Prometheus, collect their garbage less often, which takes a fifth of their time.
os.environ.setdefault("GOGC", "400")


def _measure_own_processes_only() -> None:
    """Let coverage measure the processes with process_environment() only.

    It would double the time of others, such as pip; and processes that run tests measure themselves.
    """
    if _COVERAGE in os.environ:
        _INHERITED[_COVERAGE] = os.environ.pop(_COVERAGE)


def pytest_configure(config: pytest.Config) -> None:
    """Limit what coverage measures, and let SIGINT end the processes of tests."""
    # A shell ignores SIGINT in its background jobs, and every process inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _measure_own_processes_only()
    plugin = config.pluginmanager.getplugin("_cov")
    if hasattr(config, "workerinput") and plugin is not None and plugin.cov_controller is not None:
        # pytest-cov starts a second one soon, and no_cover stops only that.
        plugin.cov_controller.cov.stop()


def pytest_collection() -> None:
    """Do the same where coverage has started since, as in a process of a parallel run."""
    _measure_own_processes_only()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest modules first, and do not measure the coverage of tests with many examples.

    It doubles the time of an example, and other tests execute the same lines.
    """
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("no_cover")
    rank = {Path(__file__).parent / name: index for index, name in enumerate(SLOW_MODULES)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave out what was imported, which takes most of its time."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files")


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Give exporters that run in the process of the tests all time to stop, however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("service.shutdown", "service.pipeline", "server.server"):
            patch.setattr(f"pf_exporter.{module}.STOP_TIMEOUT", PATIENCE)
        patch.setattr("pf_exporter.packetfabric.client.LOGOUT_DEADLINE", PATIENCE)
        for limit in (
            "commands.health.TIMEOUT",
            "scrape.page.TIMEOUT",
            "remote_write.endpoint.DRAIN_TIMEOUT",
        ):
            patch.setattr(f"pf_exporter.{limit}", PATIENCE)
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a file in tests/fixtures; with --update-golden, writes the file instead."""

    def compare(name: str, text: str) -> None:
        path = FIXTURES / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; look at it, then `make golden`"

    return compare


@pytest.fixture(scope="session")
def openapi() -> Any:
    """PacketFabric's OpenAPI description, from the package of its client."""
    if not NEW_ENOUGH:
        pytest.skip(NOT_NEW_ENOUGH)
    text = importlib.resources.files("packetfabric_mcp").joinpath("data/openapi.yaml").read_text("utf-8")
    return load_yaml(text)


def until(condition: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait until a condition of another thread or process holds, where there is no event to wait for."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        pause.wait(0.02)


def get(url: str, accept: str = "", *, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of a page."""
    with urlopen(
        Request(url, headers={"Accept": accept} if accept else {}, method=method), timeout=PATIENCE
    ) as answer:
        return answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read()


def fill(descriptor: int) -> None:
    """Write to a pipe until it is full; the next write to it blocks."""
    os.set_blocking(descriptor, False)
    for size in (1 << 16, 1):
        try:
            while True:
                os.write(descriptor, bytes(size))
        except BlockingIOError:
            pass
    os.set_blocking(descriptor, True)


class LogFile:
    """Sends the log of this process to a file; restores the loggers at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> LogFile:
        root, ours = logging.getLogger(), logging.getLogger("pf_exporter")
        self._before = root.handlers[:], root.level, ours.level
        root.handlers[:] = []
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.configure("info")
        return self

    def configure(self, level: str, style: str = "logfmt") -> None:
        """Configure the log again, to the same file."""
        self.handler: LogHandler = configure_logging(level, style, self._descriptor)

    def text(self) -> str:
        """Everything logged so far."""
        self.handler.flush()
        return self._path.read_text(encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        root, ours = logging.getLogger(), logging.getLogger("pf_exporter")
        for handler in root.handlers:
            if isinstance(handler, LogHandler):
                handler.flush()
                handler.close()
        root.handlers[:], root.level, ours.level = self._before
        os.close(self._descriptor)


@functools.cache
def tool(name: str) -> str:
    """The path of a program that the tests need, which fail if it is missing or too old."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not installed: `make tools` installs it on Debian"
    problem = version_problem(name, path)
    assert problem is None, problem
    return path


def listening_port(process: subprocess.Popen[Any]) -> int:
    """Wait until a process listens on a port that the kernel chose, and return it."""
    ports: list[int] = []

    def listens() -> bool:
        assert process.poll() is None, f"{process.args!r} ended"
        sockets = set()
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                sockets.add(os.readlink(descriptor))
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                ports.append(int(local.partition(":")[2], 16))
        return bool(ports)

    until(listens, f"{process.args!r} listens")
    return ports[0]


def process_environment(**variables: str) -> dict[str, str]:
    """Return a small environment for a process, with the coverage and the time zone of this one."""
    return {"PATH": "/usr/bin:/bin", **_INHERITED, **variables}


class Program:
    """The command line as a process, with its output."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pf_exporter", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=process_environment(PYTHONUNBUFFERED="1", **(env or {})),
        )
        self.lines: list[str] = []
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._arrived:
                self.lines.append(line.rstrip("\n"))
                self._arrived.notify_all()

    @property
    def output(self) -> str:
        """Everything written so far."""
        return "\n".join(self.lines)

    def wait_for(self, text: str, *, seconds: float = PATIENCE) -> str:
        """Wait for a line that contains a text, and return the first."""
        with self._arrived:
            found = self._arrived.wait_for(
                lambda: any(text in line for line in self.lines) or self.process.poll() is not None, seconds
            )
            lines = [line for line in self.lines if text in line]
        assert found, f"no {text!r} in {seconds} s:\n{self.output}"
        assert lines, f"no {text!r}:\n{self.output}"
        return lines[0]

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def end(self, *, seconds: float = PATIENCE) -> int:
        """Wait for the process to end, and return its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Starts the command line; kills at the end what still runs."""
    started: list[Program] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Program:
        started.append(Program(*arguments, env=env))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.end()
        assert running.process.stdout is not None
        running.process.stdout.close()
