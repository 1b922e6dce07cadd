"""A text that nobody must see, and where it comes from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TypeAlias

from pf_exporter.config.files import LIMIT, read_file
from pf_exporter.errors import ConfigError


class Secret:
    """Text that shows itself as ``<secret>``; only :meth:`reveal` gives it away.

    Pickled, copied or put through ``dataclasses.asdict`` it turns into the plain text ``<secret>``.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def read(self) -> Secret:
        """Itself: a secret is its own source."""
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
    """A secret out of text as people store it: one newline at its end does not belong to it."""
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise ValueError("the secret is empty")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("the secret has a line break or another control character inside; keep one line")
    return Secret(text)


@dataclass(frozen=True)
class SecretFile:
    """A secret that lives in a file and is read anew each time, so that it can change while we run."""

    path: str
    where: str = field(compare=False)
    """The key or variable that names the file, for error messages, which never show the path."""

    def read(self) -> Secret:
        """The secret as it is now; raises :class:`ConfigError` with one line."""
        return self.examine()[0]

    def examine(self) -> tuple[Secret, int]:
        """The secret and the file's permission bits; raises :class:`ConfigError` with one line."""
        try:
            return _stored(self.path)
        except ValueError as exc:
            fault = str(exc)
        # Raised out here, where no local variable and no chained exception holds what was read.
        raise ConfigError([f"{self.where}: {fault}"])


def _stored(path: str) -> tuple[Secret, int]:
    text, mode = read_file(path, LIMIT)
    return parse_secret(text), mode


SecretSource: TypeAlias = Secret | SecretFile
"""Where a secret comes from: ``read()`` at each login."""
