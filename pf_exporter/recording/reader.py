"""The reader of a recording."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.recording.compression import decompress
from pf_exporter.recording.files import is_start, open_recording
from pf_exporter.recording.format import MAX_LINE_BYTES, Record, decode

log = Logger(__name__)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole lines; a torn last line is left out.

    Raises ``zlib.error`` at damage, and ``ValueError`` if a line is too long, a gzip member ends within a
    line, or there is no whole line and what there is does not start like a recording.
    """
    pending = bytearray()  # grows in place: a line may arrive in as many pieces as it has bytes
    is_empty = True
    with contextlib.suppress(EOFError):
        for text, is_end in decompress(file):
            start = 0
            while (end := text.find(b"\n", start)) >= 0:
                yield bytes(pending) + text[start:end]
                pending.clear()
                start, is_empty = end + 1, False
            pending += text[start:]
            if len(pending) > MAX_LINE_BYTES or (is_end and pending):
                raise ValueError
    if is_empty and not is_start(bytes(pending)):
        raise ValueError


def is_redacted(path: str) -> bool:
    """Return whether the first run of a recording was redacted; raises like :func:`read`."""
    for _ in read(path):
        break
    with open_recording(path) as file:
        header = next(_lines(file), b"{}")
    return bool(json.loads(header).get("redacted"))


def read(path: str) -> Iterator[Record]:
    """Yield the records of a recording in order, up to where it is torn.

    It may be compressed, uncompressed, or still being written. Raises :class:`ConfigError` with the path and
    the number of the line for anything that is not a recording. A damaged recording is read up to the damage,
    and the log gives its line. Memory is bounded by the longest line.
    """
    number = 1
    try:
        with open_recording(path) as file:
            for line in _lines(file):
                record = decode(line)
                if record is not None and number == 1:
                    raise ValueError  # a recording starts with a header
                if record is not None:
                    yield record
                number += 1
    except OSError as exc:
        raise ConfigError([f"cannot read the recording {path}: {exc.strerror}"]) from exc
    except zlib.error as exc:
        if number == 1:
            raise ConfigError([f"{path}: not a recording"]) from exc
        log.warning("recording damaged", file=path, line=number)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        what = "not a line of a recording" if number > 1 else "not a recording"
        raise ConfigError([f"{path}: line {number}: {what}"]) from exc
