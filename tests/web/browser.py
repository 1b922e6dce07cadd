"""Chromium from Debian, driven by Playwright, and what a person would notice on a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.conftest import tool

ARGUMENTS = (
    "--no-sandbox",  # It refuses to run as root otherwise.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

OVERLAPS = """
() => {
  const boxes = [];
  const add = (element, rect, text) => {
    if (rect.width > 1 && rect.height > 1) boxes.push({element, rect, text});
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.data.trim() || !node.parentElement.checkVisibility()) continue;
      if (node.parentElement.closest(".hidden, thead") && clipped(node.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      // Lines touch: only the middle of a line counts as its text.
      for (const line of range.getClientRects()) {
        add(node, new DOMRect(line.x, line.y + line.height * .25, line.width, line.height * .5), node.data);
      }
    } else if (node.matches && node.matches("svg, input:not([type=hidden]), button")) {
      add(node, node.getBoundingClientRect(), node.tagName);
    }
  }
  function clipped(element) {
    for (let one = element; one; one = one.parentElement) {
      if (getComputedStyle(one).clipPath !== "none") return true;
    }
    return false;
  }
  const found = [];
  boxes.sort((a, b) => a.rect.top - b.rect.top);
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length && boxes[j].rect.top < boxes[i].rect.bottom; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      const inside = a.element.contains(b.element) || b.element.contains(a.element);
      const width = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
      const height = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
      if (!inside && width > 1 && height > 1) found.push(`${a.text.trim()} | ${b.text.trim()}`);
    }
  }
  return found;
}
"""
"""Pairs of texts, bars and fields that cover each other."""

OVERFLOWS = """
() => [document.documentElement, ...document.querySelectorAll("body *")]
  .filter(element => element.scrollWidth > element.clientWidth + 1
    && getComputedStyle(element).display !== "inline" && getComputedStyle(element).clipPath === "none"
    && element.checkVisibility() && !element.matches("input, svg, svg *"))
  .map(element => `${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`)
"""
"""Elements with content that is wider than they are."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tool("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


class Observer:
    """Collects what a page reports to the developer's console, its errors and its requests."""

    def __init__(self, page: Page) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self.requests.append(request.url))

    def _failed(self, request: Request) -> None:
        # A page that is left before it has arrived, as for the refresh that is due at a click, is no failure.
        is_replaced = request.is_navigation_request() and request.failure == "net::ERR_ABORTED"
        if not is_replaced:
            self.messages.append(f"failed: {request.url}: {request.failure}")


def overlaps(page: Page) -> list[str]:
    """Pairs of texts, bars and fields that cover each other."""
    found: list[str] = page.evaluate(OVERLAPS)
    return found


def overflows(page: Page) -> list[str]:
    """Elements whose content is wider than they are, the page itself included."""
    found: list[str] = page.evaluate(OVERFLOWS)
    return found
