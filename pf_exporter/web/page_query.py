"""The query of the status page's URL: searches, pages, what is expanded, and the refresh interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from pf_exporter.schema import sanitize_label

TABLES = ("port", "vc")
"""The tables that can be searched; also the names of their parameters and anchors."""
FOLDED = ("events", "configuration")
"""The parts that are collapsed unless the parameter ``open`` names them."""
REFRESH_INTERVALS = (10, 30, 60)
"""Seconds between two refreshes that can be chosen."""
PAUSED = 0
"""The refresh interval of a page that is not refreshed: the default, and the only page with text fields."""
MAX_SEARCH = 100
"""Longest search text, in characters."""
MAX_PAGE_DIGITS = 6


@dataclass(frozen=True)
class PageQuery:
    """What a request for the page asks for; a value that makes no sense is replaced by the default."""

    interval: int = PAUSED
    """The refresh interval that was chosen, in seconds."""
    search: Mapping[str, str] = field(default_factory=dict)
    """The search text by table."""
    page: Mapping[str, int] = field(default_factory=dict)
    """The page by table, from 1."""
    open: tuple[str, ...] = ()
    """The parts that are expanded."""
    typing: str = ""
    """The table whose search is being typed, which pauses the refresh until it is submitted."""
    focus: str = ""
    """The table whose search field has the focus; derived from the other parameters."""

    @property
    def refresh(self) -> int:
        """Seconds until the page is refreshed."""
        return PAUSED if self.typing else self.interval

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters that differ from the defaults, in a fixed order."""
        found = [(table, text) for table in TABLES if (text := self.search.get(table))]
        found += self.kept_parameters()
        if self.typing:
            found.append(("typing", self.typing))
        return found

    def kept_parameters(self) -> list[tuple[str, str]]:
        """The parameters besides the searches, which a submitted search keeps."""
        pages = ((table, self.page.get(table, 1)) for table in TABLES)
        found = [(f"{table}_page", str(page)) for table, page in pages if page > 1]
        if self.open:
            found.append(("open", ",".join(self.open)))
        if self.interval:
            found.append(("refresh", str(self.interval)))
        return found

    def url(self, anchor: str = "") -> str:
        """The page's URL: path, query and anchor."""
        query = urlencode(self.parameters())
        return "/" + (f"?{query}" if query else "") + (f"#{anchor}" if anchor else "")

    def with_page(self, table: str, page: int) -> PageQuery:
        """The query for another page of a table."""
        return replace(self, page={**self.page, table: page}, typing="")

    def with_search(self, table: str, text: str) -> PageQuery:
        """The query for the first page of what a search finds."""
        return replace(self, search={**self.search, table: text}, page={**self.page, table: 1}, typing="")


def _parts(names: Iterable[str]) -> tuple[str, ...]:
    """The known parts among the names, in their order."""
    given = set(names)
    return tuple(part for part in FOLDED if part in given)


def _page(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS
    return max(int(text), 1) if is_number else 1


def parse_query(parameters: Mapping[str, str]) -> PageQuery:
    """The query in the parameters of a URL, whatever they contain.

    A form sends more than a link: with ``port_of`` the search that the page number belongs to, and with
    ``toggle`` the part to expand or collapse.

    >>> parse_query({"port": "lax", "port_page": "2", "refresh": "30"}).url("port")
    '/?port=lax&port_page=2&refresh=30#port'
    """
    search = {table: sanitize_label(parameters.get(table, "")[:MAX_SEARCH]) for table in TABLES}
    changed = [table for table in TABLES if parameters.get(f"{table}_of", search[table]) != search[table]]
    intervals = {str(seconds): seconds for seconds in REFRESH_INTERVALS}
    typing = parameters.get("typing", "")
    typing = typing if typing in TABLES else ""
    return PageQuery(
        interval=intervals.get(parameters.get("refresh", ""), PAUSED),
        search=search,
        page={
            table: 1 if table in changed else _page(parameters.get(f"{table}_page", "")) for table in TABLES
        },
        open=_parts({*parameters.get("open", "").split(",")} ^ {parameters.get("toggle", "")}),
        typing=typing,
        focus=typing or (changed[0] if changed and "toggle" not in parameters else ""),
    )
