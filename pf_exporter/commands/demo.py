"""``demo``: the exporter on a simulated PacketFabric."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pf_exporter.command_line import (
    SIMULATOR_HELP,
    add_network_flags,
    add_settings,
    simulator_options,
    start_log,
)
from pf_exporter.config import Account, Secret, add_former_flag, load, reachable_address
from pf_exporter.process import TERMINATION, ExitCode, SignalWaiter, echo

if TYPE_CHECKING:
    from pf_exporter.server import Server

DEFAULTS = {"web.listen_address": "127.0.0.1:10054"}
"""The settings with another default than the exporter's, by key."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Run the exporter on a simulated PacketFabric, on this machine only. Settings come from flags\n"
        "and --config.file; environment variables are ignored."
    )
    parser.epilog = SIMULATOR_HELP
    flags = add_settings(parser, DEFAULTS, from_environment=False)
    add_former_flag(parser, "--listen-address", flags["--web.listen-address"])
    add_network_flags(parser)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Run the simulator and the exporter until a signal arrives."""
    from pf_exporter.service import serve
    from pf_exporter.simulator import Simulator

    # Without the environment, which may name the configuration of a real account.
    settings = load(arguments, {}, need_account=False, defaults=DEFAULTS)
    signals = SignalWaiter(*TERMINATION)
    start_log(settings)
    with Simulator(simulator_options(arguments, "127.0.0.1:0")) as simulator:
        account = Account(
            name="demo",
            api_url=simulator.url,
            login=Secret(simulator.login),
            password=Secret(simulator.password),
        )

        def print_urls(server: Server) -> None:
            echo(f"Simulated PacketFabric: {simulator.url}")
            for address in map(reachable_address, server.addresses):
                url = f"{'https' if server.has_tls else 'http'}://{address}"
                echo(f"Status page:            {url}/")
                echo(f"Metrics:                {url}{settings.web.telemetry_path}")
            echo("Stop with Ctrl-C.")

        config = dataclasses.replace(settings, accounts=(account,))
        return serve(config, signals, on_listening=print_urls)
