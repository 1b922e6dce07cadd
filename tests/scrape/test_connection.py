"""Connections to HTTP servers."""

from __future__ import annotations

import ssl

from pf_exporter.scrape.connection import open_connection


def test_default_ports() -> None:
    """Without a port it is that of the scheme, also with an IPv6 address, whose end is no port."""
    plain = open_connection("::1", None, None, 1.0)
    assert (plain.host, plain.port) == ("::1", 80)
    encrypted = open_connection("::1", None, ssl.create_default_context(), 1.0)
    assert (encrypted.host, encrypted.port) == ("::1", 443)
