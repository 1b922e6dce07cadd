"""``simulate``: a simulated PacketFabric on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.command_line import (
    SIMULATOR_HELP,
    add_network_flags,
    listen_address,
    simulator_options,
    warn_of_former_flags,
)
from pf_exporter.config import add_former_flag, reachable_address
from pf_exporter.log import configure_logging
from pf_exporter.process import TERMINATION, ExitCode, SignalWaiter, echo
from pf_exporter.simulator import Options


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Run a simulated PacketFabric on this machine: the routes of its API, and a network that sends\n"
        "events. Settings come from flags; environment variables are ignored."
    )
    parser.epilog = SIMULATOR_HELP
    add_network_flags(parser)
    address = Options().listen_address
    flag = parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        type=listen_address,
        default=address,
        metavar="ADDRESS",
        help=f"Address to serve the API on. Default: {address}.",
    )
    add_former_flag(parser, "--listen-address", flag)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run the simulator until a signal arrives."""
    from pf_exporter.simulator import Simulator

    signals = SignalWaiter(*TERMINATION)
    configure_logging("warn", "logfmt")
    warn_of_former_flags(arguments)
    with Simulator(simulator_options(arguments, arguments.listen_address)) as simulator:
        url = f"http://{reachable_address(simulator.url.removeprefix('http://'))}"
        echo(f"Simulated PacketFabric: {url}")
        echo("Run the exporter on it with an API key, or with user and password:")
        echo(f"  PF_HOST={url} PF_TOKEN={simulator.api_key} pf-exporter")
        echo(f"  PF_HOST={url} PF_USER={simulator.login} PF_PASSWORD={simulator.password} pf-exporter")
        echo("Stop with Ctrl-C.")
        signals.wait()
    return ExitCode.OK
