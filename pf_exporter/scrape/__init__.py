"""The pages of a running exporter, fetched with the credentials that they require."""

from __future__ import annotations

from pf_exporter.scrape.connection import failure_text, open_connection
from pf_exporter.scrape.page import fetch_page
from pf_exporter.scrape.target import ScrapeTarget

__all__ = ["ScrapeTarget", "failure_text", "fetch_page", "open_connection"]
