"""Read nested values of a configuration file, and collect every problem instead of stopping at the first.

A problem is one line: where, what, what to do. It never contains a value, because a misplaced value may be a
secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pf_exporter.config.files import WORLD_READABLE
from pf_exporter.config.key_names import closest_name, safe_key
from pf_exporter.config.secrets import SecretFile
from pf_exporter.config.types import SettingType
from pf_exporter.errors import ConfigError

T = TypeVar("T")


def in_file_order(problems: Iterable[str], path: str) -> list[str]:
    """Problems sorted by their position in the file with this path; those without one first, others last.

    >>> in_file_order(["flag: x", "pf.yml:20:1: y", "pf.yml:3:7: z", "pf.yml: a"], "pf.yml")
    ['pf.yml: a', 'pf.yml:3:7: z', 'pf.yml:20:1: y', 'flag: x']
    """

    def position(problem: str) -> tuple[bool, int, int]:
        rest = problem.removeprefix(path)
        match = re.match(r"(?::(\d+))?(?::(\d+))?: ", rest)
        if not path or rest == problem or match is None:
            return True, 0, 0
        return False, int(match[1] or 0), int(match[2] or 0)

    return sorted(problems, key=position)


@dataclass(frozen=True)
class Location:
    """The place of a mapping in a file or in the environment, for the beginning of problems."""

    file: str = ""
    """The path of the file; empty for the environment."""
    path: str = ""
    """The keys that lead to the mapping, such as ``accounts[0]``; empty for the root."""
    positions: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Line and column, such as ``:3:5``, by the path of a key."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The names of keys that are not called by their own name, such as ``PF_TOKEN`` for ``token``."""

    def name(self, key: str) -> str:
        """The name of a key without its place."""
        return self.names.get(key, key)

    def key(self, key: str) -> str:
        """The place of a key, such as ``pf.yml:3:5: accounts[0].token``; of a missing one, its mapping's."""
        if not self.file:
            return self.name(key)
        position = self.positions.get(self._join(key)) or self.positions.get(self.path, "")
        return f"{self.file}{position}: {self._join(safe_key(key))}"

    def section(self, key: str) -> Location:
        """The location of the mapping under a key."""
        return replace(self, path=self._join(key))

    def item(self, key: str, number: int) -> Location:
        """The location of a mapping in the list under a key."""
        return self.section(f"{key}[{number}]")

    def _join(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def __str__(self) -> str:
        place = f"{self.file}{self.positions.get(self.path, '')}" or "environment"
        return f"{place}: {self.path}" if self.path else place


class ConfigReader:
    """Checks parsed YAML, and collects problems and warnings in the order in which they are found."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def reject(self, where: object, problem: object) -> None:
        """Add a problem."""
        self.problems.append(f"{where}: {problem}")

    def warn(self, where: object, warning: object) -> None:
        """Add a warning."""
        self.warnings.append(f"{where}: {warning}")

    def yaml(self, text: str, path: str) -> tuple[Any, Location]:
        """The document in a file's text (mappings, lists, strings and None), and the location of its root."""
        from pf_exporter.config.yaml_document import StrictYaml  # Imports PyYAML, which only a file needs.

        document = StrictYaml(text, path, self.problems)
        return document.read(), Location(path, positions=document.positions)

    def mapping(self, raw: Any, location: Location, keys: Collection[str] | None = None) -> dict[str, Any]:
        """The entries of a mapping that are not null, in the order of ``keys``; without ``keys``, all."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            expected = "a mapping" if keys is None else f"a mapping with any of {', '.join(keys)}"
            self.reject(location, f"expected {expected}")
            return {}
        if keys is None:
            return {key: value for key, value in raw.items() if value is not None}
        for key in raw:
            if key not in keys:
                close = closest_name(key, keys)
                hint = f"did you mean {close}?" if close else f"expected one of {', '.join(keys)}"
                self.reject(location.key(key), f"unknown key; {hint}")
        return {key: raw[key] for key in keys if raw.get(key) is not None}

    def value(self, type_: SettingType[T], raw: Any, where: str) -> T | None:
        """The value that the type parses; None, with a problem, if it cannot."""
        if type_.repeatable and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
            raw = ",".join(raw)
        if not isinstance(raw, str):
            self.reject(
                where, "expected a string or a list of strings" if type_.repeatable else "expected a string"
            )
            return None
        try:
            return type_.parse(raw)
        except ValueError as exc:
            self.reject(where, exc)
            return None

    def lookup(self, table: Mapping[str, T], raw: Any, where: str, default: str) -> T:
        """The entry of a table for a name; that of ``default`` if there is no name, or none of the table."""
        name = raw or default
        if isinstance(name, str) and name in table:
            return table[name]
        self.reject(where, f"expected one of {', '.join(table)}")
        return table[default]

    def strings(self, raw: Any, where: str) -> list[str]:
        """A list of strings; empty, with a problem, if it is not one."""
        if raw is None:
            return []
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            self.reject(where, "expected a list of strings")
            return []
        return raw

    def check_secret(self, source: SecretFile) -> bool:
        """Return whether the file can be read, and warn if everyone can read it."""
        try:
            _, mode = source.read_with_mode()
        except ConfigError as exc:
            self.problems += exc.problems
            return False
        # Its group may read it: this is how Kubernetes gives a Secret to a pod that does not run as root.
        if mode & WORLD_READABLE:
            self.warn(source.where, "the file is world-readable; run chmod o-r on it")
        return True
