"""Reads a list of unknown length page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from pf_exporter.errors import Rejected

MAX_PAGES = 1000
"""Pages of one list: a limit against servers whose lists never end."""
PAGE_LIMIT_UNIT = 10
"""The largest page that a server sends is assumed to be a multiple of this."""


class FetchPage(Protocol):
    """Fetches one page as decoded JSON; raises an :class:`ApiError`."""

    def __call__(self, *, offset: int, size: int) -> Any:
        """Return up to ``size`` items after the first ``offset`` ones."""


def read_pages(fetch: FetchPage, operation: str, size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of a list, page by page, until a page is short or repeats the one before.

    The API states no total and may ignore paging: a page that begins like the one before is the whole list
    again. It may also send smaller pages than requested: such limits are round numbers, so that a short page
    with a round length does not end the list.
    """
    first = None
    offset = 0
    may_be_complete = False
    for _ in range(MAX_PAGES):
        try:
            page = fetch(offset=offset, size=size)
        except Rejected:
            if may_be_complete:
                return
            raise
        if not isinstance(page, list):
            raise Rejected(f"{operation}: the response is not a list")
        if page and page[0] == first:
            return
        yield [item for item in page if isinstance(item, dict)]
        may_be_complete = len(page) < size
        if not page or len(page) > size or (may_be_complete and len(page) % PAGE_LIMIT_UNIT):
            return
        first = page[0]
        offset += len(page)
    raise Rejected(f"{operation}: more than {MAX_PAGES} pages")
