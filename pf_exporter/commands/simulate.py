"""``simulate``: a PacketFabric on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.commands import common
from pf_exporter.commands.common import OK, Commands, echo, seconds
from pf_exporter.commands.export import TERMINATION
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.simulator import FAULTS, Options, Simulator

EPILOG = "faults:\n" + "\n".join(f"  {name:<22} {text}" for name, text in FAULTS.items()) + "\n"


def add_network(parser: argparse.ArgumentParser) -> None:
    """The flags that say what is simulated."""
    defaults = Options()
    group = parser.add_argument_group("the simulated network")

    def flag(name: str, metavar: str, help: str, kind: type | object, default: object) -> None:
        text = f"{help} (default: {default})" if default else help
        group.add_argument(name, type=kind, default=default, metavar=metavar, help=text)  # type: ignore[arg-type]

    flag("--ports", "N", "ports, LAGs included", int, defaults.ports)
    flag("--vcs", "N", "virtual circuits", int, defaults.vcs)
    flag("--interval", "TIME", "between two samples", seconds, defaults.interval)
    flag("--seed", "N", "of the network and its traffic", int, defaults.seed)
    flag("--max-connection", "TIME", "cut a stream this old", seconds, defaults.max_connection)
    group.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:N]", help="misbehave; see below; repeatable"
    )


def options(arguments: argparse.Namespace, listen_address: str) -> Options:
    """What :func:`add_network`'s flags ask for."""
    return Options(
        ports=arguments.ports,
        vcs=arguments.vcs,
        interval=arguments.interval,
        seed=arguments.seed,
        max_connection=arguments.max_connection,
        faults=tuple(arguments.fault),
        listen_address=listen_address,
    )


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Simulate until a signal comes."""
    signals = SignalWaiter(*TERMINATION)
    with Simulator(options(arguments, arguments.listen_address)) as simulator:
        echo(f"PacketFabric, simulated: {simulator.url}")
        echo(f"  PF_HOST={simulator.url} PF_TOKEN={simulator.api_key} pf-exporter")
        echo(f"  or with PF_USER={simulator.login} PF_PASSWORD={simulator.password}")
        signals.wait()
    return OK


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "simulate",
        run,
        help="run a simulated PacketFabric",
        description="Run a simulated PacketFabric: the API's routes, and a network that speaks.",
        epilog=EPILOG,
    )
    add_network(parser)
    address = Options().listen_address
    parser.add_argument(
        "--listen-address",
        default=address,
        metavar="HOST:PORT",
        help=f"where to answer (default: {address})",
    )
