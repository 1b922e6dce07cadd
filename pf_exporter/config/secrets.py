"""Secrets that never appear in text, and the files they are read from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from pf_exporter.config.files import read_file
from pf_exporter.errors import ConfigError

FILE_LIMIT = 64 * 1024
"""Largest secret file, in bytes."""

_PLACEHOLDER = re.compile(r"\$\{.*\}|\$\(.*\)|\$[A-Z_][A-Z0-9_]*|%[A-Za-z_]\w*%|<.*>|\{\{.*\}\}", re.ASCII)
"""A reference to a variable or a gap in a template, as the whole text: ``${PF_TOKEN}``, ``<token>``."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""A control character (category Cc), or half of a surrogate pair (Cs)."""


class Secret:
    """A string that is shown as ``<secret>``; only :meth:`reveal` returns it.

    Pickled, copied or passed through ``dataclasses.asdict``, it becomes the plain string ``<secret>``.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The string itself."""
        return self._text

    def is_placeholder(self) -> bool:
        """Whether the string is a placeholder for a secret, such as ``${PF_TOKEN}`` or ``<token>``."""
        return _PLACEHOLDER.fullmatch(self._text.strip()) is not None

    def read(self) -> Secret:
        """The secret itself, as :meth:`SecretFile.read` does."""
        return self

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def parse_secret(text: str) -> Secret:
    """The secret in a text; one newline at the end is dropped. Raises ValueError."""
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise ValueError("the secret is empty")
    if _CONTROL.search(text):
        raise ValueError("the secret contains a line break or another control character; use a single line")
    return Secret(text)


@dataclass(frozen=True)
class SecretFile:
    """A secret in a file, which is read at each use, so that the secret can change at run time."""

    path: str
    where: str = field(compare=False)
    """The key or variable that names the file, for error messages, with the path if it is an absolute one."""

    def read(self) -> Secret:
        """The current secret; raises :class:`ConfigError` with one line."""
        return self.read_with_mode()[0]

    def read_with_mode(self) -> tuple[Secret, int]:
        """The current secret and the file's permission bits; raises :class:`ConfigError` with one line."""
        try:
            return _read_secret(self.path)
        except ValueError as exc:
            reason = str(exc)
        # Raised here, where no local variable and no chained exception holds the content of the file.
        raise ConfigError([f"{self.where}: {reason}"])


def _read_secret(path: str) -> tuple[Secret, int]:
    text, mode = read_file(path, FILE_LIMIT)
    return parse_secret(text), mode


SecretSource: TypeAlias = Secret | SecretFile
"""The source of a secret, which is read at each login."""
