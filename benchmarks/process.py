"""Run a measurement in a new process that is pinned to one core, and read its memory."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")
_CORES = sorted(os.sched_getaffinity(0))


def _pin() -> None:
    os.sched_setaffinity(0, _CORES[:1])


def unpin() -> None:
    """Move a sender or scraper away from the core of the measured process, if there is another core."""
    others = set(_CORES[1:]) or set(_CORES)
    os.sched_setaffinity(0, others)


def run_isolated(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``work`` in a new process on the first core, and return its result."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN, initializer=_pin) as pool:
        return pool.submit(work, *args, **kwargs).result()


@contextlib.contextmanager
def server_process(serve: Callable[..., None], *args: Any) -> Iterator[str]:
    """Run ``serve`` in a new process, and yield its URL; it sends the port that it listens on through a pipe.

    ``args`` come before the pipe.
    """
    parent, child = _SPAWN.Pipe()
    process = _SPAWN.Process(target=serve, args=(*args, child), daemon=True)
    process.start()
    try:
        if not parent.poll(60):
            raise TimeoutError("the server did not start within 60 s")
        yield f"http://127.0.0.1:{parent.recv()}"
    finally:
        process.kill()
        process.join()


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def reset_peak() -> None:
    """Reset the peak of the resident memory of this process."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as clear_refs:
        clear_refs.write("5")  # See proc(5).


def peak_resident() -> int:
    """Return the peak of the resident memory of this process in bytes since :func:`reset_peak`."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
