"""``demo``: a simulated PacketFabric and the exporter on it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.commands import common
from pf_exporter.commands.common import Commands, echo
from pf_exporter.commands.export import TERMINATION, serve
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.commands.simulate import EPILOG, add_network, options
from pf_exporter.config import Account, Config, Secret, WebSettings
from pf_exporter.log import configure_logging
from pf_exporter.simulator import Simulator

ADDRESS = "127.0.0.1:10054"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Simulate, and export what is simulated, until a signal comes."""
    signals = SignalWaiter(*TERMINATION)
    configure_logging("info", "logfmt")
    with Simulator(options(arguments, "127.0.0.1:0")) as simulator:
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


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "demo",
        run,
        help="run a simulated PacketFabric and the exporter on it",
        description="Run a simulated PacketFabric and the exporter on it, on this machine only.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--listen-address",
        default=ADDRESS,
        metavar="HOST:PORT",
        help=f"where /metrics is served (default: {ADDRESS})",
    )
    add_network(parser)
