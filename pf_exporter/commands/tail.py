"""``tail``: the live events, in the terminal."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pf_exporter.commands import common
from pf_exporter.commands.common import DIED, NO_STREAM, OK, SILENT, Commands, drop_output, seconds, whole
from pf_exporter.commands.event_printer import EventPrinter, Filters
from pf_exporter.commands.export import TERMINATION
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.commands.streaming import StreamRunner
from pf_exporter.config import UUID, load
from pf_exporter.errors import ConfigError, ExporterError
from pf_exporter.log import configure_logging
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.schema import EVENT_NAMES, EVENTS
from pf_exporter.stream import EventProcessor

EPILOG = """\
examples:
  pf-exporter tail --event 'port|metrics' --circuit 'PF-AP-LAX1-*' --field '*_bps'
  pf-exporter tail --json --count 100 | jq .data
  PF_TOKEN=... pf-exporter tail --subscription-uuid UUID    a bundle made elsewhere, by Terraform say

It reconnects as the exporter does; why it is not streaming is said on standard error.
exit codes: 0 events were shown, 6 none came; others as of pf-exporter check
"""


class _Shown(EventProcessor):
    """An intake that shows what it takes."""

    def __init__(self, screen: EventPrinter, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._screen = screen

    def passing(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Show the bytes, where bytes are wanted."""
        for chunk in chunks:
            self._screen.raw(chunk)
            yield chunk

    def accept(self, frame: ServerSentEvent) -> None:
        """Show the event, and take it."""
        self._screen.event(self._account, frame)
        super().accept(frame)


def _uuid(text: str) -> str:
    try:
        return UUID.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def _fits_nothing(pattern: str) -> bool:
    return not any(map(Filters([pattern]).wants_event, EVENT_NAMES))


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show events until a signal, the end of time or of the pipe, or enough of them."""
    config = load(arguments, environ)
    if arguments.subscription_uuid and len(config.accounts) != 1:
        raise ConfigError(["--subscription-uuid: goes with one account; the configuration has several"])
    configure_logging("warn" if config.log.level == "info" else config.log.level, config.log.format)
    signals = SignalWaiter(*TERMINATION)
    for pattern in filter(_fits_nothing, arguments.event):
        known = ", ".join((*EVENTS, "customer|*"))
        print(f"pf-exporter: no known event fits {pattern!r}; known are {known}", file=sys.stderr)
    filters = Filters(arguments.event, arguments.circuit, arguments.field, arguments.zeros)
    screen = EventPrinter(sys.stdout, filters, signals.end, form=arguments.form, count=arguments.count)
    live = StreamRunner(
        config,
        signals,
        create_processor=functools.partial(_Shown, screen),
        bundle=arguments.subscription_uuid,
    )
    screen.names = lambda account, circuit: live.pipelines[account].inventory.description(circuit)
    live.run(arguments.duration)
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()  # nobody reads any more
    if isinstance(live.failure, ExporterError):
        print(f"pf-exporter: {live.failure}", file=sys.stderr)
        return NO_STREAM
    if live.failure is not None:
        return DIED
    if not screen.shown:
        print("pf-exporter: no event that was asked for came", file=sys.stderr)
        return SILENT
    return OK


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = common.add(
        commands,
        "tail",
        run,
        help="show the live events in the terminal",
        description="Show the events of the configured accounts as they arrive, until Ctrl-C.",
        epilog=EPILOG,
        settings=True,
    )
    for name, what in (
        ("event", "events, such as 'port|*'"),
        ("circuit", "circuits, by id or description"),
        ("field", "fields, by the API's names"),
    ):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="PATTERN", help=f"only these {what}; repeatable"
        )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", dest="form", action="store_const", const="json", default="text", help="one object a line"
    )
    forms.add_argument(
        "--raw",
        dest="form",
        action="store_const",
        const="raw",
        default="text",
        help="the bytes as received, all of them",
    )
    parser.add_argument("--zeros", action="store_true", default=False, help="show fields that are 0 too")
    parser.add_argument("--duration", type=seconds, default=None, metavar="TIME", help="end after this long")
    parser.add_argument("--count", type=whole, default=None, metavar="N", help="end after so many events")
    parser.add_argument(
        "--subscription-uuid",
        type=_uuid,
        default=None,
        metavar="UUID",
        help="stream this bundle, made in the session of the account's token, in place of a new one",
    )
