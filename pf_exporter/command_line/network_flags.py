"""The flags that describe a simulated network."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Mapping

from pf_exporter.command_line.argument_types import integer, natural_number, period, positive_integer
from pf_exporter.command_line.usage_errors import unknown_value
from pf_exporter.config import format_duration
from pf_exporter.simulator import FAULTS, MAINTENANCES, RESOURCE_NAMES, Options


def _table(title: str, rows: Mapping[str, str]) -> str:
    """Return names with their descriptions, under a title."""
    width = max(map(len, rows))
    return f"{title}:\n" + "".join(f"  {name:<{width}}  {text}\n" for name, text in rows.items())


SIMULATOR_HELP = "\n".join(
    (
        _table("maintenances", MAINTENANCES),
        _table("faults", FAULTS),
        "resources of the faults poll-… (all without one):\n"
        + textwrap.fill(
            ", ".join(RESOURCE_NAMES), 98, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        ),
    )
)
"""What the values of ``--maintenance`` and ``--fault`` mean."""
_NO_MAINTENANCE = "none"


def _one_of(names: Mapping[str, str], *others: str) -> Callable[[str], str]:
    """A type for one of these names, with or without arguments after a colon."""

    def parse(text: str) -> str:
        name = text.partition(":")[0]
        if name not in (*names, *others):
            raise argparse.ArgumentTypeError(unknown_value(name, names))
        return text

    return parse


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that :func:`simulator_options` reads."""
    defaults = Options()
    group = parser.add_argument_group("the simulated network")

    def add(flag: str, metavar: str, help: str, kind: Callable[[str], float], default: float) -> None:
        shown = format_duration(default) if kind is period else f"{default:g}"
        help = f"{help}. Default: {shown}."
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=help)

    add("--ports", "N", "Number of ports, including LAGs", positive_integer, defaults.ports)
    add("--vcs", "N", "Number of virtual circuits", natural_number, defaults.vcs)
    add("--ordered", "N", "Number of inactive ports and circuits to add", natural_number, defaults.ordered)
    add("--interval", "DURATION", "Time between two samples", period, defaults.interval)
    add("--seed", "N", "Seed of the network and its traffic", integer, defaults.seed)
    add("--max-connection", "DURATION", "Age at which a stream is ended", period, defaults.max_connection)
    group.add_argument(
        "--maintenance",
        action="append",
        type=_one_of(MAINTENANCES, _NO_MAINTENANCE),
        metavar="NAME[:PORT]",
        help=f"Simulate a maintenance, see below, or {_NO_MAINTENANCE}; can be repeated. "
        f"Default: {' and '.join(defaults.maintenances)}.",
    )
    group.add_argument(
        "--fault",
        action="append",
        type=_one_of(FAULTS),
        default=[],
        metavar="NAME[:RESOURCE][:N]",
        help="Inject a fault, see below; can be repeated.",
    )


def simulator_options(arguments: argparse.Namespace, listen_address: str) -> Options:
    """The options that the flags describe."""
    maintenances = Options.maintenances if arguments.maintenance is None else arguments.maintenance
    return Options(
        ports=arguments.ports,
        vcs=arguments.vcs,
        interval=arguments.interval,
        seed=arguments.seed,
        max_connection=arguments.max_connection,
        ordered=arguments.ordered,
        maintenances=tuple(name for name in maintenances if name != _NO_MAINTENANCE),
        faults=tuple(arguments.fault),
        listen_address=listen_address,
    )
