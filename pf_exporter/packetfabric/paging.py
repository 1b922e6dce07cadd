"""Reads a list of unknown length page by page, and proves that it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from pf_exporter.errors import ListIncomplete, Rejected

MAX_PAGES = 1000
"""Pages of one list: a limit against servers whose lists never end."""


class FetchPage(Protocol):
    """Fetches one page as decoded JSON; raises an :class:`ApiError`."""

    def __call__(self, *, offset: int, size: int) -> Any:
        """Return up to ``size`` items after the first ``offset`` ones."""


def read_pages(fetch: FetchPage, operation: str, size: int, key: str) -> Iterator[list[Any]]:
    """Yield the items of a list page by page; the caller uses them only if all pages are read.

    The API documents ``page_size`` and ``offset`` but neither a total nor the largest page, and may ignore
    both. So the length of a page proves nothing. Each request begins with the last item of the page before,
    which has to come back first: then nothing is left out between two pages, and the list ends where nothing
    else comes back. ``size`` is at least 2; ``key`` is the field that identifies an item.

    Raises :class:`ListIncomplete` if the list cannot be proven to be complete.
    """
    first = page = _page(fetch(offset=0, size=size), operation)
    yield first
    offset = 0
    for _ in range(MAX_PAGES):
        if not first:
            return
        offset += len(page) - 1
        following = _page(fetch(offset=offset, size=size), operation)
        if not following or _identity(following[0], key) != _identity(page[-1], key):
            if page is first and _are_equal(following, first, key):
                _check_that_paging_is_ignored(fetch, operation, first, key)
                return
            raise ListIncomplete(
                f"{operation}: the page at offset {offset} does not continue the one before;"
                " the list has changed meanwhile, or a page is not complete"
            )
        if len(following) == 1:
            return
        page = following
        yield page[1:]
    raise Rejected(f"{operation}: more than {MAX_PAGES} pages")


def _page(response: Any, operation: str) -> list[Any]:
    if not isinstance(response, list):
        raise Rejected(f"{operation}: the response is not a list")
    return response


def _identity(item: Any, key: str) -> str:
    """Return what identifies an item: its other fields may change between two requests."""
    identifier = item.get(key) if isinstance(item, dict) else None
    return identifier if isinstance(identifier, str) else repr(item)


def _are_equal(page: list[Any], other: list[Any], key: str) -> bool:
    """Return whether two pages have the same items, in any order."""
    return len(page) == len(other) and {_identity(item, key) for item in page} == {
        _identity(item, key) for item in other
    }


def _check_that_paging_is_ignored(fetch: FetchPage, operation: str, items: list[Any], key: str) -> None:
    """Check that a list that comes back for every offset comes back for a smaller page size too.

    Otherwise the API ignores only the offset, and there may be more items than one page holds.
    """
    page = _page(fetch(offset=0, size=len(items) - 1), operation)
    if not _are_equal(page, items, key):
        raise ListIncomplete(
            f"{operation}: the API ignores offset, and only {len(items)} items fit into a page"
        )
