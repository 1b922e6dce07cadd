"""Listen addresses: every valid form, and what is wrong with the others."""

from __future__ import annotations

import pytest

from pf_exporter.config.addresses import parse_listen_address


@pytest.mark.parametrize(
    "text",
    [
        ":10054",
        "127.0.0.1:0",
        "localhost:65535",
        "[::1]:1",
        "[::]:10054",
        "host-1.example.net:80",
        "my_host:80",
        "a.:1",
    ],
)
def test_listen_address(text: str) -> None:
    """A port alone, an IPv4 address, an IPv6 address in brackets, and a host name are valid."""
    assert parse_listen_address(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *(
            (text, "HOST:PORT, [IPV6]:PORT or :PORT, such as 127.0.0.1:10054")
            for text in ("", "1", "a", "a:", "::1:80")
        ),
        *(
            (text, "HOST:PORT, [IPV6]:PORT or :PORT, such as 127.0.0.1:10054")
            for text in (":http", "a:-1", "a:1:2")
        ),
        *((text, "a port from 0 to 65535") for text in (":99999", ":65536", "127.0.0.1:70000")),
        *(
            (text, "an IPv6 address within [ and ], such as [::1]:10054")
            for text in ("[]:1", "[1]:1", "[127.0.0.1]:1")
        ),
        *(
            (text, "an IPv4 address with four numbers from 0 to 255, such as 127.0.0.1:10054")
            for text in ("1.2.3:1", "256.0.0.1:1", "10:1", "1.2.3.4.5:1")
        ),
        *(
            (text, "a host name or an IP address before the port, such as 127.0.0.1:10054")
            for text in (
                "*:1",
                "a b:1",
                "-a:1",
                "a-:1",
                "a..b:1",
                "http//a:1",
                f"{'a' * 64}:1",
                "é:1",
                "user@a:1",
            )
        ),
    ],
)
def test_invalid_listen_address(text: str, problem: str) -> None:
    """Anything else is refused with what is expected there."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse_listen_address(text)
    assert str(caught.value) == f"expected {problem}"
