"""Decodes the bytes from a terminal into keys."""

from __future__ import annotations

import codecs
import enum
import re


class Key(enum.Enum):
    """A key that is not a character."""

    UP = "Up"
    DOWN = "Down"
    PAGE_UP = "PgUp"
    PAGE_DOWN = "PgDn"
    HOME = "Home"
    END = "End"
    TAB = "Tab"
    ENTER = "Enter"
    ESCAPE = "Esc"
    BACKSPACE = "Backspace"


_SEQUENCES = {
    "A": Key.UP,
    "B": Key.DOWN,
    "H": Key.HOME,
    "F": Key.END,
    "Z": Key.TAB,  # with Shift: there are two tabs only
    "5~": Key.PAGE_UP,
    "6~": Key.PAGE_DOWN,
    "1~": Key.HOME,
    "4~": Key.END,
    "7~": Key.HOME,
    "8~": Key.END,
}
"""By the end of a control sequence, after ``ESC [`` or ``ESC O``."""

_CHARACTERS = {
    "\t": Key.TAB,
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x7f": Key.BACKSPACE,
    "\b": Key.BACKSPACE,
}

_ESCAPE = "\x1b"
_COMPLETE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*([0-9]*[@-~])|O([ -~]))")
_BEGINNING = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?")


class KeyDecoder:
    """Decodes the keys in pieces of input, which may end inside a character or a control sequence."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    def feed(self, data: bytes) -> list[Key | str]:
        """The keys up to and including the last complete one; a character is a string."""
        self._text += self._decoder.decode(data)
        return self._decode()

    @property
    def is_pending(self) -> bool:
        """Whether there is input that more input could complete: the Esc key alone, perhaps."""
        return bool(self._text)

    def flush(self) -> list[Key | str]:
        """The keys of the input that nothing has completed: the Esc key, and what follows it."""
        if not self._text.startswith(_ESCAPE):
            return []
        self._text = self._text[1:]
        return [Key.ESCAPE, *self._decode()]

    def _decode(self) -> list[Key | str]:
        keys: list[Key | str] = []
        while self._text:
            if self._text[0] != _ESCAPE:
                char, self._text = self._text[0], self._text[1:]
                if char in _CHARACTERS or char.isprintable():
                    keys.append(_CHARACTERS.get(char, char))
            elif match := _COMPLETE.match(self._text):
                self._text = self._text[match.end() :]
                sequence = _control_sequence(match[0])
                if sequence in _SEQUENCES:
                    keys.append(_SEQUENCES[sequence])
            elif _BEGINNING.fullmatch(self._text):
                break
            else:
                keys.append(Key.ESCAPE)
                self._text = self._text[1:]
        return keys


def _control_sequence(text: str) -> str:
    """The end of a sequence without modifiers: ``ESC [ 1 ; 5 A`` and ``ESC O A`` are both ``A``."""
    body = text[2:]
    return body if body.endswith("~") else body[-1]
