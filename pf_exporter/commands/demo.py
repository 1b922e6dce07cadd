"""``demo``: a simulated PacketFabric and the exporter on it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter import logs
from pf_exporter.commands import common
from pf_exporter.commands.common import Commands, say
from pf_exporter.commands.export import ENDING, serve
from pf_exporter.commands.simulate import EPILOG, add_network, options
from pf_exporter.secret import Secret
from pf_exporter.settings import Account, Config, WebSettings
from pf_exporter.signals import Signals
from pf_exporter.simulator import Simulator

ADDRESS = "127.0.0.1:10054"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Simulate, and export what is simulated, until a signal comes."""
    signals = Signals(*ENDING)
    logs.set_up("info", "logfmt")
    with Simulator(options(arguments, "127.0.0.1:0")) as simulator:
        account = Account(
            name="demo",
            api_url=simulator.url,
            login=Secret(simulator.login),
            password=Secret(simulator.password),
        )
        config = Config(accounts=(account,), web=WebSettings(listen_address=(arguments.listen_address,)))
        say(f"A simulated PacketFabric answers on {simulator.url}")
        say(f"Metrics:  http://{arguments.listen_address}/metrics")
        say("Stop with Ctrl-C.")
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
