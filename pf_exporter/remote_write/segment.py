"""One file of a spool: batches one after the other, each with a checksum."""

from __future__ import annotations

import os
import struct
import zlib
from typing import NamedTuple

from pf_exporter.descriptor import write_all
from pf_exporter.remote_write.batch import Batch

_HEADER = struct.Struct("<4sIIIQ")
_MAGIC = b"pfrw"
_SUFFIX = ".spool"


class Record(NamedTuple):
    """A batch in a segment."""

    batch: Batch
    end: int
    """The offset behind it."""


def encode_record(batch: Batch) -> bytes:
    """Return a batch with its header: length, checksum, number of samples, newest timestamp."""
    fields = struct.pack("<IQ", batch.samples, batch.newest_ms)
    checksum = zlib.crc32(batch.body, zlib.crc32(fields))
    return (
        _HEADER.pack(_MAGIC, len(batch.body), checksum, batch.samples, max(batch.newest_ms, 0)) + batch.body
    )


def read_record(fd: int, offset: int) -> Record | None:
    """Return the batch at an offset; None if there is none, or if it is torn or damaged."""
    header = os.pread(fd, _HEADER.size, offset)
    if len(header) < _HEADER.size:
        return None
    magic, size, checksum, samples, newest_ms = _HEADER.unpack(header)
    if magic != _MAGIC:
        return None
    body = os.pread(fd, size, offset + _HEADER.size)
    fields = struct.pack("<IQ", samples, newest_ms)
    if len(body) < size or zlib.crc32(body, zlib.crc32(fields)) != checksum:
        return None
    return Record(Batch(body, samples, newest_ms), offset + _HEADER.size + size)


class Segment:
    """A file of batches, open for reading and, if it is new, for appending."""

    def __init__(self, folder: str, number: int, *, create: bool = False) -> None:
        self.number = number
        self.path = os.path.join(folder, f"{number:016d}{_SUFFIX}")
        flags = os.O_CREAT | os.O_EXCL if create else 0
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
        self.size = 0
        """Bytes of whole records."""
        self.samples = 0
        """Samples that are not sent yet."""

    def scan(self, start: int) -> None:
        """Read a segment of an earlier run, which is sent up to ``start``; a torn tail is cut."""
        offset = 0
        while (record := read_record(self._fd, offset)) is not None:
            if offset >= start:
                self.samples += record.batch.samples
            offset = record.end
        self.size = offset
        os.ftruncate(self._fd, offset)

    def append(self, batch: Batch) -> None:
        """Append a batch and wait until it is on the disk; raises ``OSError``, and then appends nothing."""
        record = encode_record(batch)
        try:
            write_all(self._fd, record)
            os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += len(record)
        self.samples += batch.samples

    def read(self, offset: int) -> Record | None:
        """Return the batch at an offset; None if it is damaged."""
        return read_record(self._fd, offset)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def delete(self) -> None:
        """Close and remove the file."""
        self.close()
        os.unlink(self.path)


def segment_numbers(folder: str) -> list[int]:
    """Return the numbers of the segments in a folder, in order."""
    names = (name.removesuffix(_SUFFIX) for name in os.listdir(folder) if name.endswith(_SUFFIX))
    return sorted(int(name) for name in names if name.isdecimal())
