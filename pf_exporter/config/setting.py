"""One setting as data: its key, type, default and help."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NamedTuple, TypeVar

from pf_exporter.config.types import SettingType

T = TypeVar("T")


class Setting(NamedTuple):
    """One setting of a section."""

    key: str
    """The key in the file, with its section: ``stream.idle_timeout``."""
    type: SettingType[Any]
    default: str
    help: str
    custom_flag: str = ""
    """The flag, where Prometheus' own exporters call it differently."""
    former_flag: str = ""
    """A flag of an earlier version that still works; empty if there is none."""

    @property
    def flag(self) -> str:
        """The command-line flag, such as ``--stream.idle-timeout``."""
        return self.custom_flag or "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as ``PF_EXPORTER_STREAM_IDLE_TIMEOUT``."""
        return "PF_EXPORTER_" + self.key.replace(".", "_").upper()


def setting(type_: SettingType[T], default: str, help: str, *, flag: str = "", former_flag: str = "") -> T:
    """A field of a section's dataclass; ``flag`` replaces the flag derived from the key.

    The return type is that of the attribute, so that type checkers see a section as a plain dataclass.
    """
    row = {
        "type": type_,
        "default": default,
        "help": help,
        "custom_flag": flag,
        "former_flag": former_flag,
    }
    return field(default=type_.parse(default), metadata=row)
