"""Secrets leave the process only for the API: every fault of the matrix, searched for canaries."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import subprocess
import sys
import traceback
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config
from pf_exporter.errors import ExporterError
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.reason import Reason
from tests.chain import SETTINGS, SHORT_SILENCE, Chain
from tests.conftest import LogFile, until
from tests.fakes import Answer, Fake
from tests.matrix import MATRIX, Fault

USER, PASSWORD = "canary-üser", "canary/p&ss w€rd"


def aliases(secret: str) -> set[bytes]:
    """A secret in the forms in which it may appear: plain, percent-encoded, JSON, base64, Python."""
    raw = secret.encode()
    found = {raw, quote(secret).encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    found |= {base64.b64encode(raw).rstrip(b"="), repr(secret)[1:-1].encode(), repr(raw)[2:-1].encode()}
    return found


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    """Every line of every logger, at the most verbose level."""
    with LogFile(tmp_path / "log") as log_file:
        log_file.configure("debug")
        logging.getLogger().setLevel(logging.DEBUG)
        yield log_file


class ErrorCollector(logging.Handler):
    """Keeps the errors of failures that are logged, with their tracebacks."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[ExporterError] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = vars(record)["fields"].get("error")
        if error is not None:
            self.raised.append(error)


@pytest.fixture
def errors() -> Iterator[ErrorCollector]:
    logger = logging.getLogger("pf_exporter.packetfabric.failure_log")
    collector = ErrorCollector()
    logger.addHandler(collector)
    yield collector
    logger.removeHandler(collector)


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: f"{fault.phase}: {fault.what}")
def test_faults_show_no_secret(fault: Fault, log: LogFile, errors: ErrorCollector) -> None:
    """Log, metrics, representations and tracebacks with locals hold no user, password or token."""
    raised = errors.raised
    with Fake(heartbeat=0.05) as fake:
        fake.script["open" if fault.phase == "stream" else fault.phase] = [fault.step]
        account = fake.account(login=Secret(USER), password=Secret(PASSWORD))
        settings = SHORT_SILENCE if fault.reason is Reason.IDLE else SETTINGS
        with Chain(account, settings=settings) as chain:
            until(lambda: raised and chain.stats.up, "a stream after the fault")
            tokens = {request.headers["authorization"].split()[1] for request in fake.of("open")}
            session = chain.session_manager.get()
            registry = CollectorRegistry(auto_describe=False)
            registry.register(ExporterCollector([chain.stats]))
            shown = [
                generate_latest(registry).decode(),
                repr(session),
                repr(account),
                str(Config((account,))),
            ]
    shown.append(log.text())
    for exc in raised:
        trace = traceback.TracebackException.from_exception(exc, capture_locals=True)
        shown += ["".join(trace.format()), repr(exc), str(exc)]
    assert len(raised) == 1
    assert tokens
    everything = "\n".join(shown).encode()
    assert [s for secret in (USER, PASSWORD, *tokens) for s in aliases(secret) if s in everything] == []


def test_echoed_secret_is_not_logged(log: LogFile) -> None:
    """A password that a server quotes in its error message does not get into the log."""
    text = json.dumps({"message": f"no user {USER} with {PASSWORD}"}).encode()
    with Fake() as fake:
        fake.script["login"] = [Answer(401, {}, text)]
        with Chain(fake.account(login=Secret(USER), password=Secret(PASSWORD))) as chain:
            until(lambda: chain.stats.up, "a stream")
    assert "no user <secret> with <secret>" in log.text()
    assert not [s for secret in (USER, PASSWORD) for s in aliases(secret) if s in log.text().encode()]


def test_copies_hold_no_secret() -> None:
    """A secret that is pickled, formatted or in a list is not readable."""
    secret = Secret("canary")
    copies = [pickle.dumps(secret), str(secret).encode(), f"{secret:>20}".encode(), repr([secret]).encode()]
    assert not [copy for copy in copies if b"canary" in copy]


def test_no_secret_on_the_command_line() -> None:
    """No flag in the help takes a secret; names of files and of a remote-write user are no secrets."""
    done = subprocess.run(
        [sys.executable, "-m", "pf_exporter", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    flags = [word for word in done.stdout.split() if word.startswith("--")]
    assert len(flags) > 15
    secret = [flag for flag in flags if any(word in flag for word in ("token", "password", "user", "login"))]
    assert {flag for flag in secret if not flag.endswith("-file")} == {"--remote-write.username"}


def test_token_with_a_line_break() -> None:
    """requests would quote a token with a line break; the exporter's error does not."""
    token = f"canary\n{uuid.uuid4()}"
    with Fake() as fake, Chain(fake.account(token=Secret(token), login=None, password=None)) as chain:
        until(lambda: chain.stats.disconnects["rejected"], "the refusal")
    assert not fake.requests
