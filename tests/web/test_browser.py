"""The status page in a real browser: layout, accessibility, search, paging and refresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as Timeout

from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Simulator
from pf_exporter.web.status_context import StatusContext
from pf_exporter.web.status_page import render_page
from tests.conftest import until
from tests.web.browser import Observer, chromium, overflows, overlaps
from tests.web.scenarios import exporter_of, simulator, standstill, trouble, url

expect.set_options(timeout=60_000)

WIDTHS = (360, 768, 1280, 2560)
PORTS = 60
QUERIES = ("", "?open=events,configuration&vc=lax&port=los", "?refresh=30&vc=lax")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class Scene(NamedTuple):
    """A simulated network, and its exporter."""

    api: Simulator
    exporter: Exporter


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Ports and virtual circuits in every state."""
    with simulator(PORTS, interval=1.0) as api, exporter_of(api) as exporter:
        yield Scene(api, exporter)


@pytest.fixture
def network_url(scene: Scene) -> str:
    """The page of an exporter with ports and virtual circuits in every state."""
    return url(scene.exporter)


@pytest.fixture(scope="module")
def trouble_url() -> Iterator[str]:
    """The page of an exporter with one account that streams and five that fail."""
    with trouble() as exporter:
        yield url(exporter)


@pytest.fixture(params=["network_url", "trouble_url"])
def shown_url(request: pytest.FixtureRequest) -> str:
    """Both pages, one after the other."""
    shown: str = request.getfixturevalue(request.param)
    return shown


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab with a desktop's width; at the end, nothing was reported to its console."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        opened = context.new_page()
        opened.set_default_timeout(60_000)
        observer = Observer(opened)
        yield opened
        assert observer.messages == []


@pytest.mark.parametrize("query", QUERIES)
def test_layout(page: Page, shown_url: str, query: str) -> None:
    """At every width nothing overlaps and nothing is wider than its place."""
    page.goto(shown_url + query)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert overlaps(page) == [], width
        assert overflows(page) == [], width


def test_the_dark_layout(page: Page, network_url: str) -> None:
    """Where the system prefers dark colors the page is dark, with the same layout."""
    page.goto(network_url)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert overlaps(page) == overflows(page) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_accessibility(page: Page, shown_url: str, width: int) -> None:
    """Contrast, names, landmarks, headings and tables: axe-core finds no violation, wide or narrow."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(shown_url + QUERIES[1])
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_dark_contrast(page: Page, shown_url: str) -> None:
    """Dark colors have enough contrast, too."""
    page.emulate_media(color_scheme="dark")
    page.goto(shown_url + QUERIES[1])
    results = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("query", ["?refresh=30&port=los", "?refresh=30&typing=vc"])
def test_accessibility_of_a_page_that_is_refreshed(page: Page, network_url: str, query: str) -> None:
    """The refresh that the user has turned on is the only thing that axe-core reports."""
    page.goto(network_url + query)
    results = Axe().run(page, options={"rules": {"meta-refresh": {"enabled": False}}})
    assert results.violations_count == 0, results.generate_report()


def test_an_overlap_is_found(page: Page, network_url: str) -> None:
    """The check of the layout finds text that covers other text, and content that is too wide."""
    page.goto(network_url)
    page.evaluate("document.querySelector('h1').style.marginTop = '2rem'")
    assert overlaps(page) == []
    page.evaluate("document.querySelector('h1').style.transform = 'translateX(8rem)'")
    assert len(overlaps(page)) >= 1
    page.evaluate("document.querySelector('h1').style.minWidth = '200vw'")
    assert len(overflows(page)) >= 1


@pytest.fixture
def still(scene: Scene) -> Iterator[None]:
    """No traffic changes."""
    with standstill(*scene):
        yield


def rows(page: Page, table: str) -> list[str]:
    """The texts of a table's rows, or groups of rows."""
    return page.locator(f"#{table} tbody").first.locator("tr").all_inner_texts()


def test_search(page: Page, network_url: str) -> None:
    """Words and Enter: what is found is listed, the words stay in the field, and it keeps the focus."""
    page.goto(network_url)
    field = page.get_by_role("searchbox", name="Search ports")
    field.click()
    page.keyboard.type("Los Angeles")
    page.keyboard.press("Enter")
    expect(page.locator("#port .note").first).to_contain_text("found")
    expect(field).to_have_value("Los Angeles")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    found = rows(page, "port")
    assert found
    assert all("Los Angeles" in row for row in found)
    page.get_by_role("link", name="Clear the search of ports").click()
    expect(page.locator("#port .note").first).to_have_text(f"1 to 25 of {PORTS}.")


def test_both_searches(page: Page, network_url: str) -> None:
    """A search for a VLAN with the button keeps the search of the ports, and what was typed there."""
    page.goto(network_url + "?port=lax1")
    ports = page.get_by_role("searchbox", name="Search ports")
    ports.fill("lax1 up")
    field = page.get_by_role("searchbox", name="Search virtual circuits")
    field.fill("vlan:5")
    page.get_by_role("search", name="Virtual circuits").get_by_role("button").click()
    expect(page.locator("#vc .note").first).to_contain_text("found")
    expect(field).to_have_value("vlan:5")
    expect(ports).to_have_value("lax1 up")
    for text in page.locator("#vc tbody").all_inner_texts():
        assert "\t5\t" in text


def test_refresh_now_keeps_everything(page: Page, network_url: str) -> None:
    """The button keeps what was typed and expanded and the page of a table."""
    page.goto(network_url + "?vc_page=2")
    page.get_by_role("button", name="Configuration in force").click()
    field = page.get_by_role("searchbox", name="Search ports")
    field.fill("new york")
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("#port .note").first).to_contain_text("found")
    expect(field).to_have_value("new york")
    expect(page.get_by_role("rowheader", name="stream.idle_timeout")).to_be_visible()
    expect(page.locator("#vc .note").first).to_contain_text("26 to 50")
    page.get_by_role("button", name="Configuration in force").click()
    expect(page.get_by_role("rowheader", name="stream.idle_timeout")).to_have_count(0)
    expect(field).to_have_value("new york")


@pytest.mark.usefixtures("still")
def test_pages(page: Page, network_url: str) -> None:
    """Next and Previous lead through all ports, each once; the other table stays where it is."""
    page.goto(network_url + "?vc_page=2")
    second = page.locator("#vc .note").first.inner_text()
    seen = rows(page, "port")
    pages = page.get_by_role("navigation", name="Pages of ports")
    for start in (26, 51):
        pages.get_by_role("link", name="Next").click()
        expect(page.locator("#port .note").first).to_contain_text(f"{start} to ")
        seen += rows(page, "port")
    expect(pages.get_by_role("link", name="Next")).to_have_count(0)
    assert len({row.split("PF-A")[1][:20] for row in seen}) == PORTS
    assert page.locator("#vc .note").first.inner_text() == second
    pages.get_by_role("link", name="Previous").click()
    expect(page.locator("#port .note").first).to_contain_text("26 to 50")


def test_failures_come_first(page: Page, network_url: str, trouble_url: str) -> None:
    """Accounts that fail are listed first, as are ports that are down, then those without data."""

    def waits() -> bool:
        page.goto(trouble_url)
        return "Next attempt in" in page.locator("section.account").first.locator(".problem").inner_text()

    until(waits, "an account that is not being tried right now")
    expect(page.locator("section.account h2").last).to_contain_text("east")
    page.goto(network_url)
    states = page.locator("#port tbody .badge").all_inner_texts()
    assert list(dict.fromkeys(states))[:3] == ["Down", "No data", "Up"]


@pytest.fixture
def fast_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that are refreshed at all are refreshed every second."""

    def render(context: StatusContext) -> str:
        return render_page(dataclasses.replace(context, refresh_seconds=min(context.refresh_seconds, 1)))

    monkeypatch.setattr("pf_exporter.web.status_cache.render_page", render)


@pytest.mark.usefixtures("fast_refresh")
def test_a_refresh_keeps_search_page_and_what_is_open(page: Page, network_url: str) -> None:
    """After a refresh the page has the same search, page of the table and expanded parts."""
    page.goto(network_url + "?port=pf-&port_page=2")
    page.get_by_role("button", name="Configuration in force").click()
    page.get_by_role("button", name="30 s").click()
    expect(page.get_by_role("button", name="30 s")).to_have_attribute("aria-pressed", "true")
    with page.expect_event("framenavigated"):
        pass
    expect(page.get_by_role("rowheader", name="stream.idle_timeout")).to_be_visible()
    expect(page.get_by_role("button", name="Search ports, now: pf-")).to_be_visible()
    expect(page.locator("#port .note").first).to_contain_text(f"26 to 50 of {PORTS} found")


@pytest.mark.usefixtures("fast_refresh")
def test_no_refresh_while_typing(page: Page, network_url: str) -> None:
    """A click into the search of a page that is refreshed pauses it; Enter searches and resumes it."""
    page.goto(network_url + "?refresh=30")
    page.get_by_role("button", name="Search virtual circuits").click()
    field = page.get_by_role("searchbox", name="Search virtual circuits")
    expect(field).to_be_focused()
    page.keyboard.type("new yo")
    with pytest.raises(Timeout):
        page.wait_for_event("framenavigated", timeout=2500)
    expect(field).to_have_value("new yo")
    page.keyboard.type("rk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Search virtual circuits, now: new york")).to_be_visible()
    with page.expect_event("framenavigated"):
        pass


def test_without_script_and_foreign_requests(browser: Browser, network_url: str) -> None:
    """The page works with JavaScript turned off, and requests nothing but itself."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        observer = Observer(page)
        page.goto(network_url)
        page.get_by_role("searchbox", name="Search ports").fill("new york")
        page.keyboard.press("Enter")
        expect(page.locator("#port .note").first).to_contain_text("found")
        assert {request.split("?")[0].split("#")[0] for request in observer.requests} == {network_url}
        assert observer.messages == []
