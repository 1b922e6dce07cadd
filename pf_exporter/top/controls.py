"""The state that keys control: tab, order, filter, position, pause, help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pf_exporter.top.circuit import Kind
from pf_exporter.top.keys import Key
from pf_exporter.top.table import SortKey

SORT_KEYS: Mapping[str, SortKey] = MappingProxyType(
    {
        "b": SortKey.BUSIEST,
        "r": SortKey.RECEIVE,
        "t": SortKey.TRANSMIT,
        "e": SortKey.ERRORS,
        "l": SortKey.LIGHT,
        "a": SortKey.AGE,
        "n": SortKey.NAME,
        "s": SortKey.STATE,
    }
)
PORT_ONLY = (SortKey.ERRORS, SortKey.LIGHT)
"""Sort keys that virtual circuits do not have."""

HELP = (
    ("b", "sort by utilization of the busier direction"),
    ("r  t", "sort by received, transmitted bits per second"),
    ("e  l", "sort by errors (most first), by receive power (lowest first); ports only"),
    ("a", "sort by the age of the last event, oldest first"),
    ("n", "sort by name"),
    ("s", "sort by state: down and without data first"),
    ("", "the same key again reverses the order"),
    ("Tab", "switch between ports and virtual circuits"),
    ("/", "filter by account, name, ID, port or state; Enter keeps it, Esc clears it"),
    ("↑ ↓ PgUp PgDn", "scroll; Home and End go to the first and last row"),
    ("p  Space", "pause and resume"),
    ("Ctrl-Z", "suspend; fg resumes"),
    ("q  Ctrl-C", "quit"),
)


@dataclass
class Controls:
    """The state of the screen, changed by keys."""

    kind: Kind = Kind.PORTS
    sort: SortKey = SortKey.BUSIEST
    backwards: bool = False
    filter: str = ""
    editing: bool = False
    """Whether the filter is being typed."""
    offset: int = 0
    """The first visible row."""
    paused: bool = False
    help: bool = False
    quit: bool = False

    def press(self, key: Key | str, *, page: int) -> None:
        """React to a key; ``page`` is the number of visible rows."""
        if self.editing:
            self._edit(key)
        elif self.help:
            self.help = False
            self.quit = key == "q"
        elif isinstance(key, Key):
            self._move(key, page)
        elif key in SORT_KEYS:
            self._sort_by(SORT_KEYS[key])
        elif key == "/":
            self.editing, self.offset = True, 0
        elif key in ("p", " "):
            self.paused = not self.paused
        elif key in ("?", "h"):
            self.help = True
        elif key == "q":
            self.quit = True

    def _edit(self, key: Key | str) -> None:
        if isinstance(key, str):
            self.filter += key
        elif key is Key.BACKSPACE:
            self.filter = self.filter[:-1]
        elif key is Key.ENTER:
            self.editing = False
        elif key is Key.ESCAPE:
            self.editing, self.filter = False, ""

    def _move(self, key: Key, page: int) -> None:
        if key is Key.TAB:
            self.kind = Kind.VCS if self.kind is Kind.PORTS else Kind.PORTS
            self.offset = 0
            if self.kind is Kind.VCS and self.sort in PORT_ONLY:
                self.sort, self.backwards = SortKey.BUSIEST, False
        elif key is Key.ESCAPE:
            self.filter, self.offset = "", 0
        elif key is Key.HOME:
            self.offset = 0
        elif key is Key.END:
            self.offset = 1 << 30
        else:
            steps = {Key.UP: -1, Key.DOWN: 1, Key.PAGE_UP: -page, Key.PAGE_DOWN: page}
            self.offset = max(self.offset + steps.get(key, 0), 0)

    def _sort_by(self, sort: SortKey) -> None:
        if self.kind is Kind.VCS and sort in PORT_ONLY:
            return
        self.backwards = sort is self.sort and not self.backwards
        self.sort, self.offset = sort, 0

    def scroll_within(self, rows: int, page: int) -> None:
        """Keep the offset where ``page`` rows, or all, are visible."""
        self.offset = max(min(self.offset, rows - page), 0)
