"""What a command imports before it does its work: scripts and health checks start it often."""

from __future__ import annotations

import importlib.metadata
import socket
import subprocess
import sys
import threading

from pf_exporter.server import HEALTHY

VERSION = {"__main__", "build_info", "descriptor"}
"""All modules of the project that ``--version`` may import."""

HELP = {
    *VERSION,
    "cli",
    "command_line",
    "command_line.argument_types",
    "command_line.parser",
    "command_line.usage_errors",
    "commands",
    "commands.export",
    "config",
    "config.account_keys",
    "config.addresses",
    "config.endpoint_loader",
    "config.files",
    "config.flags",
    "config.key_names",
    "config.loader",
    "config.log_settings",
    "config.proxy",
    "config.quantities",
    "config.reader",
    "config.remote_write",
    "config.secrets",
    "config.setting",
    "config.settings",
    "config.tag_keys",
    "config.time_zones",
    "config.types",
    "errors",
    "lazy",
    "process",
    "process.exit_code",
    "process.output",
    "reason",
    "schema",
    "schema.activity_fields",
    "schema.rate_unit",
    "schema.temporality",
}
"""All modules of the project that ``--help`` may import."""

HEALTH = {*HELP, "commands.health", "server", "server.health"}
"""All modules of the project that ``health`` may import while the exporter is healthy."""

HEAVY = {
    "asyncio",
    "concurrent.futures",
    "difflib",
    "email",
    "encodings.idna",
    "http",
    "json",
    "logging",
    "platform",
    "ssl",
    "threading",
    "unicodedata",
    "unittest",
    "xml",
}
"""Modules of the standard library that take milliseconds or megabytes."""

LATER = {
    "bcrypt",
    "cramjam",
    "jinja2",
    "pf_exporter.recording.writer",
    "pf_exporter.remote_write.remote_write",
    "pf_exporter.schema.history",
    "pf_exporter.service.replay",
    "pf_exporter.simulator.server",
    "pf_exporter.web.status",
    "requests",
    "rich",
    "statistics",
    "yaml",
}
"""What the exporter imports with the first request, page or setting that needs it."""

COMMAND = """
import sys
before = set(sys.modules)
from pf_exporter.__main__ import main
try:
    code = main()
except SystemExit as exc:
    code = exc.code
print(*(set(sys.modules) - before), file=sys.stderr)
sys.exit(code)
"""


SERVE = """
import sys
from pf_exporter.service import serve
print(*sys.modules, file=sys.stderr)
"""


def run(code: str, *arguments: str) -> set[str]:
    """The modules that a program prints."""
    words = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return set(result.stderr.split())


def imported(*arguments: str) -> set[str]:
    """The modules that a command imports."""
    return run(COMMAND, *arguments)


def own(modules: set[str]) -> set[str]:
    """The names of the project's own modules, without its name."""
    return {name.removeprefix("pf_exporter.") for name in modules if name.startswith("pf_exporter.")}


def libraries(modules: set[str]) -> set[str]:
    """The libraries among modules, and what is heavy in the standard library."""
    installed = importlib.metadata.packages_distributions().keys() - {"pf_exporter"}
    assert "requests" in installed
    return {name.partition(".")[0] for name in modules} & installed | modules & HEAVY


def test_version() -> None:
    """--version imports four modules of the project."""
    assert own(imported("--version")) <= VERSION


def test_help() -> None:
    """--help imports no library, no log, no socket, and of the project what describes the flags."""
    modules = imported("--help")
    assert own(modules) <= HELP
    assert "config.settings" in own(modules)
    assert libraries(modules) | modules & {"socket"} == set()


def test_health() -> None:
    """Health imports no library, no TLS and no log."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 200 OK\r\n\r\n{HEALTHY}\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        modules = imported("health", f"--web.listen-address=127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert own(modules) <= HEALTH
    assert "commands.health" in own(modules)
    assert libraries(modules) == set()


def test_serve() -> None:
    """The pages are served before the HTTP client and whatever few exporters use are imported."""
    modules = run(SERVE)
    assert modules & LATER == set()
    assert {"pf_exporter.web.routes", "uvicorn", "starlette"} <= modules
