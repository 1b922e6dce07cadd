"""Settings as command-line flags."""

from __future__ import annotations

import argparse

from pf_exporter.config.loader import FILE_VARIABLE
from pf_exporter.config.settings import SETTINGS
from pf_exporter.config.types import BOOLEAN

FLAGS = {
    "--config.file": f"Read the settings from this YAML file; or {FILE_VARIABLE}.",
    "--config.check": "Check the settings, say what is wrong, and leave.",
    "--version": "Print the version and leave.",
}
"""The flags that are no settings."""


def add_flags(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    """Give the parser every flag; that of a command those of the settings, unlisted but for the file.

    The namespace holds a setting under its dotted key, as text and unchecked (None where not given), and
    ``config_file`` (None or a path), ``config_check`` and ``version`` (bool).
    """
    parser.allow_abbrev = False  # An abbreviation would change its meaning with the next setting.
    if of_command:
        parser.argument_default = argparse.SUPPRESS  # What stands before the command is not undone by it.
    for flag, help in FLAGS.items():
        dest = flag.lstrip("-").replace(".", "_")
        if flag == "--config.file":
            parser.add_argument(flag, dest=dest, help=help, metavar="PATH")
        elif not of_command:
            parser.add_argument(flag, dest=dest, help=help, action="store_true")
    for setting in SETTINGS:
        negation = setting.flag.replace("--", "--no-", 1)
        off = f" {negation} turns it off." if setting.kind is BOOLEAN and setting.default == "true" else ""
        help = f"{setting.help} Default: {setting.default or 'none'}.{off}".replace("%", "%%")
        help = argparse.SUPPRESS if of_command else help
        if setting.kind is BOOLEAN:
            parser.add_argument(setting.flag, dest=setting.key, help=help, action="store_const", const="true")
            parser.add_argument(
                negation, dest=setting.key, help=argparse.SUPPRESS, action="store_const", const="false"
            )
        else:
            action = "append" if setting.kind.repeatable else "store"
            parser.add_argument(
                setting.flag, dest=setting.key, help=help, action=action, metavar=setting.kind.metavar
            )
