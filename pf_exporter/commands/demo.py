"""``demo``: the exporter on a simulated PacketFabric."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.network_flags import FAULTS_HELP, add_network_flags, simulator_options
from pf_exporter.commands.output import echo
from pf_exporter.commands.signals import TERMINATION, SignalWaiter
from pf_exporter.config import Account, Config, Secret, WebSettings
from pf_exporter.log import configure_logging

DEFAULT_ADDRESS = "127.0.0.1:10054"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = "Run a simulated PacketFabric and the exporter on it, on this machine only."
    parser.epilog = FAULTS_HELP
    parser.add_argument(
        "--listen-address",
        default=DEFAULT_ADDRESS,
        metavar="HOST:PORT",
        help=f"where /metrics is served (default: {DEFAULT_ADDRESS})",
    )
    add_network_flags(parser)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run the simulator and the exporter until a signal arrives."""
    from pf_exporter.commands.serving import serve
    from pf_exporter.simulator import Simulator

    signals = SignalWaiter(*TERMINATION)
    configure_logging("info", "logfmt")
    with Simulator(simulator_options(arguments, "127.0.0.1:0")) as simulator:
        account = Account(
            name="demo",
            api_url=simulator.url,
            login=Secret(simulator.login),
            password=Secret(simulator.password),
        )
        config = Config(accounts=(account,), web=WebSettings(listen_address=(arguments.listen_address,)))
        echo(f"A simulated PacketFabric answers on {simulator.url}")
        echo(f"Metrics:  http://{arguments.listen_address}/metrics")
        echo("Stop with Ctrl-C.")
        return serve(config, signals)
