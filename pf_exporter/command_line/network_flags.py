"""The flags that describe a simulated network."""

from __future__ import annotations

import argparse
from typing import Protocol

from pf_exporter.command_line.argument_types import integer, natural_number, period, positive_integer
from pf_exporter.command_line.usage_errors import unknown_value
from pf_exporter.config import format_duration
from pf_exporter.simulator import FAULTS, Options

_WIDTH = max(map(len, FAULTS))
FAULTS_HELP = "faults:\n" + "".join(f"  {name:<{_WIDTH}}  {text}\n" for name, text in FAULTS.items())


class ArgumentType(Protocol):
    """Converts the text of an argument."""

    def __call__(self, text: str, /) -> float:
        """The number; raises ValueError or ``argparse.ArgumentTypeError``."""


def _fault(text: str) -> str:
    name = text.partition(":")[0]
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(unknown_value(name, FAULTS))
    return text


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`simulator_options` reads."""
    defaults = Options()
    group = parser.add_argument_group("the simulated network")

    def add(flag: str, metavar: str, help: str, kind: ArgumentType, default: float) -> None:
        shown = format_duration(default) if kind is period else f"{default:g}"
        help = f"{help}. Default: {shown}."
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=help)

    add("--ports", "N", "Number of ports, including LAGs", positive_integer, defaults.ports)
    add("--vcs", "N", "Number of virtual circuits", natural_number, defaults.vcs)
    add("--interval", "DURATION", "Time between two samples", period, defaults.interval)
    add("--seed", "N", "Seed of the network and its traffic", integer, defaults.seed)
    add("--max-connection", "DURATION", "Age at which a stream is ended", period, defaults.max_connection)
    group.add_argument(
        "--fault",
        action="append",
        type=_fault,
        default=[],
        metavar="NAME[:N]",
        help="Inject a fault, see below; can be repeated.",
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
