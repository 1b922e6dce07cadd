"""Change the code in small ways, and report the changes that no test notices: ``make mutants``.

Mutates the lines that changed since a revision, by default the last tag or else the main branch of origin, or
the modules and packages that are named. Runs the tests of a module, then those of its package, in copies of
the project.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools.mutations import Mutation, mutations

ROOT = Path(__file__).parents[1]
PACKAGE = "pf_exporter"
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-pno:xdist", "-pno:cacheprovider", "-pno:randomly")
# Random examples would make the result depend on luck.
ENVIRONMENT = {**os.environ, "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
NO_TESTS_COLLECTED = 5


class Mutant(NamedTuple):
    """A mutation of one module, and the tests that have to notice it, most specific first."""

    module: Path
    mutation: Mutation
    tests: tuple[str, ...]

    def __str__(self) -> str:
        line, before, after, _ = self.mutation
        return f"{self.module}:{line}: {before}  ->  {after}"


def changed_lines(root: Path, since: str) -> dict[Path, set[int]]:
    """Return the lines of each module that differ from a revision."""
    diff = _git(root, "diff", "--unified=0", "--no-color", "--diff-filter=d", since, "--", PACKAGE)
    lines: dict[Path, set[int]] = {}
    module = Path()
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            module = Path(line[6:])
        elif match := re.match(r"@@ \S+ \+(\d+)(?:,(\d+))? @@", line):
            start, count = int(match[1]), int(match[2] or 1)
            lines.setdefault(module, set()).update(range(start, start + count))
    return {module: numbers for module, numbers in lines.items() if module.suffix == ".py"}


def default_revision(root: Path) -> str:
    """Return the last tag, or the main branch of origin if there is no tag."""
    for command in (("describe", "--tags", "--abbrev=0"), ("rev-parse", "--verify", "origin/main")):
        with contextlib.suppress(subprocess.CalledProcessError):
            return _git(root, *command).strip()
    raise SystemExit("mutants: no tag and no origin/main; use --since, or name modules")


def named_modules(root: Path, names: Iterable[str]) -> dict[Path, None]:
    """Return the modules among the named files and folders."""
    found: dict[Path, None] = {}
    for name in names:
        path = root / name
        if not path.exists():
            raise SystemExit(f"mutants: {name}: no such module or package")
        modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found.update(dict.fromkeys(module.relative_to(root) for module in modules))
    return found


def mirrored_tests(root: Path, module: Path) -> tuple[str, ...]:
    """Return the tests of a module: `tests/state/test_table.py` and `tests/state` for `state/table.py`."""
    below = module.relative_to(PACKAGE)
    candidates = [Path("tests", below.parent, f"test_{below.name}")]
    candidates += [Path("tests", folder) for folder in below.parents if folder != Path()]
    return tuple(str(path) for path in candidates if (root / path).exists())


class Workspace:
    """A copy of the project in which one mutant at a time is tested."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns(
            ".git", ".venv", "*_cache", "__pycache__", ".hypothesis", ".coverage*"
        )
        shutil.copytree(root, folder, ignore=ignored)

    def fails(self, tests: str, timeout: float) -> bool:
        """Run some tests; whether they fail or take too long."""
        # In its own session, so that a test that hangs is killed with the processes that it started.
        with subprocess.Popen(
            [*PYTEST, tests],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(timeout) not in (0, NO_TESTS_COLLECTED)
            except subprocess.TimeoutExpired:
                return True
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def survives(self, mutant: Mutant, limits: dict[str, float]) -> bool:
        """Whether no test notices a mutant; a run longer than its limit in seconds counts as noticed."""
        module = self.folder / mutant.module
        original = module.read_text(encoding="utf-8")
        module.write_text(mutant.mutation.source, encoding="utf-8")
        try:
            return not any(self.fails(tests, limits[tests]) for tests in mutant.tests)
        finally:
            module.write_text(original, encoding="utf-8")


class Report(NamedTuple):
    """The mutants that were tested, and those among them that no test noticed."""

    tested: int
    survivors: list[Mutant]

    @property
    def killed_percent(self) -> float:
        """The share that a test noticed; 100 if there was nothing to test."""
        return 100 * (self.tested - len(self.survivors)) / self.tested if self.tested else 100.0


def run(root: Path, mutants: Sequence[Mutant], *, jobs: int, seconds: float) -> Report:
    """Test mutants in parallel until all are tested or the time is over."""
    end = time.monotonic() + seconds
    report_lock = threading.Lock()
    tested, survivors = 0, []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        free: queue.SimpleQueue[Workspace] = queue.SimpleQueue()
        for number in range(jobs):
            free.put(Workspace(root, Path(folder, str(number))))
        limits = _measure_limits(free, {tests: None for mutant in mutants for tests in mutant.tests})

        def test(mutant: Mutant) -> None:
            nonlocal tested
            if time.monotonic() >= end:
                return
            workspace = free.get()
            survives = workspace.survives(mutant, limits)
            free.put(workspace)
            with report_lock:
                tested += 1
                if survives:
                    survivors.append(mutant)
                    print(mutant, flush=True)

        list(pool.map(test, mutants))
    return Report(tested, sorted(survivors, key=lambda mutant: (mutant.module, mutant.mutation.line)))


def _measure_limits(free: queue.SimpleQueue[Workspace], tests: Iterable[str]) -> dict[str, float]:
    """Run each set of tests without a mutant, and return a generous limit for its duration."""
    workspace = free.get()
    limits = {}
    for each in tests:
        start = time.monotonic()
        if workspace.fails(each, 1800.0):
            raise SystemExit(f"mutants: {each} fails without a mutant")
        limits[each] = 20.0 + 4 * (time.monotonic() - start)
    free.put(workspace)
    return limits


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find_mutants(root: Path, modules: dict[Path, set[int]] | dict[Path, None]) -> Iterator[Mutant]:
    """Yield the mutants of modules, each with its tests."""
    for module, lines in modules.items():
        tests = mirrored_tests(root, module)
        for mutation in mutations((root / module).read_text(encoding="utf-8"), lines):
            yield Mutant(module, mutation, tests)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run from the command line; exit code 1 if too few mutants are killed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules or packages, instead of changed lines")
    parser.add_argument("--since", help="mutate the lines that changed since this revision")
    parser.add_argument(
        "--minutes", type=float, default=20.0, help="stop after so long (default: %(default)g)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="parallel runs (default: one per core)"
    )
    parser.add_argument("--seed", type=int, help="a fixed order of the mutants (default: random)")
    parser.add_argument("--at-least", type=float, default=95.0, help="percent to kill (default: %(default)g)")
    options = parser.parse_args(arguments)
    if options.modules:
        mutants = list(find_mutants(root, named_modules(root, options.modules)))
    else:
        since = options.since or default_revision(root)
        mutants = list(find_mutants(root, changed_lines(root, since)))
    # If the time is too short for all mutants, those that are tested are a random sample.
    random.Random(options.seed).shuffle(mutants)
    report = run(root, mutants, jobs=options.jobs, seconds=options.minutes * 60)
    print(f"{report.tested} of {len(mutants)} mutants tested, {len(report.survivors)} survived:", end=" ")
    print(f"{report.killed_percent:.1f} % killed")
    return 0 if report.killed_percent >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
