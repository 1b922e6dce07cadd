"""``record``: the streams, into a file."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Mapping

from pf_exporter.commands import common
from pf_exporter.commands.common import DIED, OK, SILENT, Commands, echo, seconds
from pf_exporter.commands.export import TERMINATION
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.commands.streaming import StreamRunner
from pf_exporter.config import load
from pf_exporter.log import configure_logging
from pf_exporter.recording import RecordingWriter, redaction_for
from pf_exporter.stream import EventProcessor

DESCRIPTION = """\
Record the streams of the configured accounts until Ctrl-C. An existing recording is continued. User names,
addresses, messages and circuit IDs are replaced by pseudonyms, so that the recording can be shared;
measurements and times are kept.
"""


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Record until a signal or the end of time."""
    config = load(arguments, environ)
    configure_logging(config.log.level, config.log.format)
    signals = SignalWaiter(*TERMINATION)
    recorder = RecordingWriter(
        arguments.file, redaction=redaction_for(config.accounts) if arguments.redact else None
    )
    live = StreamRunner(
        config, signals, create_processor=functools.partial(EventProcessor, recorder=recorder)
    )
    live.run(arguments.duration)
    recorder.close()
    events = sum(sum(pipeline.stats.events.values()) for pipeline in live.pipelines.values())
    how = "redacted" if arguments.redact else "as received: it holds names, addresses and messages"
    path = recorder.current_path
    echo(f"{events:,} events recorded; {path} has {os.path.getsize(path):,} bytes, {how}")
    if recorder.problem is not None:
        echo(f"{recorder.problem}; {recorder.lost:,} frames and marks lost")
    if live.failure is not None or recorder.problem is not None:
        return DIED
    return OK if events else SILENT


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "record",
        run,
        help="record the streams to a file",
        description=DESCRIPTION,
        epilog="exit codes: 0 events were recorded, 6 none came; others as of pf-exporter check\n",
        settings=True,
    )
    parser.add_argument("file", metavar="FILE", help="the recording, compressed with gzip at the end; FILE.part while recording")
    parser.add_argument("--duration", type=seconds, default=None, metavar="TIME", help="end after this long")
    parser.add_argument(
        "--redact",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="replace what names a person, a place or a circuit (default: yes)",
    )
