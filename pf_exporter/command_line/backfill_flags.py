"""The flags of ``backfill``."""

from __future__ import annotations

import argparse

from pf_exporter.command_line.argument_types import label, positive_integer
from pf_exporter.command_line.scrape_flags import add_scrape_flags


def add_backfill_flags(parser: argparse.ArgumentParser) -> None:
    """Add what to fill, from where, and to where."""
    parser.add_argument("output", metavar="OUTPUT", help="A new file, or the URL of VictoriaMetrics.")
    time_help = "A time such as 2026-01-31T12:00:00Z, or a duration before now."
    parser.add_argument("--since", default="24h", metavar="TIME", help=f"{time_help} Default: 24h.")
    parser.add_argument("--until", default="", metavar="TIME", help="The same. Default: three hours ago.")
    parser.add_argument(
        "--recent",
        action="store_true",
        help="Also fill the last three hours, which Prometheus cannot load yet.",
    )
    parser.add_argument(
        "--circuit",
        action="append",
        default=[],
        metavar="PATTERN",
        help="Only circuits or ports whose ID matches, such as 'PF-AP-LAX*'; can be repeated.",
    )
    parser.add_argument(
        "--label",
        type=label,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Label to add, such as job and instance as in Prometheus; can be repeated.",
    )
    parser.add_argument(
        "--recording", default="", metavar="FILE", help="Read a recording made with --no-record.redact."
    )
    parser.add_argument(
        "--requests-per-minute",
        type=positive_integer,
        default=60,
        metavar="N",
        help="Maximum number of requests to the API per minute. Default: 60.",
    )
    parser.add_argument(
        "--state",
        default="",
        metavar="FILE",
        help="File for unfinished work. Default: OUTPUT.partial, or backfill.partial for a URL.",
    )
    running = parser.add_argument_group("a running exporter")
    running.add_argument(
        "--exporter",
        default="",
        metavar="URL",
        help="Label circuits as the /metrics page of this exporter does.",
    )
    running.add_argument("--gaps", action="store_true", help="Fill only the gaps that it recorded.")
    add_scrape_flags(running)
