"""``check``: whether everything is in place, step by step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping

from pf_exporter.commands import common
from pf_exporter.commands.common import (
    BAD_CONFIG,
    EXIT_CODES,
    NO_LOGIN,
    NO_STREAM,
    OK,
    SILENT,
    TAKEN,
    UNREACHABLE,
    WRONG_CLOCK,
    Commands,
    echo,
    seconds,
)
from pf_exporter.commands.health import probe
from pf_exporter.config import load
from pf_exporter.diagnostics import BAD, GOOD, NOTE, AccountChecks, CheckResult, listening
from pf_exporter.errors import ConfigError
from pf_exporter.log import configure_logging
from pf_exporter.server import WebConfigReloader

CODES = {
    "config": BAD_CONFIG,
    "reach": UNREACHABLE,
    "login": NO_LOGIN,
    "stream": NO_STREAM,
    "silence": SILENT,
    "clock": WRONG_CLOCK,
    "taken": TAKEN,
}
"""By class of failure, the exit code; of several failures the first counts."""

SIGNS = {GOOD: ("✓", "32"), NOTE: ("•", "33"), BAD: ("✗", "31")}

WIDTH = len("stream customer")
"""Characters of the longest name of a step."""

EPILOG = "exit codes:\n" + "\n".join(f"  {code}  {what}" for code, what in EXIT_CODES.items()) + "\n"


def _steps(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[CheckResult]:
    began = time.monotonic()
    try:
        config = load(arguments, environ)
        policy = WebConfigReloader(config.web.config_file)
    except ConfigError as exc:
        took = time.monotonic() - began
        for problem in exc.problems:
            yield CheckResult("", "configuration", BAD, problem, "", took, "config")
        return
    took = time.monotonic() - began
    names = ", ".join(account.name for account in config.accounts)
    yield CheckResult("", "configuration", GOOD, f"good; accounts: {names}", "", took)
    for warning in config.warnings:
        yield CheckResult("", "configuration", NOTE, warning, "", 0.0)
    for account in config.accounts:
        preflight = AccountChecks(account, config, within=arguments.within, listen=arguments.learn)
        try:
            yield from preflight.steps()
        finally:
            allow_after_abort = preflight.close()
        if allow_after_abort is not None:
            yield allow_after_abort
    # Last, so that any other failure gives the exit code.
    for address in config.web.listen_address:
        yield listening(address, lambda address: not probe(address, tls=policy.has_tls))


def _line(step: CheckResult, *, coloured: bool) -> str:
    sign, colour = SIGNS[step.state]
    sign = f"\x1b[{colour}m{sign}\x1b[0m" if coloured else sign
    account = f"{step.account}: " if step.account else ""
    line = f"{sign} {step.name:<{WIDTH}}  {step.seconds:6.2f} s  {account}{step.said}"
    return f"{line}\n{'':<{WIDTH + 14}}→ {step.hint}" if step.hint else line


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Try every step, say what each came to, and give the exit code of the first that failed."""
    configure_logging("error", "logfmt")
    steps = []
    coloured = sys.stdout.isatty() and "NO_COLOR" not in environ
    for step in _steps(arguments, environ):
        steps.append(step)
        if not arguments.json:
            echo(_line(step, coloured=coloured))
    code = next((CODES[step.failure] for step in steps if step.state == BAD), OK)
    if arguments.json:
        told = [{**step._asdict(), "seconds": round(step.seconds, 3)} for step in steps]
        result = {"ok": code == OK, "exit_code": code, "steps": told}
        echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif code == OK:
        noted = any(step.state == NOTE for step in steps)
        echo(f"\nReady to export{', though • is worth a look' if noted else ''}.")
    else:
        echo(f"\nNot ready: {EXIT_CODES[code]} (exit code {code}).")
    return code


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "check",
        run,
        help="try the configuration against the API, step by step",
        description="Try all that the exporter would do with this configuration: files, secrets, name,\n"
        "connection, clock, login, permissions, subscription, stream. It leaves nothing behind.",
        epilog=EPILOG,
        settings=True,
    )
    parser.add_argument("--json", action="store_true", default=False, help="the result as one JSON object")
    parser.add_argument(
        "--within",
        type=seconds,
        default=30.0,
        metavar="TIME",
        help="how long the first event may take (default: 30s)",
    )
    parser.add_argument(
        "--learn",
        type=seconds,
        default=0.0,
        metavar="TIME",
        help="listen this long, 10m say, and judge whether the counts in events are totals or differences",
    )
