"""Write the SBOM of an image in CycloneDX: ``python -m tools.sbom``."""

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
THIS_PROJECT = "pf-exporter (setup.cfg)"
"""The name of this project in the lock, where a package is required by it."""


class LockedPackage(NamedTuple):
    """One version of one package in the lock."""

    name: str
    version: str
    marker: str
    """The environments that it is for, as in PEP 508; empty for all."""
    hashes: Sequence[str]
    """SHA-256 of each of its files, in hex."""
    required_by: Sequence[str]
    """Names of packages, or :data:`THIS_PROJECT`."""


def parse_lock(lock: str) -> list[LockedPackage]:
    """Parse a file of locked requirements."""
    packages = []
    for text in re.split(r"(?m)^(?=[\w.-]+==)", lock)[1:]:
        head, _, required_by = text.partition("# via")
        first, *hashes = re.split(r"\s*\\\n\s*--hash=sha256:", head.strip())
        pin, _, marker = first.partition(" ; ")
        name, _, version = pin.partition("==")
        lines = (line.strip(" #") for line in required_by.splitlines())
        packages.append(LockedPackage(name, version, marker, hashes, [line for line in lines if line]))
    return packages


def _purl(package: LockedPackage) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def _component(package: LockedPackage) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": digest} for digest in package.hashes]
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(package),
        "name": package.name,
        "version": package.version,
        "purl": _purl(package),
        # One hash per file; the files are for different platforms and Python versions.
        "externalReferences": [{"type": "distribution", "url": _purl(package), "hashes": hashes}],
    }
    if package.marker:
        component["properties"] = [{"name": "pf_exporter:only_where", "value": package.marker}]
    return component


def create_sbom(lock: str) -> dict[str, Any]:
    """Return the SBOM as JSON data: the exporter, and the packages in a file of locked requirements."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    metadata = setup["metadata"]
    root = f"pkg:generic/{metadata['name']}@{__version__}"
    packages = parse_lock(lock)
    dependencies = {root: [_purl(package) for package in packages if THIS_PROJECT in package.required_by]}
    for parent in packages:
        dependencies[_purl(parent)] = [
            _purl(package) for package in packages if parent.name in package.required_by
        ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": metadata["name"],
                "version": __version__,
                "description": metadata["description"],
                "licenses": [{"license": {"id": metadata["license_expression"]}}],
                "purl": root,
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [{"ref": ref, "dependsOn": required} for ref, required in dependencies.items()],
    }


if __name__ == "__main__":
    json.dump(create_sbom((ROOT / "requirements.txt").read_text(encoding="utf-8")), sys.stdout, indent=2)
    sys.stdout.write("\n")
