"""``assets``: the rules, dashboards and mixin that belong to this version."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from pf_exporter.process import ExitCode, echo

DESCRIPTION = """\
Write the recording rules, alerts, Grafana dashboards and the mixin of this version to a folder.
If a file exists with other content, nothing is written, unless --overwrite is given."""

EPILOG = """\
examples:
  pf-exporter assets --to packetfabric
  pf-exporter assets --to packetfabric --overwrite    after an upgrade of the exporter

exit codes: 0 written, 2 a file exists with other content, or the folder cannot be written
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("--to", metavar="DIR", required=True, help="Folder to write to; created if missing.")
    parser.add_argument("--overwrite", action="store_true", help="Replace files that have other content.")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Write the files, and print the path of each."""
    from pf_exporter.assets import asset_files, write_assets

    folder = Path(arguments.to)
    for name, outcome in write_assets(asset_files(), folder, overwrite=arguments.overwrite).items():
        echo(f"{outcome.value:9} {folder / name}")
    return ExitCode.OK
