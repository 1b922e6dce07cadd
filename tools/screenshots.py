"""Renews the pictures of the status page in docs/img: ``python -m tools.screenshots``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pf_exporter.service import Exporter
from tests.web.browser import chromium
from tests.web.scenarios import network, trouble, url
from tools.palette import reduce

IMAGES = Path(__file__).parents[1] / "docs" / "img"


class Picture(NamedTuple):
    """One picture: what the exporter shows, and the part of the page that is visible."""

    name: str
    scenario: Callable[[], AbstractContextManager[Exporter]]
    width: int
    height: int
    query: str = ""
    top: str = "body"
    """The element at the upper edge."""


PICTURES = (
    Picture("status.png", partial(network, 12), 1280, 1010),
    Picture("status-trouble.png", partial(trouble, backoff=60.0), 1280, 1010),
    Picture("status-300.png", partial(network, 300, interval=5.0), 1280, 1010, "?port=lax1", "#port"),
    Picture("status-phone.png", partial(network, 12), 390, 1200, "", "#port"),
)


def main() -> None:
    """Take every picture."""
    with chromium() as browser:
        for picture in PICTURES:
            with picture.scenario() as exporter:
                size = {"width": picture.width, "height": picture.height}
                with browser.new_page(viewport=size) as page:  # type: ignore[arg-type]  # a TypedDict
                    page.goto(url(exporter) + picture.query)
                    page.locator(picture.top).evaluate("element => element.scrollIntoView()")
                    (IMAGES / picture.name).write_bytes(reduce(page.screenshot()))


if __name__ == "__main__":
    main()
