"""Lists: where they end, and that nothing is lost or read twice."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qs

import pytest

from pf_exporter.errors import (
    Rejected,
    Unavailable,
)
from tests.fakes import NOTHING_MORE, OK, Answer, By, Fake, Request, answer
from tests.packetfabric.harness import KEY, make_client


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (20, 3), (25, 3)])
def test_pages(fake: Fake, count: int, requests: int) -> None:
    """Every object comes once, in order, with no more requests than needed to find the end."""
    fake.lists["/v2/ports"] = [{"n": number} for number in range(count)]
    pages = list(make_client(fake).pages(KEY, "/v2/ports", size=10))
    assert [item["n"] for page in pages for item in page] == list(range(count))
    assert [request.query for request in fake.requests] == [
        f"page_size=10&offset={10 * number}" for number in range(requests)
    ]


@pytest.mark.parametrize("cap", [10, 20, 50])
@pytest.mark.parametrize("count", [50, 53, 60, 100, 120])
def test_server_with_a_page_limit(fake: Fake, cap: int, count: int) -> None:
    """If the server sends smaller pages than requested, nothing is lost and nothing is read twice."""
    everything = [{"n": number} for number in range(count)]

    def page(request: Request) -> Answer:
        offset = int(parse_qs(request.query)["offset"][0])
        return answer(200, everything[offset : offset + cap])

    fake.script["/v2/ports"] = itertools.repeat(By(page))
    pages = list(make_client(fake).pages(KEY, "/v2/ports"))
    assert [item for page in pages for item in page] == everything


def test_server_that_refuses_pages_after_the_end(fake: Fake) -> None:
    """A refused page after a short one with a round length is the end; a failed one is an error."""
    everything = [{"n": number} for number in range(30)]
    fake.script["/v2/ports"] = [answer(200, everything), Answer(416), NOTHING_MORE]
    assert list(make_client(fake).pages(KEY, "/v2/ports")) == [everything]
    fake.script["/v2/ports"] = [answer(200, everything), Answer(500), NOTHING_MORE]
    with pytest.raises(Unavailable):
        list(make_client(fake).pages(KEY, "/v2/ports"))


@pytest.mark.parametrize("count", [3, 10, 30])
def test_server_that_ignores_paging(fake: Fake, count: int) -> None:
    """An API that sends the whole list each time is asked twice, and nothing is read twice."""
    everything = [{"n": number} for number in range(count)]
    fake.script["/v2/ports"] = [answer(200, everything), answer(200, everything), NOTHING_MORE]
    pages = list(make_client(fake).pages(KEY, "/v2/ports", size=10))
    assert [item for page in pages for item in page] == everything


def test_items_that_are_no_objects_are_left_out(fake: Fake) -> None:
    """Odd items do not affect the others."""
    fake.lists["/v2/ports"] = [{"n": 1}, None, "x", [2], {"n": 3}]
    assert list(make_client(fake).pages(KEY, "/v2/ports")) == [[{"n": 1}, {"n": 3}]]


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"', b"5", b"", b"[1,"])
def test_response_that_is_not_a_list(fake: Fake, body: bytes) -> None:
    """Anything but a list is Rejected."""
    fake.script["/v2/ports"] = [OK, Answer(body=body)]
    client = make_client(fake)
    list(client.pages(KEY, "/v2/ports"))
    with pytest.raises(Rejected, match="list of ports: the response is not"):
        list(client.pages(KEY, "/v2/ports"))


def test_endless_list(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that never ends is Rejected after a limited number of pages."""
    monkeypatch.setattr("pf_exporter.packetfabric.paging.MAX_PAGES", 20)
    number = itertools.count()

    def another(_: Request) -> Answer:
        return answer(200, [{"n": next(number)}])

    fake.script["/v2/ports"] = itertools.repeat(By(another))
    with pytest.raises(Rejected, match="more than 20 pages"):
        list(make_client(fake).pages(KEY, "/v2/ports", size=1))
    assert len(fake.requests) == 20
