"""``top``: a live table of the busiest circuits."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pf_exporter.command_line import (
    add_scrape_flags,
    add_settings,
    one_of,
    period,
    scrape_target,
    seconds,
    start_log,
)
from pf_exporter.config import Config, load
from pf_exporter.errors import ApiError, ExporterError, Unauthorized
from pf_exporter.log import configure_logging
from pf_exporter.process import STDOUT, TERMINATION, ExitCode, SignalWaiter, discard_output, echo_error

if TYPE_CHECKING:
    from pf_exporter.scrape import ScrapeTarget
    from pf_exporter.top import Source

KINDS = ("ports", "vcs")
SORTS = ("busiest", "receive", "transmit", "errors", "light", "age", "name", "state")
STREAM_INTERVAL, SCRAPE_INTERVAL = 2.0, 5.0
"""Default seconds between two readings."""
REDRAW = 1.0
"""Most seconds between two drawings of a scraped page, whose ages rise between two scrapes."""

EPILOG = """\
examples:
  pf-exporter top
  pf-exporter top --from http://127.0.0.1:10054/metrics
  pf-exporter top --from https://exporter.example.org --user ada --password-file password
  pf-exporter top --once --show vcs --sort state

Without --from it logs in to PacketFabric and opens a stream, as tail does.
Keys: b r t e l a n s sort, Tab ports or virtual circuits, / filter, p pause, ? help, q quit.
exit codes: 6 no data (--once); with --from 3 no metrics, 4 user or password rejected;
others as for pf-exporter check
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = (
        "Show a live table of the busiest circuits: name, state, speed, rates, errors, optical power\n"
        "and age of the last event. Without a terminal, print it as plain lines."
    )
    parser.epilog = EPILOG
    add_settings(parser)
    source = parser.add_argument_group("a running exporter instead of a stream")
    source.add_argument(
        "--from", dest="source", default="", metavar="URL", help="Read the /metrics page of an exporter."
    )
    add_scrape_flags(source)
    parser.add_argument(
        "--show",
        type=one_of(*KINDS),
        choices=KINDS,
        default=KINDS[0],
        help="Table to start with. Default: ports.",
    )
    parser.add_argument(
        "--sort",
        type=one_of(*SORTS),
        choices=SORTS,
        default=SORTS[0],
        metavar="KEY",
        help=f"Sort key: {', '.join(SORTS)}. Default: busiest.",
    )
    parser.add_argument(
        "--filter",
        default="",
        metavar="TEXT",
        help="Only circuits whose name, ID, port or state contains it.",
    )
    parser.add_argument(
        "--interval",
        type=period,
        metavar="DURATION",
        help="Time between two readings. Default: 2s, with --from 5s.",
    )
    parser.add_argument("--once", action="store_true", help="Print one table and exit.")
    parser.add_argument(
        "--within",
        type=seconds,
        default=30.0,
        metavar="DURATION",
        help="With --once, time to wait until all circuits have data. Default: 30s.",
    )


def _is_interactive(arguments: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return terminal and not arguments.once and environ.get("TERM", "dumb") != "dumb"


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Show the table until a key, a signal, or a closed pipe."""
    target = scrape_target(arguments, arguments.source, "--from")
    config = load(arguments, environ, need_account=target is None)
    interactive = _is_interactive(arguments, environ)
    if interactive and sys.stderr.isatty():
        # The screen shows the state of the streams; lines of the log would destroy it.
        configure_logging("error", config.log.format, os.open(os.devnull, os.O_WRONLY))
    else:
        start_log(config, quiet=True)
    screen_signals = (signal.SIGWINCH, signal.SIGTSTP) if interactive else ()
    signals = SignalWaiter(*TERMINATION, signal.SIGHUP, *screen_signals)
    try:
        if target is not None:
            return _from_exporter(arguments, target, signals, interactive=interactive)
        return _from_stream(arguments, config, signals, interactive=interactive)
    except OSError as exc:
        discard_output()
        if exc.errno in (errno.EPIPE, errno.EIO):  # The reader of the pipe, or the terminal, has gone.
            return ExitCode.OK
        echo_error(f"cannot write to standard output: {exc.strerror}")
        return ExitCode.FAILED


def _from_stream(
    arguments: argparse.Namespace, config: Config, signals: SignalWaiter, *, interactive: bool
) -> ExitCode:
    from pf_exporter.service import StreamRunner
    from pf_exporter.stream import EventProcessor
    from pf_exporter.top import StreamSource

    runner = StreamRunner(config, signals, create_processor=EventProcessor)
    source = StreamSource(runner.store, runner.pipelines, polled=bool(config.inventory.interval))
    interval = arguments.interval or STREAM_INTERVAL
    runner.start()
    try:
        code = _show(arguments, source, signals, interval, interactive=interactive)
    finally:
        runner.stop()
    if isinstance(runner.failure, ExporterError):
        echo_error(str(runner.failure))
        return ExitCode.STREAM_REJECTED
    return _failed(runner.failure) if runner.failure is not None else code


def _from_exporter(
    arguments: argparse.Namespace, target: ScrapeTarget, signals: SignalWaiter, *, interactive: bool
) -> ExitCode:
    from pf_exporter.top import ScrapeSource

    failures: list[BaseException] = []

    def on_failure(exc: BaseException) -> None:
        failures.append(exc)
        signals.end()

    interval = arguments.interval or SCRAPE_INTERVAL
    source = ScrapeSource(target, interval, on_failure=on_failure)
    try:
        source.start()
    except ApiError as exc:
        echo_error(str(exc))
        return ExitCode.LOGIN_REJECTED if isinstance(exc, Unauthorized) else ExitCode.UNREACHABLE
    try:
        shown = min(interval, REDRAW) if interactive else interval
        code = _show(arguments, source, signals, shown, interactive=interactive)
    finally:
        source.stop()
    return _failed(failures[0]) if failures else code


def _failed(exc: BaseException) -> ExitCode:
    echo_error(f"unexpected error: {type(exc).__name__}; the log has the details: run it again with 2> FILE")
    return ExitCode.FAILED


def _show(
    arguments: argparse.Namespace,
    source: Source,
    signals: SignalWaiter,
    interval: float,
    *,
    interactive: bool,
) -> ExitCode:
    from pf_exporter.top import (
        Blocked,
        Controls,
        Kind,
        LiveTable,
        Output,
        PlainTables,
        SortKey,
        Terminal,
        View,
    )

    controls = Controls(Kind(arguments.show), SortKey(arguments.sort), filter=arguments.filter)
    encoding = sys.stdout.encoding or "ascii"
    view = View(blocks=encoding.lower().replace("-", "") == "utf8", interactive=interactive)
    output = Output(STDOUT, signals, encoding)
    try:
        if interactive:
            terminal = Terminal(sys.stdin.fileno(), output)
            LiveTable(source, terminal, signals, view, controls, interval=interval).run()
            return ExitCode.OK
        tables = PlainTables(source, signals, view, controls, output, interval=interval)
        if not arguments.once:
            tables.repeat()
        elif not tables.once(arguments.within):
            echo_error(f"no data for {arguments.show} within {arguments.within:g} s")
            return ExitCode.NO_EVENTS
    except Blocked:  # By a reader that does not read, when a signal arrived.
        pass
    return ExitCode.OK
