"""The file ``copyright`` of a Debian package that contains Python packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

HEADER = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pf_exporter
"""
_HOLDER = re.compile(r"(?im)^[\s*#]*((?:copyright\b|\(c\)|©).{4,160})$")
_YEAR = re.compile(r"\b(19|20)\d\d\b")


def debian_copyright(packages: Path, home: str, url: str) -> str:
    """Return the file for the Python packages in a folder, which is installed below ``home``.

    The texts of their licences are in the package, beside their metadata.
    """
    found = sorted(packages.glob("*.dist-info"))
    if not found:
        raise ValueError(f"{packages} contains no Python packages")
    source = f"Source: {url}\n" if url else ""
    # In this format the last paragraph that matches a file applies.
    found.sort(key=lambda info: not info.name.startswith("pf_exporter-"))
    folder = f"{home}/lib/{packages.parent.name}/{packages.name}"
    return HEADER + source + "".join("\n" + _paragraph(info, folder) for info in found)


def _paragraph(info: Path, folder: str) -> str:
    package = PathDistribution(info)
    files = list(_licence_files(info))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    holders = dict.fromkeys(line for text in texts for line in _holders(text))
    shown = [f"{folder}/{path.relative_to(info.parent)}" for path in files]
    if package.name == "pf_exporter":
        matched, shown = "*", [*shown, "/usr/share/common-licenses/Apache-2.0"]
    else:
        matched = f"{folder.lstrip('/')}/{_module(package)}*"
    separator = "\n "
    text = "\n".join(f"  {path}" for path in shown) or "  not part of the package"
    return (
        f"Files: {matched}\n"
        f"Copyright: {separator.join(holders or [f'the authors of {package.name}'])}\n"
        f"License: {_licence(package)}\n"
        f" Of {package.name} {package.version}; its text:\n{text}\n"
    )


def _licence_files(info: Path) -> Iterator[Path]:
    for path in sorted(info.rglob("*")):
        if path.is_file() and re.match("(?i)licen[cs]e|copying|notice", path.name):
            yield path


def _holders(text: str) -> Iterator[str]:
    for match in _HOLDER.finditer(text):
        line = " ".join(match[1].split())
        if _YEAR.search(line) or line.lower().startswith("copyright (c)"):
            yield line


def _licence(package: Distribution) -> str:
    """Return the SPDX expression; older packages have a free text."""
    metadata = package.metadata
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith("License")]
    texts = metadata.get_all("License-Expression") or []
    texts += [text.rpartition(":: ")[2] for text in classifiers]
    texts += [text.partition("\n")[0] for text in metadata.get_all("License") or []]
    return next((re.sub(r"\s+", "-", text.strip()) for text in texts if text), "other")


def _module(package: Distribution) -> str:
    """Return the name that is imported."""
    names = (package.read_text("top_level.txt") or package.name.replace("-", "_")).split()
    return next((name for name in names if not name.startswith("_")), names[-1])
