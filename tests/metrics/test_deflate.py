"""Blocks are compressed once and can be combined in any order."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.metrics.deflate import CHUNK, DeflatedText, compress, decompress, to_gzip


@given(st.lists(st.lists(st.binary(max_size=200), max_size=4), max_size=5))
def test_blocks_are_concatenated(blocks: list[list[bytes]]) -> None:
    """The file is valid for another implementation of gzip and has the texts in their order."""
    compressed = [compress(texts) for texts in blocks]
    expected = b"".join(itertools.chain.from_iterable(blocks))
    assert gzip.decompress(to_gzip(compressed)) == expected
    assert decompress(compressed) == expected


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_chunk_boundaries(size: int) -> None:
    """Texts of any length are complete, whether they end at a chunk boundary or not."""
    text = bytes(index % 251 for index in range(size))
    block = compress([text[:100], text[100:], b""])
    assert block.size == size
    assert gzip.decompress(to_gzip([block])) == text


def test_a_block_can_be_used_again() -> None:
    """The same block can be combined repeatedly and in several files."""
    first, second = compress([b"first\n"]), compress([b"second\n"])
    assert gzip.decompress(to_gzip([first, second, first])) == b"first\nsecond\nfirst\n"
    assert gzip.decompress(to_gzip([second])) == b"second\n"


@pytest.mark.parametrize("size", [1000, CHUNK])
def test_slices(size: int) -> None:
    """The slices of the text and of its gzip file are complete, small, and as long as announced."""
    texts = [b"", b"a" * 300_000, bytes(index * index % 251 for index in range(100_000)), b"end\n"]
    text = DeflatedText([compress([part]) for part in texts])
    plain, packed = list(text.plain_slices(size)), list(text.gzip_slices(size))
    assert b"".join(plain) == gzip.decompress(b"".join(packed)) == b"".join(texts)
    assert max(map(len, plain)) <= size
    assert max(map(len, packed)) <= size
    assert text.plain_size == sum(map(len, plain))
    assert text.gzip_size == sum(map(len, packed))


def test_small_blocks_share_slices() -> None:
    """Many small blocks take few slices, because each slice costs the server a write."""
    text = DeflatedText([compress([bytes([byte]) * 100]) for byte in range(250)])
    for slices in (text.plain_slices(1 << 14), text.gzip_slices(1 << 14)):
        sizes = [len(part) for part in slices]
        assert all(size > 12_000 for size in sizes[:-1])
        assert len(sizes) <= 3
