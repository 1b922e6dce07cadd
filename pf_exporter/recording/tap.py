"""A tap on one account's stream: records the bytes that pass through it."""

from __future__ import annotations

from collections.abc import Iterator

from pf_exporter.recording.format import Mark
from pf_exporter.recording.framing import FrameSplitter
from pf_exporter.recording.writer import RecordingWriter


class RecordingTap:
    """Writes the frames and marks of one account to a recording."""

    def __init__(self, account: str, writer: RecordingWriter) -> None:
        self._account = account
        self._writer = writer

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a stream unchanged, and record their frames with its opening and its end."""
        splitter = FrameSplitter()
        self.mark(Mark.OPENED)
        try:
            for chunk in chunks:
                for frame in splitter.push(chunk):
                    self._writer.frame(self._account, frame)
                yield chunk
        finally:
            if rest := splitter.rest():  # a frame that was cut short is recorded, too
                self._writer.frame(self._account, rest)
            self.mark(Mark.ENDED)

    def mark(self, mark: Mark) -> None:
        """Record a mark for the stream, such as a step of a rotation."""
        self._writer.mark(self._account, mark)
