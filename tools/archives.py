"""Archives with the same bytes for the same contents: ``python -m tools.archives ARCHIVE.tar.gz ...``."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a .tar.gz with files of root in the order of their names, at the time ``SOURCE_DATE_EPOCH``."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(gzip.compress(tar.getvalue(), mtime=0))


def read_archive(path: Path) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    files = {}
    with tarfile.open(path) as archive:
        for entry in archive.getmembers():
            if entry.isfile():
                content = archive.extractfile(entry)
                assert content is not None
                files[entry.name] = content.read()
    return files


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_archive(Path(name), read_archive(Path(name)))
