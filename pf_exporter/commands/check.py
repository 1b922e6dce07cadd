"""``check``: the configuration and the API, checked step by step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from pf_exporter.command_line import add_settings, seconds, web_config_problems
from pf_exporter.commands.health import probe
from pf_exporter.config import format_duration, load
from pf_exporter.diagnostics import CheckResult, CheckStatus, FailureClass
from pf_exporter.errors import ConfigError
from pf_exporter.log import configure_logging
from pf_exporter.process import ExitCode, Progress, ProgressLine, echo

CODES = {
    FailureClass.CONFIG: ExitCode.BAD_CONFIG,
    FailureClass.CONNECTION: ExitCode.UNREACHABLE,
    FailureClass.LOGIN: ExitCode.LOGIN_REJECTED,
    FailureClass.STREAM: ExitCode.STREAM_REJECTED,
    FailureClass.NO_DATA: ExitCode.NO_EVENTS,
    FailureClass.CLOCK: ExitCode.WRONG_CLOCK,
    FailureClass.LISTEN: ExitCode.CANNOT_LISTEN,
}
"""By class of failure; the first failure decides."""

SIGNS = {
    CheckStatus.OK: ("✓", "32"),
    CheckStatus.WARNING: ("•", "33"),
    CheckStatus.FAILED: ("✗", "31"),
}
"""By status of a step, its sign and the terminal's color for it."""

MIN_PROGRESS = 1.0
"""Seconds that a step has to take before its progress is shown."""

NAME_WIDTH = len("stream customer")
"""Characters of the longest name of a step."""

DESCRIPTION = """\
Check everything that the exporter does with this configuration: files, secrets, DNS, connection,
clock, login, permissions, subscription, stream. Changes nothing in the account, and logs out at
the end."""

EPILOG = "exit codes:\n" + "".join(f"  {code:d}  {code.description}\n" for code in ExitCode)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="Print the result as one JSON object.")
    parser.add_argument(
        "--within",
        type=seconds,
        default=30.0,
        metavar="DURATION",
        help="Time to wait for the first event. Default: 30s.",
    )
    parser.add_argument(
        "--learn",
        type=seconds,
        default=0.0,
        metavar="DURATION",
        help="Listen for this time, such as 10m, and detect whether counts are cumulative or deltas.",
    )


def _check(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[CheckResult]:
    from pf_exporter.diagnostics import AccountChecks, check_listen_address, check_remote_write
    from pf_exporter.server import WebConfigReloader

    started = time.monotonic()
    try:
        config = load(arguments, environ, check_web_config=web_config_problems)
        has_tls = WebConfigReloader(config.web.config_file).has_tls
    except ConfigError as exc:
        took = time.monotonic() - started
        for problem in exc.problems:
            yield CheckResult(
                "", "configuration", CheckStatus.FAILED, problem, seconds=took, failure=FailureClass.CONFIG
            )
        return
    took = time.monotonic() - started
    names = ", ".join(account.name for account in config.accounts)
    yield CheckResult("", "configuration", CheckStatus.OK, f"valid; accounts: {names}", seconds=took)
    for warning in config.warnings:
        yield CheckResult("", "configuration", CheckStatus.WARNING, warning)
    for account in config.accounts:
        checks = AccountChecks(account, config, within=arguments.within, listen=arguments.learn)
        try:
            yield from checks.run()
        finally:
            logout = checks.close()
        if logout is not None:
            yield logout
    for endpoint in config.endpoints:
        yield check_remote_write(endpoint)
    # Last, so that any other failure decides the exit code.
    for address in config.web.listen_address if not config.web.systemd_socket else ():
        yield check_listen_address(address, lambda address: not probe(address, tls=has_tls))


def _line(result: CheckResult, *, color: bool) -> str:
    sign, code = SIGNS[result.status]
    sign = f"\x1b[{code}m{sign}\x1b[0m" if color else sign
    account = f"{result.account}: " if result.account else ""
    line = f"{sign} {result.name:<{NAME_WIDTH}}  {result.seconds:6.2f} s  {account}{result.message}"
    return f"{line}\n{'':<{NAME_WIDTH + 14}}→ {result.remedy}" if result.remedy else line


def _json(results: Sequence[CheckResult], code: ExitCode) -> str:
    steps = [result.as_json() for result in results]
    report = {"ok": code == ExitCode.OK, "exit_code": code, "steps": steps}
    return json.dumps(report, indent=2, ensure_ascii=False)


def _conclusion(results: Sequence[CheckResult], code: ExitCode) -> str:
    if code != ExitCode.OK:
        return f"Not ready: {code.description} (exit code {code:d})."
    if any(result.status is CheckStatus.WARNING for result in results):
        return "Ready to export; see the lines marked •."
    return "Ready to export."


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run and print every check; the first failure decides the exit code."""
    handler = configure_logging("error", "logfmt")
    results = []
    color = sys.stdout.isatty() and "NO_COLOR" not in environ
    step_started = time.monotonic()

    def progress() -> Progress | None:
        elapsed = time.monotonic() - step_started
        if not arguments.learn or elapsed < MIN_PROGRESS:
            return None
        text = f"listening, {format_duration(int(elapsed))} of {format_duration(arguments.learn)}"
        return Progress(text, elapsed / arguments.learn)

    with ProgressLine(progress, handler) as line:
        for result in _check(arguments, environ):
            step_started = time.monotonic()
            results.append(result)
            if not arguments.json:
                with line.erased():
                    echo(_line(result, color=color))
    code = next((CODES[result.failure] for result in results if result.failure is not None), ExitCode.OK)
    echo(_json(results, code) if arguments.json else f"\n{_conclusion(results, code)}")
    return code
