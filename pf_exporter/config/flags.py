"""Settings as command-line flags."""

from __future__ import annotations

import argparse

from pf_exporter.config.loader import FILE_VARIABLE
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import SETTINGS
from pf_exporter.config.types import BOOLEAN

FLAGS = {
    "--config.file": f"Path of the configuration file (YAML); also {FILE_VARIABLE}.",
    "--config.check": "Check the configuration, report all problems, and exit.",
    "--version": "Print the version and exit.",
}
"""The help of the flags that are not settings."""


def add_flags(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    """Add every flag to the parser; to that of a command only ``--config.file`` and hidden settings.

    The namespace holds each setting under its dotted key, as unchecked text (None if not given), and
    ``config_file`` (None or a path), ``config_check`` and ``version`` (bool).
    """
    parser.allow_abbrev = False  # A later setting could make an abbreviation ambiguous.
    if of_command:
        # A flag's absence after the command must not override the flag before it.
        parser.argument_default = argparse.SUPPRESS
    for flag, help in FLAGS.items():
        dest = flag.lstrip("-").replace(".", "_")
        if flag == "--config.file":
            parser.add_argument(flag, dest=dest, help=help, metavar="PATH")
        elif not of_command:
            parser.add_argument(flag, dest=dest, help=help, action="store_true")
    for setting in SETTINGS:
        _add_setting(parser, setting, hidden=of_command)


def _add_setting(parser: argparse.ArgumentParser, setting: Setting, *, hidden: bool) -> None:
    is_boolean = setting.type is BOOLEAN
    negation = setting.flag.replace("--", "--no-", 1)
    help = f"{setting.help} Default: {setting.default or 'none'}."
    if is_boolean and setting.default == "true":
        help += f" Use {negation} to disable."
    help = argparse.SUPPRESS if hidden else help.replace("%", "%%")
    if not is_boolean:
        action = "append" if setting.type.repeatable else "store"
        parser.add_argument(
            setting.flag, dest=setting.key, help=help, action=action, metavar=setting.type.metavar
        )
        return
    parser.add_argument(setting.flag, dest=setting.key, help=help, action="store_const", const="true")
    parser.add_argument(
        negation, dest=setting.key, help=argparse.SUPPRESS, action="store_const", const="false"
    )
