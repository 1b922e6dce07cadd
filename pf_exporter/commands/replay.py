"""``replay``: the exporter on a recording."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Mapping
from functools import partial

from pf_exporter.commands import common
from pf_exporter.commands.common import DIED, OK, Commands
from pf_exporter.commands.export import TERMINATION
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.config import load
from pf_exporter.log import Logger, configure_logging
from pf_exporter.service import Clock, Exporter, Replayer, ReplayPipeline, accounts

log = Logger(__name__)

DESCRIPTION = """\
Run the exporter on a recording in the place of an account: the same events, the same metrics. Nothing is
asked of PacketFabric. When the recording is over its last numbers stay, until Ctrl-C.
"""


def speed(text: str) -> float:
    """How many times as fast; 0 is without a pause."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError("expected a number, such as 60, or 0 for no pauses")
    return number or math.inf


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve what the recording makes of the metrics, until a signal comes."""
    config = load(arguments, environ, need_account=False)
    configure_logging(config.log.level, config.log.format)
    # What was last heard stays: the recording's end is no silence of PacketFabric's.
    series = dataclasses.replace(config.series, ttl=math.inf)
    config = dataclasses.replace(config, accounts=accounts(arguments.file), series=series)
    signals = SignalWaiter(*TERMINATION)
    bugs: list[BaseException] = []

    def ended(exc: BaseException | None) -> None:
        if exc is None:
            log.info("the recording is over", file=arguments.file, lines=player.replayed)
        else:
            bugs.append(exc)
            signals.end()

    clock = Clock()
    exporter = Exporter(
        config,
        on_failure=signals.end,
        create_pipeline=partial(ReplayPipeline, clock=clock),
        wall=clock,
    )
    player = Replayer(
        arguments.file, exporter.pipelines, clock, speed=arguments.speed, loop=arguments.loop, ended=ended
    )
    with exporter:
        log.info("listening", addresses=" ".join(exporter.server.addresses), accounts=len(config.accounts))
        player.start()
        signals.wait()
        player.stop()
    return DIED if bugs or exporter.failed else OK


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "replay",
        run,
        help="run the exporter on a recording",
        description=DESCRIPTION,
        settings=True,
    )
    parser.add_argument("file", metavar="FILE", help="the recording")
    parser.add_argument(
        "--speed", type=speed, default=1.0, metavar="N", help="N times as fast; 0 without pauses (default: 1)"
    )
    parser.add_argument("--loop", action="store_true", default=False, help="begin again at its end")
