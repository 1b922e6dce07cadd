"""The flags that describe a simulated network."""

from __future__ import annotations

import argparse
from typing import Protocol

from pf_exporter.command_line.argument_types import integer, natural_number, positive_integer, seconds
from pf_exporter.config import format_duration
from pf_exporter.simulator import FAULTS, Options

_WIDTH = max(map(len, FAULTS))
FAULTS_HELP = "faults:\n" + "".join(f"  {name:<{_WIDTH}}  {text}\n" for name, text in FAULTS.items())


class ArgumentType(Protocol):
    """Converts the text of an argument."""

    def __call__(self, text: str, /) -> float:
        """The number; raises ValueError or ``argparse.ArgumentTypeError``."""


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`simulator_options` reads."""
    defaults = Options()
    group = parser.add_argument_group("the simulated network")

    def add(flag: str, metavar: str, help: str, kind: ArgumentType, default: float) -> None:
        shown = format_duration(default) if kind is seconds else f"{default:g}"
        help = f"{help} (default: {shown})"
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=help)

    add("--ports", "N", "number of ports, including LAGs", positive_integer, defaults.ports)
    add("--vcs", "N", "number of virtual circuits", natural_number, defaults.vcs)
    add("--interval", "TIME", "time between two samples", seconds, defaults.interval)
    add("--seed", "N", "seed of the network and its traffic", integer, defaults.seed)
    add("--max-connection", "TIME", "longest duration of a stream", seconds, defaults.max_connection)
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:N]",
        help="inject a fault, see below; may be repeated",
    )


def simulator_options(arguments: argparse.Namespace, listen_address: str) -> Options:
    """The options that the flags describe."""
    return Options(
        ports=arguments.ports,
        vcs=arguments.vcs,
        interval=arguments.interval,
        seed=arguments.seed,
        max_connection=arguments.max_connection,
        faults=tuple(arguments.fault),
        listen_address=listen_address,
    )
