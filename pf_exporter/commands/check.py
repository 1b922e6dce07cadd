"""``check``: the configuration and the API, checked step by step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from pf_exporter.commands.argument_types import seconds
from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.health import probe
from pf_exporter.commands.output import echo
from pf_exporter.commands.parser import add_settings
from pf_exporter.config import load
from pf_exporter.diagnostics import BAD, GOOD, NOTE, CheckResult
from pf_exporter.errors import ConfigError
from pf_exporter.log import configure_logging

CODES = {
    "config": ExitCode.BAD_CONFIG,
    "reach": ExitCode.UNREACHABLE,
    "login": ExitCode.LOGIN_REJECTED,
    "stream": ExitCode.STREAM_REJECTED,
    "silence": ExitCode.NO_EVENTS,
    "clock": ExitCode.WRONG_CLOCK,
    "taken": ExitCode.CANNOT_LISTEN,
}
"""By class of failure; the first failure decides."""

SIGNS = {GOOD: ("✓", "32"), NOTE: ("•", "33"), BAD: ("✗", "31")}
"""By state of a step, its sign and the terminal's color for it."""

NAME_WIDTH = len("stream customer")
"""Characters of the longest name of a step."""

DESCRIPTION = """\
Check everything that the exporter does with this configuration: files, secrets, DNS, connection,
clock, login, permissions, subscription, stream. Nothing is left behind."""

EPILOG = "exit codes:\n" + "".join(f"  {code:d}  {code.description}\n" for code in ExitCode)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    add_settings(parser)
    parser.add_argument(
        "--json", action="store_true", default=False, help="print the result as one JSON object"
    )
    parser.add_argument(
        "--within",
        type=seconds,
        default=30.0,
        metavar="TIME",
        help="how long to wait for the first event (default: 30s)",
    )
    parser.add_argument(
        "--learn",
        type=seconds,
        default=0.0,
        metavar="TIME",
        help="listen for this time, such as 10m, and tell whether counts in events are totals or increments",
    )


def _check(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[CheckResult]:
    from pf_exporter.diagnostics import AccountChecks, listening
    from pf_exporter.server import WebConfigReloader

    started = time.monotonic()
    try:
        config = load(arguments, environ)
        has_tls = WebConfigReloader(config.web.config_file).has_tls
    except ConfigError as exc:
        took = time.monotonic() - started
        for problem in exc.problems:
            yield CheckResult("", "configuration", BAD, problem, "", took, "config")
        return
    took = time.monotonic() - started
    names = ", ".join(account.name for account in config.accounts)
    yield CheckResult("", "configuration", GOOD, f"good; accounts: {names}", "", took)
    for warning in config.warnings:
        yield CheckResult("", "configuration", NOTE, warning, "", 0.0)
    for account in config.accounts:
        checks = AccountChecks(account, config, within=arguments.within, listen=arguments.learn)
        try:
            yield from checks.steps()
        finally:
            logout = checks.close()
        if logout is not None:
            yield logout
    # Last, so that any other failure decides the exit code.
    for address in config.web.listen_address:
        yield listening(address, lambda address: not probe(address, tls=has_tls))


def _line(result: CheckResult, *, color: bool) -> str:
    sign, code = SIGNS[result.state]
    sign = f"\x1b[{code}m{sign}\x1b[0m" if color else sign
    account = f"{result.account}: " if result.account else ""
    line = f"{sign} {result.name:<{NAME_WIDTH}}  {result.seconds:6.2f} s  {account}{result.said}"
    return f"{line}\n{'':<{NAME_WIDTH + 14}}→ {result.hint}" if result.hint else line


def _json(results: Sequence[CheckResult], code: ExitCode) -> str:
    steps = [{**result._asdict(), "seconds": round(result.seconds, 3)} for result in results]
    report = {"ok": code == ExitCode.OK, "exit_code": code, "steps": steps}
    return json.dumps(report, indent=2, ensure_ascii=False)


def _conclusion(results: Sequence[CheckResult], code: ExitCode) -> str:
    if code != ExitCode.OK:
        return f"Not ready: {code.description} (exit code {code:d})."
    if any(result.state == NOTE for result in results):
        return "Ready to export, though • is worth a look."
    return "Ready to export."


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run and print every check; the first failure decides the exit code."""
    configure_logging("error", "logfmt")
    results = []
    color = sys.stdout.isatty() and "NO_COLOR" not in environ
    for result in _check(arguments, environ):
        results.append(result)
        if not arguments.json:
            echo(_line(result, color=color))
    code = next((CODES[result.failure] for result in results if result.state == BAD), ExitCode.OK)
    echo(_json(results, code) if arguments.json else f"\n{_conclusion(results, code)}")
    return code
