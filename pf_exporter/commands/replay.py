"""``replay``: the exporter on a recording."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import time
from collections.abc import Mapping

from pf_exporter.command_line import add_settings, speed, start_log
from pf_exporter.config import load
from pf_exporter.log import Logger
from pf_exporter.process import TERMINATION, ExitCode, Progress, ProgressLine, SignalWaiter

log = Logger(__name__)

DESCRIPTION = """\
Run the exporter on a recording instead of an account: the same events give the same metrics.
Nothing connects to PacketFabric. At the end of the recording the last values stay, until Ctrl-C."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    add_settings(parser)
    parser.add_argument("file", metavar="FILE", help="The recording.")
    parser.add_argument(
        "--speed",
        type=speed,
        default=1.0,
        metavar="N",
        help="Replay N times as fast; 0 means without pauses. Default: 1.",
    )
    parser.add_argument("--loop", action="store_true", help="Start over at the end.")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Serve the metrics of a recording until a signal arrives."""
    from pf_exporter.service import (
        Exporter,
        ReplayClock,
        Replayer,
        ReplayPipeline,
        accounts,
        log_listening,
        time_span,
    )

    config = load(arguments, environ, need_account=False)
    handler = start_log(config)
    # The end of a recording is no silence of PacketFabric: the last values do not expire.
    series = dataclasses.replace(config.series, ttl=math.inf)
    config = dataclasses.replace(config, accounts=accounts(arguments.file), series=series)
    signals = SignalWaiter(*TERMINATION)
    failures: list[BaseException] = []

    def on_end(exc: BaseException | None) -> None:
        if exc is None:
            log.info("end of the recording", file=arguments.file, lines=replayer.replayed)
        else:
            failures.append(exc)
            signals.end()

    wall = ReplayClock()
    exporter = Exporter(
        config,
        on_failure=signals.end,
        create_pipeline=functools.partial(ReplayPipeline, wall=wall),
        wall=wall,
    )
    replayer = Replayer(
        arguments.file, exporter.pipelines, wall, speed=arguments.speed, loop=arguments.loop, on_end=on_end
    )
    span = functools.cache(functools.partial(time_span, arguments.file))  # Read only if it is shown.

    def progress() -> Progress | None:
        if replayer.has_ended or not wall.now:
            return None
        first, last = span()
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(wall.now))
        text = f"replaying {at} UTC, {replayer.replayed:,} lines"
        return Progress(text, (wall.now - first) / (last - first) if last > first else None)

    log_listening(exporter)
    with exporter, ProgressLine(progress, handler):
        replayer.start()
        signals.wait()
        replayer.stop()
    return ExitCode.FAILED if failures or exporter.failed else ExitCode.OK
