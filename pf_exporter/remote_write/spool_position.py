"""Up to where a spool was sent, in a file that is overwritten with each batch."""

from __future__ import annotations

import os
import struct
import zlib

_POSITION = struct.Struct("<QQ")
_CHECKSUM = struct.Struct("<I")


class SpoolPosition:
    """The number of a segment and an offset in it.

    It is not forced to the disk: after a crash of the machine some batches are sent once more. Prometheus
    ignores them.
    """

    def __init__(self, folder: str) -> None:
        self._fd = os.open(os.path.join(folder, "position"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> tuple[int, int]:
        """Return the segment and the offset; zeros if there is no usable position."""
        content = os.pread(self._fd, _POSITION.size + _CHECKSUM.size, 0)
        position = content[: _POSITION.size]
        if len(content) < _POSITION.size + _CHECKSUM.size:
            return 0, 0
        if _CHECKSUM.unpack(content[_POSITION.size :])[0] != zlib.crc32(position):
            return 0, 0
        segment, offset = _POSITION.unpack(position)
        return int(segment), int(offset)

    def write(self, segment: int, offset: int) -> None:
        """Overwrite the position; raises ``OSError``."""
        position = _POSITION.pack(segment, offset)
        os.pwrite(self._fd, position + _CHECKSUM.pack(zlib.crc32(position)), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
