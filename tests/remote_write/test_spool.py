"""The spool: order, bound, torn and damaged files, and a disk that fails."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.remote_write import segment as segment_module
from pf_exporter.remote_write.batch import Batch
from pf_exporter.remote_write.batch_queue import BatchQueue
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.spool import RETRY_AFTER, Spool
from tests.state.harness import Clock

LIMIT = 16 << 20


class Disk:
    """A spool in a folder, opened again and again, and what it lost."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self.lost: Counter[Loss] = Counter()
        self.clock = Clock(0.0)
        self.open()

    def open(self) -> Spool:
        def lose(loss: Loss, samples: int) -> None:
            self.lost.update({loss: samples})

        self.spool = Spool(str(self.folder), self.limit, lose, BatchQueue(1 << 20, lose), clock=self.clock)
        return self.spool

    def again(self) -> Spool:
        """Close it and open it, as a restart does."""
        self.spool.dispose()
        return self.open()

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.spool"))

    def rest(self) -> Iterator[int]:
        """The numbers of the batches that are left, each noted as sent."""
        self.spool.close()
        while (batch := self.spool.take()) is not None:
            yield batch.newest_ms
            self.spool.done()


def batch(number: int, size: int = 100) -> Batch:
    return Batch(bytes([number % 256]) * size, 10, number)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "spool")
    yield made
    made.spool.dispose()


def test_restart_continues(disk: Disk) -> None:
    """After a restart the batches that were not sent come in order, before new ones, and none twice."""
    for number in range(5):
        disk.spool.put(batch(number))
    for number in range(2):
        assert disk.spool.take() == batch(number)
        disk.spool.done()
    assert disk.spool.take() == batch(2)  # in flight when the process ends
    spool = disk.again()
    assert spool.samples == 30
    spool.put(batch(5))
    assert list(disk.rest()) == [2, 3, 4, 5]
    assert spool.samples == 0
    assert list(Disk.rest(disk)) == []
    disk.again()
    assert list(disk.rest()) == []
    assert not +disk.lost


def test_put_back(disk: Disk) -> None:
    """A batch that was put back is the next one."""
    disk.spool.put(batch(1))
    taken = disk.spool.take()
    assert taken == batch(1)
    disk.spool.put_back(taken)
    assert list(disk.rest()) == [1]


@pytest.mark.parametrize("cut", [1, 50, 100, 110])
def test_torn_tail(disk: Disk, cut: int) -> None:
    """An incomplete record at the end is ignored; the ones before it, and later ones, are sent."""
    for number in range(3):
        disk.spool.put(batch(number))
    (file,) = disk.files()
    disk.spool.dispose()
    os.truncate(file, file.stat().st_size - cut)
    disk.open().put(batch(3))
    assert list(disk.rest()) == [0, 1, 3]


def test_damage(disk: Disk) -> None:
    """Batches behind a damaged record of the same file are skipped, those in other files are sent."""
    for number in range(3):
        disk.spool.put(batch(number))
    (file,) = disk.files()
    disk.again().put(batch(3))
    disk.spool.dispose()
    content = bytearray(file.read_bytes())
    content[150] ^= 1
    file.write_bytes(content)
    disk.open()
    assert list(disk.rest()) == [0, 3]


def test_damage_after_the_start(disk: Disk) -> None:
    """A record that is damaged while it waits is lost with the rest of its file, and counted as such."""
    for number in range(3):
        disk.spool.put(batch(number))
    (file,) = disk.files()
    content = bytearray(file.read_bytes())
    content[150] ^= 1
    file.write_bytes(content)
    assert list(disk.rest()) == [0]
    assert +disk.lost == {Loss.SPOOL_DAMAGED: 2 * batch(0).samples}


def test_unusable_position(disk: Disk) -> None:
    """Without a usable position everything is sent again."""
    disk.spool.put(batch(1))
    assert disk.spool.take() is not None
    disk.spool.done()
    (disk.folder / "position").write_bytes(b"x" * 20)
    disk.again()
    assert list(disk.rest()) == [1]


def test_bound(disk: Disk) -> None:
    """Above the limit the oldest file is deleted and counted, and the batch in flight is not counted."""
    size = LIMIT // 64
    disk.spool.put(batch(0, size))
    assert disk.spool.take() is not None
    for number in range(1, 100):
        disk.spool.put(batch(number, size))
    assert disk.spool.size <= LIMIT
    kept = disk.spool.samples // 10
    assert disk.lost == {Loss.SPOOL_FULL: (100 - kept - 1) * 10}
    disk.spool.done()
    assert list(disk.rest()) == list(range(100 - kept, 100))
    assert len(disk.files()) == 1


def test_full_disk(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full, batches wait in memory; later they move to disk, in order, without a loss."""
    disk.spool.put(batch(0))

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(segment_module, "write_all", full)
        disk.spool.put(batch(1))
        disk.spool.put(batch(2))
        assert disk.spool.problem == f"spool {disk.folder}: No space left on device"
    disk.spool.put(batch(3))
    size = disk.spool.size
    disk.clock.now += RETRY_AFTER
    disk.spool.put(batch(4))
    assert disk.spool.problem == ""
    assert disk.spool.size == 5 * size
    assert list(disk.rest()) == [0, 1, 2, 3, 4]
    assert not +disk.lost


def test_memory_is_sent_behind_the_disk(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in memory is sent after what is on disk, and is lost at a stop."""
    disk.spool.put(batch(0))

    def full(descriptor: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(segment_module, "write_all", full)
    for number in (1, 2, 3):
        disk.spool.put(batch(number))
    for number in (0, 1):
        assert disk.spool.take() == batch(number)
        disk.spool.done()
    disk.again()
    assert disk.lost == {Loss.STOPPED: 20}


def test_unusable_folder(tmp_path: Path) -> None:
    """A folder that cannot be used is one line."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"spool .*/file: .*; check spool\.path"):
        Disk(tmp_path / "file")
