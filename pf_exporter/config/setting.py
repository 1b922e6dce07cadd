"""One setting as data: its key, type, default and help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pf_exporter.config.types import (
    SettingType,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """One row: the dotted key in the file, how it is read, the default as one would write it, the help."""

    key: str
    kind: SettingType[Any]
    default: str
    help: str
    usual_flag: str = ""
    """The flag that Prometheus' own exporters have for it, where that is another."""

    @property
    def flag(self) -> str:
        """The same on the command line, such as ``--stream.idle-timeout``."""
        return self.usual_flag or "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The same in the environment, such as ``PF_EXPORTER_STREAM_IDLE_TIMEOUT``."""
        return "PF_EXPORTER_" + self.key.replace(".", "_").upper()


def setting(kind: SettingType[T], default: str, help: str, flag: str = "") -> T:
    """A field of a section's dataclass; ``kind`` parses ``default``, ``flag`` overrides the derived name."""
    # To a type checker the attribute is what its kind makes of the text.
    row = {"kind": kind, "default": default, "help": help, "usual_flag": flag}
    return field(default=kind.parse(default), metadata=row)
