"""Settings as command-line flags."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from pf_exporter.config.loader import FILE_VARIABLE, FORMER_FLAGS
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import SETTINGS
from pf_exporter.config.types import BOOLEAN

_CONFIG_FILE = "Path of the configuration file (YAML)."
FLAGS = {
    "--config.file": f"{_CONFIG_FILE} Variable: {FILE_VARIABLE}.",
    "--config.check": "Check the configuration, report all problems, and exit.",
    "--version": "Print the version and exit.",
}
"""The help of the flags that are not settings."""


def add_flags(
    parser: argparse.ArgumentParser,
    *,
    of_command: bool = False,
    shown: Mapping[str, str] = MappingProxyType({}),
    from_environment: bool = True,
) -> dict[str, argparse.Action]:
    """Add every flag to the parser, and return the actions of the settings by flag.

    To the parser of a command it adds only ``--config.file`` and the settings; help contains only those whose
    keys are in ``shown``, with the command's default, and the variable for the file only if the command reads
    settings ``from_environment``. The namespace holds each setting under its dotted key,
    as unchecked text (None if not given), and ``config_file`` (None or a path), ``config_check`` and
    ``version`` (bool).
    """
    parser.allow_abbrev = False  # A later setting could make an abbreviation ambiguous.
    # A flag's absence after the command must not override the flag before it.
    absent = argparse.SUPPRESS if of_command else None
    for flag, help in FLAGS.items():
        dest = flag.lstrip("-").replace(".", "_")
        if flag == "--config.file":
            shown_help = help if from_environment else _CONFIG_FILE
            parser.add_argument(flag, dest=dest, default=absent, help=shown_help, metavar="PATH")
        elif not of_command:
            names = ["-V", flag] if flag == "--version" else [flag]
            parser.add_argument(*names, dest=dest, help=help, action="store_true")
    actions: dict[str, argparse.Action] = {}
    for setting in SETTINGS:
        shown_default = shown.get(setting.key) if of_command else setting.default
        actions |= _add_setting(parser, setting, shown_default, absent)
        if setting.former_flag:
            add_former_flag(parser, setting.former_flag, actions[setting.flag])
    return actions


def _add_setting(
    parser: argparse.ArgumentParser, setting: Setting, shown_default: str | None, absent: str | None
) -> dict[str, argparse.Action]:
    """Add the flags of a setting, hidden without a default to show; ``absent`` is the value without them."""
    is_boolean = setting.type is BOOLEAN
    negation = setting.flag.replace("--", "--no-", 1)
    help = argparse.SUPPRESS
    if shown_default is not None:
        help = f"{setting.help} Default: {shown_default or 'none'}.".replace("%", "%%")
        if is_boolean and shown_default == "true":
            help += f" Use {negation} to disable."
    common: dict[str, Any] = {"dest": setting.key, "default": absent}
    if is_boolean:
        common["action"] = "store_const"
        true = parser.add_argument(setting.flag, **common, help=help, const="true")
        false = parser.add_argument(negation, **common, help=argparse.SUPPRESS, const="false")
        return {setting.flag: true, negation: false}
    common["action"] = "append" if setting.type.repeatable else "store"
    return {
        setting.flag: parser.add_argument(setting.flag, **common, help=help, metavar=setting.type.metavar)
    }


class _FormerFlag(argparse.Action):
    """A flag of an earlier version: does what its successor does, and notes its use for a warning."""

    def __init__(self, option_strings: list[str], dest: str, *, successor: argparse.Action) -> None:
        super().__init__(
            option_strings,
            dest,
            nargs=successor.nargs,
            const=successor.const,
            default=successor.default,
            type=cast(Any, successor.type),
            metavar=successor.metavar,
            help=argparse.SUPPRESS,
        )
        self._successor = successor

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Set the successor's value."""
        self._successor(parser, namespace, values, option_string)
        used = {
            **getattr(namespace, FORMER_FLAGS, {}),
            self.option_strings[0]: self._successor.option_strings[0],
        }
        setattr(namespace, FORMER_FLAGS, used)


def add_former_flag(parser: argparse.ArgumentParser, former: str, successor: argparse.Action) -> None:
    """Let a flag of an earlier version do what its successor does; help does not contain it."""
    parser.add_argument(former, dest=successor.dest, action=_FormerFlag, successor=successor)


def is_former_flag(action: argparse.Action) -> bool:
    """Whether an argument is a flag of an earlier version."""
    return isinstance(action, _FormerFlag)
