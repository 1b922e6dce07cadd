"""``backfill``: the past of circuits, from the API's history or from a recording."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pf_exporter.command_line import add_backfill_flags, add_settings, scrape_target, start_log
from pf_exporter.config import Config, load
from pf_exporter.errors import ApiError, ConfigError, ExporterError, Unauthorized
from pf_exporter.process import (
    TERMINATION,
    ExitCode,
    Progress,
    ProgressLine,
    SignalWaiter,
    echo,
    echo_error,
)

if TYPE_CHECKING:
    from pf_exporter.backfill import (
        BackfillRequest,
        BackfillRunner,
        Collector,
        ExportedLabels,
        HistoryReader,
        Pace,
        Spool,
    )

DESCRIPTION = """\
Fill gaps, and the time before the first start, with samples that have the same names, labels and
units as those of the exporter: rates of ports, virtual circuits and cloud router connections,
received optical power and bias current, one sample per minute. Counters have no history.
OUTPUT is a file for promtool, or the URL of a VictoriaMetrics, such as http://127.0.0.1:8428."""

EPILOG = """\
examples:
  pf-exporter backfill --since 30d --label job=packetfabric --label instance=pf:10054 history.om
  pf-exporter backfill --gaps --exporter http://127.0.0.1:10054 --label job=packetfabric \\
    --label instance=pf:10054 http://127.0.0.1:8428
  pf-exporter backfill --recording streams.gz --since 2026-01-31 --label job=packetfabric \\
    --label instance=pf:10054 recorded.om

After an interruption, the same command continues where it stopped.
exit codes: 6 nothing to write; others as for pf-exporter check
"""
STOP_TIMEOUT = 5.0
RECENT_HINT = "; the last three hours are left out, --recent includes them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    add_settings(parser)
    add_backfill_flags(parser)


def _problems(arguments: argparse.Namespace) -> list[str]:
    """The problems of the arguments together, one line each."""
    output, problems = arguments.output, []
    if output.startswith(("http://", "https://")):
        parts = urlsplit(output)
        if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
            problems.append("OUTPUT: expected a URL such as http://127.0.0.1:8428, without a password")
    elif Path(output).exists():
        problems.append(f"{output}: the file exists; give the name of a new one")
    if arguments.gaps and not arguments.exporter:
        problems.append("--gaps: needs --exporter")
    if arguments.recording and arguments.exporter:
        problems.append("--recording: has its own labels and times; leave out --exporter")
    return problems


def _request(arguments: argparse.Namespace) -> BackfillRequest:
    """The request that the arguments describe. Raises :class:`ConfigError`."""
    from pf_exporter.backfill import RECENT, BackfillRequest, check_recording, parse_moment

    if arguments.recording:
        check_recording(arguments.recording)
    now = time.time()
    problems = _problems(arguments)
    moments = {"since": 0.0, "until": now if arguments.recent else now - RECENT}
    for name in moments:
        if text := getattr(arguments, name):
            try:
                moments[name] = min(parse_moment(text, now), moments[name] or now)
            except ValueError as exc:
                problems.append(f"--{name}: {exc}")
    if not problems and moments["since"] >= moments["until"]:
        hint = "" if arguments.recent else RECENT_HINT
        problems.append(f"--since: no time between --since and --until{hint}")
    if problems:
        raise ConfigError(problems)
    circuits, labels = tuple(arguments.circuit), dict(arguments.label)
    return BackfillRequest(arguments.output, moments["since"], moments["until"], circuits, labels)


def _spool_path(arguments: argparse.Namespace, request: BackfillRequest) -> Path:
    if arguments.state:
        return Path(arguments.state)
    return Path("backfill.partial" if request.is_import else f"{request.output}.partial")


def _command(arguments: argparse.Namespace) -> str:
    """What has to be the same for a command to continue another."""
    names = ("output", "since", "until", "recent", "circuit", "label", "recording", "exporter", "gaps")
    return json.dumps({name: getattr(arguments, name) for name in names})


def _history(
    config: Config, request: BackfillRequest, spool: Spool, exported: ExportedLabels, pace: Pace
) -> tuple[Collector, list[HistoryReader]]:
    from pf_exporter.backfill import HistoryCollector, HistoryReader
    from pf_exporter.packetfabric import Client, SessionManager

    readers = []
    for account in config.accounts:
        client = Client(account, idle_timeout=config.stream.idle_timeout)
        readers.append((account.name, HistoryReader(client, SessionManager(client, account.name), pace)))
    collector = HistoryCollector(
        readers,
        request,
        spool,
        exported,
        with_connections=config.inventory.cloud_router_connections,
        rate_unit=config.units.rates,
    )
    return collector, [reader for _, reader in readers]


def _recording(
    arguments: argparse.Namespace, config: Config, request: BackfillRequest, spool: Spool
) -> Collector:
    from pf_exporter.backfill import RecordedSamples, RecordingCollector
    from pf_exporter.service import delta_events

    recorded = RecordedSamples(arguments.recording, request, delta_events(config), config.units.rates)
    return RecordingCollector(recorded, spool)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Collect samples, write them, and print how to load them."""
    from pf_exporter.backfill import BackfillRunner, ExportedLabels, Pace, RunningExporter, open_spool

    config = load(arguments, environ, need_account=not arguments.recording)
    handler = start_log(config, quiet=True)
    request, exported = _request(arguments), ExportedLabels()
    target = scrape_target(arguments, arguments.exporter, "--exporter")
    if target is not None:
        try:
            exported = RunningExporter(target).labels()
            if arguments.gaps:
                request = dataclasses.replace(request, gaps=RunningExporter(target).gaps())
        except ApiError as exc:
            echo_error(str(exc))
            return _code_of(exc)
    pace = Pace(arguments.requests_per_minute)
    spool, request = open_spool(_spool_path(arguments, request), request, _command(arguments))
    readers: list[HistoryReader] = []
    if arguments.recording:
        collector = _recording(arguments, config, request, spool)
    else:
        collector, readers = _history(config, request, spool, exported, pace)
    signals = SignalWaiter(*TERMINATION)
    runner = BackfillRunner(request, spool, collector, signals.end)
    with ProgressLine(lambda: Progress(*runner.progress()), handler):
        runner.start()
        signals.wait()
        pace.stop()
        for reader in readers:
            reader.close()
        runner.join(STOP_TIMEOUT)
    hint = "" if arguments.recent else RECENT_HINT
    return _report(request, runner, collector, spool, hint)


def _report(
    request: BackfillRequest, runner: BackfillRunner, collector: Collector, spool: Spool, hint: str
) -> ExitCode:
    """Print one line about the result, with the hint if no gap can be filled."""
    from pf_exporter.backfill import format_moment, reset_cache_url

    again = "the same command continues"
    if runner.error is not None and not isinstance(runner.error, ExporterError):
        echo_error(f"unexpected error: {type(runner.error).__name__}; the log has the details")
        return ExitCode.FAILED
    if runner.error is not None:
        echo_error(f"{runner.error}; {again}")
        return _code_of(runner.error)
    if not runner.is_complete:
        echo_error(f"interrupted {_progress(collector)}; {again}")
        return ExitCode.FAILED
    refused = f"; {collector.refused:,} requests were refused" if collector.refused else ""
    spool.close(delete=True)
    if not runner.samples:
        what = "samples" if collector.done else "gap that contains a whole minute"
        times = f"between {format_moment(request.since)} and {format_moment(request.until)}"
        echo_error(f"nothing to write: no {what} {times}{refused}{'' if collector.done else hint}")
        return ExitCode.NO_EVENTS
    what = f"{runner.samples:,} samples of {runner.series:,} series"
    if request.is_import:
        echo(
            f"{what} sent to {request.output}{refused};"
            f" earlier queries find them after: curl {reset_cache_url(request.output)}"
        )
    else:
        command = f"promtool tsdb create-blocks-from openmetrics {shlex.quote(request.output)} DATA_DIRECTORY"
        echo(f"{what} in {request.output}{refused}; load them with: {command}")
    return ExitCode.OK


def _progress(collector: Collector) -> str:
    if collector.total:
        return f"after {collector.done:,} of {collector.total:,} requests"
    return f"after {collector.done:,} records" if collector.done else "before reading any samples"


def _code_of(error: ExporterError) -> ExitCode:
    if isinstance(error, ConfigError):
        return ExitCode.BAD_CONFIG
    return ExitCode.LOGIN_REJECTED if isinstance(error, Unauthorized) else ExitCode.UNREACHABLE
