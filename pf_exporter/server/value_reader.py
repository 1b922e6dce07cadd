"""A reader of parsed YAML that collects every problem instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pf_exporter.config import SettingType, safe_key

T = TypeVar("T")


class ValueReader:
    """Reads values of the file at ``path``; ``where`` is the dotted key that a problem is reported under."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[str] = []

    def problem(self, where: str, what: object) -> None:
        """Report a problem, as one line."""
        self.problems.append(f"{self.path}: {where}: {what}" if where else f"{self.path}: {what}")

    def mapping(self, raw: Any, where: str, allowed: Collection[str]) -> dict[str, Any]:
        """The keys of a mapping whose value is not null; if ``allowed`` is empty, any key is."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.problem(where, "expected a mapping")
            return {}
        for key in raw:
            if allowed and key not in allowed:
                key_path = f"{where}.{safe_key(key)}" if where else safe_key(key)
                self.problem(key_path, f"unknown key; known are {', '.join(allowed)}")
        return {key: value for key, value in raw.items() if value is not None}

    def value(self, type_: SettingType[T], raw: Any, where: str) -> T | None:
        """A value of a setting's type; None if it is not one."""
        try:
            if not isinstance(raw, str):
                raise ValueError("expected text")
            return type_.parse(raw)
        except ValueError as exc:
            self.problem(where, exc)
            return None

    def one_of(self, choices: Mapping[str, T], raw: Any, where: str, default: str) -> T:
        """The value that ``choices`` has for a name."""
        name = raw or default
        if isinstance(name, str) and name in choices:
            return choices[name]
        self.problem(where, f"expected one of {', '.join(choices)}")
        return choices[default]

    def texts(self, raw: Any, where: str) -> list[str]:
        """A list of strings."""
        if raw is None:
            return []
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            self.problem(where, "expected a list of texts")
            return []
        return raw
