"""Decoding keys, as xterm, tmux and the Linux console send them."""

from __future__ import annotations

import pytest

from pf_exporter.top.keys import Key, KeyDecoder


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"qr/", ["q", "r", "/"]),
        (b"\x1b[A\x1b[B", [Key.UP, Key.DOWN]),
        (b"\x1bOA\x1bOB", [Key.UP, Key.DOWN]),
        (b"\x1b[1;5A", [Key.UP]),
        (b"\x1b[5~\x1b[6~", [Key.PAGE_UP, Key.PAGE_DOWN]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", [Key.HOME, Key.END] * 3),
        (b"\t\x1b[Z", [Key.TAB, Key.TAB]),
        (b"\r\n\x7f\b", [Key.ENTER, Key.ENTER, Key.BACKSPACE, Key.BACKSPACE]),
        ("Zürich 東京".encode(), list("Zürich 東京")),
        (b"\x1b[15~\x1b[200~\x01\x00x", ["x"]),
        (b"\x1bq", [Key.ESCAPE, "q"]),
        (b"\x1b\x1b[A", [Key.ESCAPE, Key.UP]),
    ],
)
def test_keys(data: bytes, keys: list[Key | str]) -> None:
    """Characters stay characters, control sequences become keys, and those without a meaning are dropped."""
    decoder = KeyDecoder()
    assert decoder.feed(data) == keys
    assert not decoder.is_pending


@pytest.mark.parametrize("data", [b"\x1b[5~a", b"\x1bOBa", "é\x1b[1;2Ca".encode()])
def test_pieces(data: bytes) -> None:
    """Input that arrives byte by byte gives the same keys."""
    decoder = KeyDecoder()
    in_pieces = [key for byte in data for key in decoder.feed(bytes([byte]))]
    assert in_pieces == KeyDecoder().feed(data)


def pending(decoder: KeyDecoder, data: bytes) -> tuple[list[Key | str], bool]:
    """The keys of a piece of input, and whether more could follow."""
    return decoder.feed(data), decoder.is_pending


def test_escape_alone() -> None:
    """Esc alone could begin a sequence: it waits until it is flushed."""
    decoder = KeyDecoder()
    assert pending(decoder, b"\x1b") == ([], True)
    assert decoder.flush() == [Key.ESCAPE]
    assert pending(decoder, b"") == ([], False)
    assert decoder.flush() == []


def test_an_unfinished_sequence_is_keys() -> None:
    """Esc followed by a bracket and nothing else is Esc and a bracket."""
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b[") == []
    assert decoder.flush() == [Key.ESCAPE, "["]
