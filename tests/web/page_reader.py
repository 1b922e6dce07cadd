"""What a browser makes of an HTML page: its elements, attributes and text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID_ELEMENTS = ("input", "meta", "rect")
"""Elements of the page that have no end tag; ``rect`` closes itself, as XML does."""


class PageReader(HTMLParser):
    """Reads a page, and asserts that its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self._raw_text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        """The text as displayed, with one space wherever the source has white space."""
        return re.sub(r"\s+", " ", self._raw_text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in VOID_ELEMENTS:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self._raw_text += data
