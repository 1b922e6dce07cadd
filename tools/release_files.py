"""Write rules, dashboards and the mixin as files of a release: ``python -m tools.release_files --to DIR``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from grafana.export import for_grafana_com
from pf_exporter import __version__
from pf_exporter.assets import asset_files
from tools import generate_rules
from tools.archives import write_archive


def release_archives(runbook_base: str) -> Mapping[str, Mapping[str, bytes]]:
    """Return the files of each archive; links to the runbook are below ``runbook_base``, if it is given."""
    assets = {name: path.read_bytes() for name, path in asset_files().items()}
    groups = generate_rules.evaluate(generate_rules.overrides_of(runbook_base, None))
    rules = {name: generate_rules.text(name, content).encode() for name, content in groups.items()}
    boards = {
        Path(name).name: data for name, data in assets.items() if name.startswith("grafana/dashboards/")
    }
    return {
        "rules": rules,
        "dashboards": boards,
        "dashboards-grafana-com": {
            name: for_grafana_com(data.decode()).encode() for name, data in boards.items()
        },
        "mixin": {name: data for name, data in assets.items() if not name.endswith(".yml")},
    }


def write_release_files(folder: Path, runbook_base: str) -> None:
    """Write an archive for each kind of file."""
    for kind, files in release_archives(runbook_base).items():
        name = f"packetfabric-{kind}-{__version__}"
        contents = {f"{name}/{path}": data for path, data in files.items()}
        write_archive(folder / f"{name}.tar.gz", contents)


def main() -> None:
    """Write the files that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m tools.release_files", description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="folder for the archives")
    parser.add_argument("--runbook-base", default="", help="URL of the project's files, for runbook links")
    options = parser.parse_args()
    write_release_files(options.to, options.runbook_base)


if __name__ == "__main__":
    main()
