"""``record``: the streams of the configured accounts, in a file."""

from __future__ import annotations

import argparse
import functools
import os
import time
from collections.abc import Mapping
from datetime import timedelta

from pf_exporter.command_line import add_settings, seconds, start_log
from pf_exporter.config import add_former_flag, format_duration, load
from pf_exporter.formatting import si
from pf_exporter.process import TERMINATION, ExitCode, Progress, ProgressLine, SignalWaiter, echo

DESCRIPTION = """\
Record the streams of the configured accounts, as they arrive, until Ctrl-C. An existing recording
is continued. Pseudonyms replace user names, addresses, messages and circuit IDs, so that the
recording can be shared; measurements and times are kept. The recording is one file of any size:
record.limit and record.kept apply only to the exporter's --record.file."""

EPILOG = "exit codes: 0 events were recorded, 6 no event arrived; others as for pf-exporter check\n"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    flags = add_settings(parser, {"record.redact": "true"})
    parser.add_argument(
        "file", metavar="FILE", help="The recording; FILE.part until it is compressed at the end."
    )
    parser.add_argument("--duration", type=seconds, metavar="DURATION", help="Stop after this time.")
    add_former_flag(parser, "--redact", flags["--record.redact"])
    add_former_flag(parser, "--no-redact", flags["--no-record.redact"])


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Record until a signal arrives or the time is up."""
    from pf_exporter.recording import RecordingWriter, redaction_for
    from pf_exporter.service import StreamRunner
    from pf_exporter.stream import EventProcessor

    config = load(arguments, environ)
    handler = start_log(config)
    redact = config.record.redact
    signals = SignalWaiter(*TERMINATION)
    recorder = RecordingWriter(arguments.file, redaction=redaction_for(config.accounts) if redact else None)
    runner = StreamRunner(
        config, signals, create_processor=functools.partial(EventProcessor, recorder=recorder)
    )
    started = time.monotonic()

    def progress() -> Progress:
        elapsed, duration = time.monotonic() - started, arguments.duration
        limit = f" of {format_duration(duration)}" if duration else ""
        size = si(sum(stats.bytes for stats in runner.stats), "B")
        text = f"{timedelta(seconds=int(elapsed))}{limit}, {runner.event_count:,} events, {size} received"
        return Progress(text, elapsed / duration if duration else None)

    with ProgressLine(progress, handler):
        runner.run(arguments.duration)
        recorder.close()
    events = runner.event_count
    how = "redacted" if redact else "as received: it contains names, addresses and messages"
    path = recorder.current_path
    echo(f"{events:,} events recorded; {path} has {os.path.getsize(path):,} bytes, {how}")
    if recorder.problem is not None:
        echo(f"{recorder.problem}; {recorder.stats.lost:,} frames and marks lost")
    if runner.failure is not None or recorder.problem is not None:
        return ExitCode.FAILED
    return ExitCode.OK if events else ExitCode.NO_EVENTS
