"""``tail``: live events in the terminal."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Mapping

from pf_exporter.command_line import add_settings, closest, positive_integer, seconds, start_log, uuid
from pf_exporter.config import load
from pf_exporter.errors import ConfigError, ExporterError
from pf_exporter.process import TERMINATION, ExitCode, SignalWaiter, echo_error, write_stdout
from pf_exporter.schema import EVENT_NAMES, EVENTS
from pf_exporter.tail import EventFilter

EPILOG = """\
examples:
  pf-exporter tail --event 'port|metrics' --circuit 'PF-AP-LAX1-*' --field '*_bps'
  pf-exporter tail --json --count 100 | jq .data
  PF_TOKEN=... pf-exporter tail --subscription-uuid UUID    an existing subscription

Reconnects as the exporter does; standard error shows why it is not streaming.

exit codes: 0 events were shown, 6 no event matched; others as for pf-exporter check
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = "Show the events of the configured accounts as they arrive, until Ctrl-C."
    parser.epilog = EPILOG
    add_settings(parser)
    for flag, what in (
        ("--event", "events, such as 'port|*'"),
        ("--circuit", "circuits, by ID or description"),
        ("--field", "fields, by the API's names"),
    ):
        parser.add_argument(
            flag, action="append", default=[], metavar="PATTERN", help=f"Only these {what}; can be repeated."
        )
    formats = parser.add_mutually_exclusive_group()
    for format, help in (
        ("json", "Print one JSON object per line."),
        ("raw", "Print all bytes as received."),
    ):
        formats.add_argument(
            f"--{format}", dest="format", action="store_const", const=format, default="text", help=help
        )
    parser.add_argument("--zeros", action="store_true", help="Also show fields that are 0.")
    parser.add_argument("--duration", type=seconds, metavar="DURATION", help="Stop after this time.")
    parser.add_argument("--count", type=positive_integer, metavar="N", help="Stop after this many events.")
    parser.add_argument(
        "--subscription-uuid",
        type=uuid,
        metavar="UUID",
        help="Stream this existing subscription, created with the account's token, instead of a new one.",
    )


def _check_patterns(patterns: list[str]) -> None:
    """Raise ConfigError for patterns that match no event of the API, because they are misspelled."""
    problems = []
    for pattern in patterns:
        if not any(map(EventFilter([pattern]).matches_event, EVENT_NAMES)):
            close = closest(pattern, EVENT_NAMES)
            hint = f"did you mean '{close}'?" if close else f"events are {', '.join((*EVENTS, 'customer|*'))}"
            problems.append(f"--event {pattern!r} matches no event; {hint}")
    if problems:
        raise ConfigError(problems)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Print events until a signal arrives, the time is up, the pipe is closed, or the count is reached."""
    from pf_exporter.service import StreamRunner
    from pf_exporter.tail import EventPrinter, OutputFormat, PrintingProcessor

    _check_patterns(arguments.event)
    config = load(arguments, environ)
    if arguments.subscription_uuid and len(config.accounts) != 1:
        raise ConfigError(["--subscription-uuid: needs exactly one account; the configuration has several"])
    start_log(config, quiet=True)
    signals = SignalWaiter(*TERMINATION)

    def description(account: str, circuit: str) -> str:
        return runner.pipelines[account].inventory.description(circuit)

    printer = EventPrinter(
        write_stdout,
        EventFilter(arguments.event, arguments.circuit, arguments.field, arguments.zeros),
        signals.end,
        is_terminal=sys.stdout.isatty(),
        output_format=OutputFormat(arguments.format),
        count=arguments.count,
        names=description,
    )
    runner = StreamRunner(
        config,
        signals,
        create_processor=functools.partial(PrintingProcessor, printer),
        subscription_uuid=arguments.subscription_uuid,
    )
    runner.run(arguments.duration)
    if isinstance(runner.failure, ExporterError):
        echo_error(str(runner.failure))
        return ExitCode.STREAM_REJECTED
    if runner.failure is not None:
        return ExitCode.FAILED
    if not printer.printed:
        echo_error("no event matched")
        return ExitCode.NO_EVENTS
    return ExitCode.OK
