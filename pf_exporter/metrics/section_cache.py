"""The compressed lines of each event, kept until one of its rows changes."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from pf_exporter.metrics.deflate import DeflateBlock
from pf_exporter.metrics.sample_lines import Stamp

MAX_SECTIONS = 256
"""Most sections with the series of some accounts only; one scrape job per account needs five each."""
MAX_BYTES = 16 * 1024 * 1024
"""Most compressed bytes of these sections."""


class EventSection(NamedTuple):
    """The compressed lines of one event."""

    version: int
    """Version of the rows, or an earlier one."""
    read_at: float
    """When the rows were read, or shortly before, in seconds of the clock."""
    values: tuple[tuple[str, DeflateBlock], ...]
    """The name of each of its families with its lines, which are the same in every format."""
    last_event: DeflateBlock

    @property
    def size(self) -> int:
        """Compressed bytes."""
        return sum(len(block.deflated) for _, block in self.values) + len(self.last_event.deflated)


class SectionKey(NamedTuple):
    """What a section depends on besides the rows."""

    event: str
    accounts: frozenset[str]
    """The accounts it is limited to; empty for all of them."""
    stamp: Stamp | None = None
    """How the times of samples are written; None without times."""


class SectionCache:
    """Sections by key: those of all accounts, and the most recently used of those of some accounts."""

    def __init__(self) -> None:
        self._of_all: dict[SectionKey, EventSection] = {}
        self._of_some: OrderedDict[SectionKey, EventSection] = OrderedDict()
        self._bytes = 0

    def get(self, key: SectionKey) -> EventSection | None:
        """Return a section, or None if it is not kept."""
        if not key.accounts:
            return self._of_all.get(key)
        section = self._of_some.get(key)
        if section is not None:
            self._of_some.move_to_end(key)
        return section

    def put(self, key: SectionKey, section: EventSection) -> None:
        """Keep a section, and drop others if they are too many or too large."""
        if not key.accounts:
            self._of_all[key] = section
            return
        previous = self._of_some.pop(key, None)
        self._bytes += section.size - (0 if previous is None else previous.size)
        self._of_some[key] = section
        while len(self._of_some) > MAX_SECTIONS or self._bytes > MAX_BYTES:
            _, dropped = self._of_some.popitem(last=False)
            self._bytes -= dropped.size
