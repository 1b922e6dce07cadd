"""``simulate``: a simulated PacketFabric on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.network_flags import FAULTS_HELP, add_network_flags, simulator_options
from pf_exporter.commands.output import echo
from pf_exporter.commands.signals import TERMINATION, SignalWaiter
from pf_exporter.log import configure_logging
from pf_exporter.simulator import Options


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Run a simulated PacketFabric: the routes of its API, and a network that sends events."
    )
    parser.epilog = FAULTS_HELP
    add_network_flags(parser)
    address = Options().listen_address
    parser.add_argument(
        "--listen-address",
        default=address,
        metavar="HOST:PORT",
        help=f"where the API is served (default: {address})",
    )


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run the simulator until a signal arrives."""
    from pf_exporter.simulator import Simulator

    signals = SignalWaiter(*TERMINATION)
    configure_logging("warn", "logfmt")
    with Simulator(simulator_options(arguments, arguments.listen_address)) as simulator:
        echo(f"PacketFabric, simulated: {simulator.url}")
        echo(f"  PF_HOST={simulator.url} PF_TOKEN={simulator.api_key} pf-exporter")
        echo(f"  or with PF_USER={simulator.login} PF_PASSWORD={simulator.password}")
        signals.wait()
    return ExitCode.OK
