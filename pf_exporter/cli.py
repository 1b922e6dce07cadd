"""Puts the parts together, runs them, leaves with the right exit code."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from pf_exporter import __version__, logs
from pf_exporter.config import add_flags, load
from pf_exporter.errors import ConfigError
from pf_exporter.kinds import duration
from pf_exporter.logs import Logger
from pf_exporter.secret import Secret
from pf_exporter.service import Exporter
from pf_exporter.settings import Account, Config, WebSettings
from pf_exporter.signals import Signals
from pf_exporter.simulator import FAULTS, Options, Simulator
from pf_exporter.web.policy import Policy

OK, DIED, BAD_CONFIG = 0, 1, 2
ENDING = (signal.SIGTERM, signal.SIGINT)

log = Logger(__name__)

_DESCRIPTION = """\
Prometheus exporter for PacketFabric's Streaming Events API.

Without a command: log in, subscribe, read the event stream, and serve it on /metrics.
The account comes from the environment (PF_TOKEN, or PF_USER and PF_PASSWORD; PF_HOST)
or, where there are several, from a file (--config.file).
"""

_EPILOG = """\
examples:
  PF_TOKEN=... pf-exporter              export an account, on port 10054
  pf-exporter --config.file pf.yaml     export the accounts of a file
  pf-exporter --config.check            say whether the configuration can be used
  pf-exporter demo                      see it work, without an account

exit codes: 0 stopped as asked, 1 died of a fault of its own, 2 unusable configuration
"""


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)


def _simulator_flags(parser: argparse.ArgumentParser, *, listen: bool) -> None:
    defaults = Options()
    group = parser.add_argument_group("the simulated network")
    group.add_argument("--ports", type=int, default=defaults.ports, metavar="N", help="ports, LAGs included")
    group.add_argument("--vcs", type=int, default=defaults.vcs, metavar="N", help="virtual circuits")
    group.add_argument(
        "--interval", type=_seconds, default=defaults.interval, metavar="TIME", help="between two samples"
    )
    group.add_argument(
        "--seed", type=int, default=defaults.seed, metavar="N", help="of the network and its traffic"
    )
    group.add_argument(
        "--max-connection",
        type=_seconds,
        default=defaults.max_connection,
        metavar="TIME",
        help="cut a stream this old",
    )
    group.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:N]", help="misbehave; see below; repeatable"
    )
    if listen:
        group.add_argument(
            "--listen-address", default=defaults.listen_address, metavar="HOST:PORT", help="where to answer"
        )
    for action in group._group_actions:
        action.help = f"{action.help} (default: {action.default})" if action.default else action.help


def _seconds(text: str) -> float:
    try:
        return duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def _faults() -> str:
    return "faults:\n" + "\n".join(f"  {name:<22} {text}" for name, text in FAULTS.items()) + "\n"


def parser() -> argparse.ArgumentParser:
    """The command line: the exporter's own flags, and the commands."""
    top = argparse.ArgumentParser(
        "pf-exporter", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=_HelpFormatter
    )
    add_flags(top)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    demo = commands.add_parser(
        "demo",
        help="run a simulated PacketFabric and the exporter on it",
        description="Run a simulated PacketFabric and the exporter on it, on this machine only.",
        epilog=_faults(),
        formatter_class=_HelpFormatter,
    )
    demo.add_argument(
        "--listen-address",
        default="127.0.0.1:10054",
        metavar="HOST:PORT",
        help="where /metrics is served (default: 127.0.0.1:10054)",
    )
    _simulator_flags(demo, listen=False)
    simulate = commands.add_parser(
        "simulate",
        help="run a simulated PacketFabric",
        description="Run a simulated PacketFabric: the API's routes, and a network that speaks.",
        epilog=_faults(),
        formatter_class=_HelpFormatter,
    )
    _simulator_flags(simulate, listen=True)
    return top


def _options(arguments: argparse.Namespace, listen_address: str) -> Options:
    return Options(
        ports=arguments.ports,
        vcs=arguments.vcs,
        interval=arguments.interval,
        seed=arguments.seed,
        max_connection=arguments.max_connection,
        faults=tuple(arguments.fault),
        listen_address=listen_address,
    )


def _reload(exporter: Exporter) -> None:
    with contextlib.suppress(ConfigError):  # It is in the log, and shown in a metric.
        exporter.reload()


def _run(config: Config, signals: Signals, source: Callable[[], Config] | None = None) -> int:
    exporter = Exporter(config, ended=signals.end, source=source)
    with exporter:
        log.info("listening", addresses=" ".join(exporter.server.addresses), accounts=len(config.accounts))
        while signals.wait() == signal.SIGHUP:
            # On a thread: reloading waits for streams to end, and SIGTERM must not.
            threading.Thread(target=_reload, args=(exporter,), name="reload", daemon=True).start()
    log.info("stopped")
    return DIED if exporter.failed else OK


def _export(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = load(arguments, environ)
    if arguments.config_check:
        Policy(config.web.config_file)
        for warning in config.warnings:
            print(f"warning: {warning}")
        names = ", ".join(account.name for account in config.accounts)
        print(f"The configuration is good. Accounts: {names}.")
        return OK
    logs.set_up(config.log.level, config.log.format)
    log.info("starting pf_exporter", version=__version__, python=platform.python_version())
    for warning in config.warnings:
        log.warning("configuration", warning=warning)
    return _run(config, Signals(*ENDING, signal.SIGHUP), lambda: load(arguments, environ))


def _simulate(arguments: argparse.Namespace) -> int:
    signals = Signals(*ENDING)
    with Simulator(_options(arguments, arguments.listen_address)) as simulator:
        print(f"PacketFabric, simulated: {simulator.url}")
        print(f"  PF_HOST={simulator.url} PF_TOKEN={simulator.api_key} pf-exporter")
        print(f"  or with PF_USER={simulator.login} PF_PASSWORD={simulator.password}", flush=True)
        signals.wait()
    return OK


def _demo(arguments: argparse.Namespace) -> int:
    signals = Signals(*ENDING)
    logs.set_up("info", "logfmt")
    with Simulator(_options(arguments, "127.0.0.1:0")) as simulator:
        account = Account(
            name="demo",
            api_url=simulator.url,
            login=Secret(simulator.login),
            password=Secret(simulator.password),
        )
        web = WebSettings(listen_address=(arguments.listen_address,))
        config = dataclasses.replace(Config(accounts=(account,)), web=web)
        print(f"A simulated PacketFabric answers on {simulator.url}")
        print(f"Metrics:  http://{arguments.listen_address}/metrics")
        print("Stop with Ctrl-C.", flush=True)
        return _run(config, signals)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the process's exit code."""
    arguments = parser().parse_args(argv)
    if arguments.version:
        print(f"pf_exporter {__version__} (Python {platform.python_version()})")
        return OK
    try:
        if arguments.command == "demo":
            return _demo(arguments)
        if arguments.command == "simulate":
            return _simulate(arguments)
        return _export(arguments, os.environ)
    except ConfigError as exc:
        for problem in exc.problems:
            print(f"pf-exporter: {problem}", file=sys.stderr)
        return BAD_CONFIG
