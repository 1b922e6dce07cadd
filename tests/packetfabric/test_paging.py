"""Lists: where they end, and that they are used only if they are complete."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from pf_exporter.errors import ListIncomplete, Rejected, Unavailable
from tests.fakes import NOTHING_MORE, OK, Answer, By, Fake, Request, answer
from tests.packetfabric.harness import KEY, make_client

Item = dict[str, object]


def items(count: int) -> list[Item]:
    return [{"n": str(number)} for number in range(count)]


def serve(fake: Fake, page: Callable[[int, int], list[object] | list[Item]]) -> None:
    """Answer each request with the page for its offset and page size."""

    def respond(request: Request) -> Answer:
        query = parse_qs(request.query)
        return answer(200, page(int(query["offset"][0]), int(query["page_size"][0])))

    fake.script["/v2/ports"] = itertools.repeat(By(respond))


def read(fake: Fake, size: int = 10) -> list[object]:
    """Return everything that is read of the list."""
    return [item for page in make_client(fake).pages(KEY, "/v2/ports", key="n", size=size) for item in page]


@pytest.mark.parametrize(
    ("count", "offsets"),
    [(0, [0]), (1, [0, 0]), (9, [0, 8]), (10, [0, 9]), (11, [0, 9, 10]), (25, [0, 9, 18, 24])],
)
def test_pages(fake: Fake, count: int, offsets: list[int]) -> None:
    """Every item comes once, in order; each request begins with the last item of the page before."""
    fake.lists["/v2/ports"] = [*items(count)]
    assert read(fake) == items(count)
    assert [request.query for request in fake.requests] == [
        f"page_size=10&offset={offset}" for offset in offsets
    ]


@pytest.mark.parametrize("cap", [2, 7, 10, 20, 50])
@pytest.mark.parametrize("count", [50, 53, 60, 100, 120])
def test_server_with_a_page_limit(fake: Fake, cap: int, count: int) -> None:
    """If the server sends smaller pages than requested, nothing is lost and nothing is read twice."""
    serve(fake, lambda offset, size: items(count)[offset : offset + min(cap, size)])
    assert read(fake, 500) == items(count)


def test_short_pages_do_not_end_a_list(fake: Fake) -> None:
    """Pages of any length may come before the end."""
    lengths = itertools.cycle([3, 10, 2, 7])
    serve(fake, lambda offset, _: items(60)[offset : offset + next(lengths)])
    assert read(fake) == items(60)


def test_empty_page_in_the_middle(fake: Fake) -> None:
    """An empty page does not end a list whose last item must come back."""
    serve(fake, lambda offset, size: items(60)[offset : offset + size] if offset < 20 else [])
    with pytest.raises(
        ListIncomplete, match=r"^list of ports: [0-9.:]+: the page at offset 27 does not continue"
    ):
        read(fake)


def test_list_that_changes_while_it_is_read(fake: Fake) -> None:
    """An item that is removed from an earlier page would hide another one; this is noticed."""
    lists = iter([items(25), items(25)[1:], items(25)[1:]])
    serve(fake, lambda offset, size: next(lists)[offset : offset + size])
    with pytest.raises(ListIncomplete, match="at offset 9 does not continue"):
        read(fake)


def test_fields_may_change_while_a_list_is_read(fake: Fake) -> None:
    """Items are compared by their key, so that a state that changes between two requests is no error."""
    states = itertools.count()
    serve(
        fake,
        lambda offset, size: [{**item, "state": next(states)} for item in items(25)[offset : offset + size]],
    )
    assert len(read(fake)) == 25


def test_page_above_the_page_size(fake: Fake) -> None:
    """A page with more items than requested does not end the list either."""
    junk: list[object] = [None]

    def page(offset: int, size: int) -> list[object]:
        return [*items(60)[offset : offset + size], *(junk if offset + size < 60 else ())]

    serve(fake, page)
    with pytest.raises(ListIncomplete, match="at offset 10 does not continue"):
        read(fake)


def test_junk_inside_the_list(fake: Fake) -> None:
    """Items that are no objects, or have no key, are passed on and do not disturb the paging."""
    junk = [*items(9), None, "x", [2], {}, {"n": 5}, {"n": "end"}, None]
    fake.lists["/v2/ports"] = [*junk]
    assert read(fake) == junk


@pytest.mark.parametrize("count", [2, 3, 9, 10, 11, 30])
def test_server_that_ignores_paging(fake: Fake, count: int) -> None:
    """An API that sends the whole list whatever is requested is asked three times, and read once."""
    everything = answer(200, items(count))
    fake.script["/v2/ports"] = [everything, everything, everything, NOTHING_MORE]
    assert read(fake) == items(count)
    assert fake.requests[-1].query == f"page_size={count - 1}&offset=0"


@pytest.mark.parametrize("count", [3, 10, 30])
def test_server_that_ignores_the_offset(fake: Fake, count: int) -> None:
    """If only the offset is ignored, nothing shows whether there is more than a page."""
    serve(fake, lambda _, size: items(count)[:size])
    with pytest.raises(ListIncomplete, match=f"ignores offset, and only {min(count, 10)} items fit"):
        read(fake)


def test_failed_page(fake: Fake) -> None:
    """The last item of a page exists, so that a refused page is an error and not the end."""
    fake.script["/v2/ports"] = [answer(200, items(30)), Answer(416), NOTHING_MORE]
    with pytest.raises(Rejected):
        read(fake)
    fake.script["/v2/ports"] = [answer(200, items(30)), Answer(500), NOTHING_MORE]
    with pytest.raises(Unavailable):
        read(fake)


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"', b"5", b"", b"[1,"])
def test_response_that_is_not_a_list(fake: Fake, body: bytes) -> None:
    """Anything but a list is Rejected."""
    fake.script["/v2/ports"] = [OK, Answer(body=body)]
    assert read(fake) == []
    with pytest.raises(Rejected, match=r"^list of ports: [0-9.:]+: the response is not"):
        read(fake)


def test_endless_list(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that never ends is Rejected after a limited number of pages."""
    monkeypatch.setattr("pf_exporter.packetfabric.paging.MAX_PAGES", 20)
    serve(fake, lambda offset, size: items(offset + size)[offset:])
    with pytest.raises(Rejected, match="more than 20 pages"):
        read(fake)
    assert len(fake.requests) == 21
