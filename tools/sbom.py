"""Writes the list of what an image consists of, in CycloneDX: ``python -m tools.sbom``."""

from __future__ import annotations

import configparser
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pf_exporter import __version__

ROOT = Path(__file__).parents[1]
OURSELVES = "pf-exporter (setup.cfg)"
"""How the lock calls this project where something is needed by it."""


class Entry(NamedTuple):
    """One version of one package in the lock."""

    name: str
    version: str
    marker: str
    """For which Pythons, as in PEP 508; empty for all."""
    hashes: Sequence[str]
    """SHA-256 of each file that may be it, in hex."""
    needed_by: Sequence[str]
    """Names of packages, or :data:`OURSELVES`."""


def entries(lock: str) -> list[Entry]:
    """What a file of locked requirements holds, in its order."""
    found = []
    for text in re.split(r"(?m)^(?=[\w.-]+==)", lock)[1:]:
        head, _, needed_by = text.partition("# via")
        first, *hashes = re.split(r"\s*\\\n\s*--hash=sha256:", head.strip())
        pin, _, marker = first.partition(" ; ")
        name, _, version = pin.partition("==")
        lines = (line.strip(" #") for line in needed_by.splitlines())
        found.append(Entry(name, version, marker, hashes, [line for line in lines if line]))
    return found


def _purl(entry: Entry) -> str:
    return f"pkg:pypi/{entry.name}@{entry.version}"


def _component(entry: Entry) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": one} for one in entry.hashes]
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(entry),
        "name": entry.name,
        "version": entry.version,
        "purl": _purl(entry),
        # Each hash is that of one file; the files are for different machines and Pythons.
        "externalReferences": [{"type": "distribution", "url": _purl(entry), "hashes": hashes}],
    }
    if entry.marker:
        component["properties"] = [{"name": "pf_exporter:only_where", "value": entry.marker}]
    return component


def bill(lock: str) -> dict[str, Any]:
    """The list for a file of locked requirements, as JSON has it: the exporter, and all it needs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    about = setup["metadata"]
    root = f"pkg:generic/{about['name']}@{__version__}"
    locked = entries(lock)
    needs = {root: [_purl(entry) for entry in locked if OURSELVES in entry.needed_by]}
    needs |= {_purl(one): [_purl(entry) for entry in locked if one.name in entry.needed_by] for one in locked}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": about["name"],
                "version": __version__,
                "description": about["description"],
                "licenses": [{"license": {"id": about["license"]}}],
                "purl": root,
            }
        },
        "components": [_component(entry) for entry in locked],
        "dependencies": [{"ref": ref, "dependsOn": needed} for ref, needed in needs.items()],
    }


if __name__ == "__main__":
    json.dump(bill((ROOT / "requirements.txt").read_text(encoding="utf-8")), sys.stdout, indent=2)
    sys.stdout.write("\n")
