"""The flags that give access to the pages of a running exporter."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pf_exporter.config import SecretFile
from pf_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pf_exporter.scrape import ScrapeTarget


def add_scrape_flags(group: argparse._ArgumentGroup) -> None:
    """Add the flags that :func:`scrape_target` reads, besides that of the URL."""
    group.add_argument("--user", default="", metavar="NAME", help="User for basic authentication.")
    group.add_argument(
        "--password-file", default="", metavar="FILE", help="File that contains the user's password."
    )
    group.add_argument(
        "--ca-file", default="", metavar="FILE", help="CA certificates (PEM) to trust instead of the default."
    )


def scrape_target(arguments: argparse.Namespace, url: str, flag: str) -> ScrapeTarget | None:
    """The target of a URL that a flag gives; None without one. Raises :class:`ConfigError`."""
    from pf_exporter.scrape import ScrapeTarget

    if not url:
        for name in ("user", "password_file", "ca_file"):
            if getattr(arguments, name):
                raise ConfigError([f"--{name.replace('_', '-')}: needs {flag}"])
        return None
    file = arguments.password_file
    password = SecretFile(file, "--password-file") if file else None
    target = ScrapeTarget(url, arguments.user, password, arguments.ca_file, flag)
    if problems := target.problems():
        raise ConfigError(problems)
    return target
