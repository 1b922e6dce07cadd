"""Runs a measurement in a fresh process on one core; leaves the other cores to whoever feeds it."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_SPAWN = multiprocessing.get_context("spawn")
_CORES = sorted(os.sched_getaffinity(0))


def _pin() -> None:
    os.sched_setaffinity(0, _CORES[:1])


def unpin() -> None:
    """For processes that feed or read the measured one: any core but its own, if there is another."""
    others = set(_CORES[1:]) or set(_CORES)
    os.sched_setaffinity(0, others)


def fresh(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``work`` returns, run in a new process on the first core."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN, initializer=_pin) as pool:
        return pool.submit(work, *args, **kwargs).result()


def resident() -> int:
    """Bytes of this process in memory now."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def peak_since(reset: bool) -> int:
    """Most bytes of this process in memory since the last reset."""
    if reset:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
