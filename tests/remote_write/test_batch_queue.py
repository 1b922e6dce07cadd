"""The queue in memory: bounded in bytes, the oldest out first."""

from __future__ import annotations

import threading
from collections import Counter

from pf_exporter.remote_write.batch import Batch
from pf_exporter.remote_write.batch_queue import BATCH_OVERHEAD, BatchQueue
from pf_exporter.remote_write.loss import Loss

SIZE = 1000 - BATCH_OVERHEAD


def batch(number: int, samples: int = 10) -> Batch:
    return Batch(bytes([number]) * SIZE, samples, number)


def test_order_and_bound() -> None:
    """Batches leave in order; when bytes are over the limit the oldest are dropped and counted."""
    lost: Counter[Loss] = Counter()
    queue = BatchQueue(3000, lambda loss, samples: lost.update({loss: samples}))
    for number in range(5):
        queue.put(batch(number))
    assert lost == {Loss.QUEUE_FULL: 20}
    assert queue.samples == 30
    queue.close()
    assert [taken.newest_ms for taken in iter(queue.take, None)] == [2, 3, 4]
    assert queue.samples == 0


def test_one_batch_always_fits() -> None:
    """A batch above the limit is kept until the next one comes: it may be all there is."""
    lost: Counter[Loss] = Counter()
    queue = BatchQueue(1, lambda loss, samples: lost.update({loss: samples}))
    queue.put(batch(1))
    assert not lost
    queue.put(batch(2))
    assert lost == {Loss.QUEUE_FULL: 10}


def test_take_waits() -> None:
    """A thread that takes from an empty queue waits for a batch, or for the end."""
    queue = BatchQueue(3000, lambda loss, samples: None)
    taken: list[Batch | None] = []
    thread = threading.Thread(target=lambda: taken.extend((queue.take(), queue.take())))
    thread.start()
    queue.put(batch(1))
    queue.close()
    thread.join(60)
    assert taken == [batch(1), None]


def test_put_back_and_dispose() -> None:
    """A batch that was put back is the next one; what is left at the end is counted."""
    lost: Counter[Loss] = Counter()
    queue = BatchQueue(9000, lambda loss, samples: lost.update({loss: samples}))
    queue.put(batch(1))
    queue.put(batch(2))
    first = queue.take()
    assert first is not None
    queue.put_back(first)
    assert queue.take() == batch(1)
    queue.done()
    queue.dispose()
    assert lost == {Loss.STOPPED: 10}
