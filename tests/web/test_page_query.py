"""The query of the status page's URL."""

from __future__ import annotations

import pytest

from pf_exporter.web.page_query import MAX_SEARCH, PAUSED, parse_query


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/?port=lax",
        "/?port=lax&vc=vlan%3A10&port_page=2&vc_page=3&open=events%2Cconfiguration&refresh=30",
        "/?typing=vc",
        "/?refresh=60&typing=vc",
    ],
)
def test_urls_are_stable(url: str) -> None:
    """A URL of the page, read and written again, is the same."""
    pairs = [pair.split("=") for pair in url[2:].split("&") if pair]
    parameters = {name: value.replace("%3A", ":").replace("%2C", ",") for name, value in pairs}
    assert parse_query(parameters).url() == url


@pytest.mark.parametrize(
    "parameters",
    [
        {"refresh": "1"},
        {"refresh": "-5"},
        {"port_page": "-1"},
        {"port_page": "0"},
        {"port_page": "two"},
        {"port_page": "²"},
        {"port_page": "9" * 5000},
        {"open": "everything"},
        {"refresh": "off"},
        {"typing": "everything"},
        {"toggle": "everything"},
        {"port_of": ""},
        {"port": " \n"},
        {"unknown": "x"},
    ],
)
def test_senseless_values_are_replaced(parameters: dict[str, str]) -> None:
    """A value that makes no sense is the default."""
    assert parse_query(parameters).url() == "/"


def test_a_long_search_is_cut() -> None:
    """The length of a search is bounded."""
    assert len(parse_query({"port": "x" * 10_000}).search["port"]) == MAX_SEARCH


def test_a_search_starts_at_the_first_page() -> None:
    """Another search of one table keeps the other table's search and page."""
    query = parse_query({"port": "lax", "port_page": "4", "vc": "nyc", "vc_page": "2"})
    assert query.with_search("port", "das").url("port") == "/?port=das&vc=nyc&vc_page=2#port"


def test_typing_pauses_the_page() -> None:
    """The page with a search field is not refreshed; the search resumes the interval from before."""
    query = parse_query({"refresh": "30", "typing": "port"})
    assert (query.refresh, query.focus) == (PAUSED, "port")
    kept = dict(query.kept_parameters())
    assert parse_query({**kept, "port": "lax", "port_of": ""}).refresh == 30


def test_a_form_with_another_search() -> None:
    """A search that was changed starts at the first page and has the focus; otherwise the page stays."""
    fields = {"port_page": "3", "vc_page": "2", "vc": "nyc", "vc_of": "nyc", "port_of": "lax"}
    same = parse_query({**fields, "port": "lax"})
    assert (same.page, same.focus) == ({"port": 3, "vc": 2}, "")
    changed = parse_query({**fields, "port": "das"})
    assert (changed.page, changed.focus) == ({"port": 1, "vc": 2}, "port")


def test_toggles() -> None:
    """Parts are expanded and collapsed independently of each other, and keep what was typed."""
    opened = parse_query({"open": "events", "toggle": "configuration", "port": "lax", "port_of": ""})
    assert (opened.open, opened.search["port"], opened.focus) == (("events", "configuration"), "lax", "")
    closed = parse_query({"open": "events,configuration", "toggle": "events"})
    assert closed.open == ("configuration",)
