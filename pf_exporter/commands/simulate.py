"""``simulate``: a simulated PacketFabric on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.command_line import (
    FAULTS_HELP,
    add_network_flags,
    listen_address,
    simulator_options,
    warn_of_former_flags,
)
from pf_exporter.config import add_former_flag
from pf_exporter.log import configure_logging
from pf_exporter.process import TERMINATION, ExitCode, SignalWaiter, echo
from pf_exporter.simulator import Options


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Run a simulated PacketFabric: the routes of its API, and a network that sends events."
    )
    parser.epilog = FAULTS_HELP
    add_network_flags(parser)
    address = Options().listen_address
    flag = parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        type=listen_address,
        default=address,
        metavar="ADDRESS",
        help=f"where the API is served (default: {address})",
    )
    add_former_flag(parser, "--listen-address", flag)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run the simulator until a signal arrives."""
    from pf_exporter.simulator import Simulator

    signals = SignalWaiter(*TERMINATION)
    configure_logging("warn", "logfmt")
    warn_of_former_flags(arguments)
    with Simulator(simulator_options(arguments, arguments.listen_address)) as simulator:
        echo(f"PacketFabric, simulated: {simulator.url}")
        echo(f"  PF_HOST={simulator.url} PF_TOKEN={simulator.api_key} pf-exporter")
        echo(f"  or with PF_USER={simulator.login} PF_PASSWORD={simulator.password}")
        signals.wait()
    return ExitCode.OK
