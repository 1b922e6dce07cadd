"""The batcher: rows become batches, and the reader never waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client.samples import Sample

from pf_exporter.remote_write.batch import MAX_SAMPLES, Batch
from pf_exporter.remote_write.batcher import WAKE_ITEMS, Batcher
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.series import Collected, SeriesEncoder
from tests.conftest import until
from tests.remote_write.protocol import Decoded, decode_body
from tests.remote_write.rows import METRICS, NOW, metrics_row

WIDTH = len(METRICS.fields)


class Batches:
    """Keeps the batches, after ``gate`` is open."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waits = threading.Event()

    def put(self, batch: Batch) -> None:
        self.waits.set()
        self.gate.wait(60)
        self.batches.append(batch)

    @property
    def samples(self) -> list[Decoded]:
        return [sample for batch in self.batches for sample in decode_body(batch.body)]


@contextmanager
def running(batcher: Batcher) -> Iterator[None]:
    thread = threading.Thread(target=batcher.run)
    thread.start()
    try:
        yield
    finally:
        batcher.stop()
        thread.join(60)
        assert not thread.is_alive()


def create(batches: Batches, lost: Counter[Loss], limit: int = 10_000) -> Batcher:
    return Batcher(
        "main",
        SeriesEncoder({"job": "j"}, 7200.0),
        batches.put,
        lambda loss, samples: lost.update({loss: samples}),
        limit=limit,
        wall=lambda: NOW,
    )


def test_full_batches_at_once() -> None:
    """Many rows become batches of the maximum size without a delay, in order."""
    batches, lost = Batches(), Counter[Loss]()
    batcher = create(batches, lost)
    rows = 10 * MAX_SAMPLES // WIDTH
    with running(batcher):
        for number in range(rows):
            batcher.offer(metrics_row(at=NOW - rows + number))
        until(lambda: len(batches.batches) >= 9, "nine batches")
    assert {batch.samples for batch in batches.batches[:9]} == {MAX_SAMPLES}
    values = [sample for sample in batches.samples if not sample.is_stale]
    assert len(values) == rows * WIDTH
    assert [sample.ms for sample in values] == sorted(sample.ms for sample in values)
    assert not lost


def test_few_rows_after_a_delay() -> None:
    """Few rows become a batch within about a second."""
    batches = Batches()
    batcher = create(batches, Counter())
    with running(batcher):
        batcher.offer(metrics_row())
        batcher.offer(Collected([Sample("a", {}, 1.0)], round(NOW * 1000)))
        until(lambda: batches.batches, "a batch")
        assert batches.batches[0].samples == WIDTH + 1
    assert sum(sample.is_stale for sample in batches.samples) == WIDTH + 1


def test_rows_wait_within_the_limit() -> None:
    """While batches cannot be handed on, the oldest rows are dropped and counted, and nothing waits."""
    batches, lost = Batches(), Counter[Loss]()
    batcher = create(batches, lost, limit=500)
    batches.gate.clear()
    with running(batcher):
        for number in range(WAKE_ITEMS * 2):
            batcher.offer(metrics_row(at=NOW - 5000 + number))
        assert batches.waits.wait(60)
        taken = WAKE_ITEMS * 2 - batcher.waiting
        for number in range(600):
            batcher.offer(metrics_row(at=NOW - 1000 + number))
        assert batcher.waiting == 500
        batches.gate.set()
    values = [sample for sample in batches.samples if not sample.is_stale]
    assert len(values) == (taken + 500) * WIDTH
    assert lost == {Loss.QUEUE_FULL: (WAKE_ITEMS * 2 + 600) * WIDTH - len(values)}


def test_losses_are_counted() -> None:
    """Rows that are too old, in the future or out of order are counted by reason, in samples."""
    batches, lost = Batches(), Counter[Loss]()
    batcher = create(batches, lost)
    with running(batcher):
        for at in (NOW, NOW, NOW - 9000, NOW + 90):
            batcher.offer(metrics_row(at=at, port=f"PF-AP-{at == NOW}"))
    assert lost == {Loss.OUT_OF_ORDER: WIDTH, Loss.TOO_OLD: WIDTH, Loss.IN_FUTURE: WIDTH}
    assert len(batches.samples) == 2 * WIDTH  # and the stale markers
