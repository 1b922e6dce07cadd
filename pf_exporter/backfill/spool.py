"""Keeps samples on disk, each once, and which requests are done, so that a backfill can continue."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pf_exporter.errors import ConfigError
from pf_exporter.metrics import label_text
from pf_exporter.schema import FamilySpec

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS done (task TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, family TEXT, labels TEXT, UNIQUE (family, labels));
CREATE TABLE IF NOT EXISTS samples (
    series INTEGER, at INTEGER, value REAL NOT NULL, PRIMARY KEY (series, at)
) WITHOUT ROWID;
"""


class Sample(NamedTuple):
    """A value of a series, with its time in ms since 1970."""

    family: str
    labels: str
    at: int
    value: float


def _open_database(path: Path) -> sqlite3.Connection:
    """Open a file with the tables, which are created if they do not exist."""
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        with database:
            database.executescript(_TABLES)
    except sqlite3.Error:
        database.close()
        raise
    return database


class Spool:
    """Samples in a SQLite file, for one thread at a time. Raises :class:`ConfigError` if it is no such file.

    ``extra_labels`` are added to every series.
    """

    def __init__(self, path: Path, extra_labels: Mapping[str, str]) -> None:
        self.path = path
        self._extra_labels = dict(extra_labels)
        self._ids: dict[tuple[str, tuple[str, ...]], int] = {}
        self.samples = 0
        """Samples added by this process."""
        try:
            self._database = _open_database(path)
        except sqlite3.Error as exc:
            raise ConfigError([f"{path}: cannot hold unfinished work: {exc}"]) from None

    def fact(self, name: str, value: str) -> str:
        """Return what was stored under a name before; if there is nothing, store and return ``value``."""
        with self._database:
            self._database.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def replace_fact(self, name: str, value: str) -> None:
        """Store a value under a name."""
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def is_done(self, task: str) -> bool:
        """Return whether a task is done, so that its samples are stored."""
        return self._database.execute("SELECT 1 FROM done WHERE task = ?", (task,)).fetchone() is not None

    def add(self, task: str, samples: Iterable[tuple[FamilySpec, tuple[str, ...], float, float]]) -> None:
        """Add samples, and mark their task as done, unless it is empty: all of it or nothing.

        A sample is its family, the values of the family's labels, UNIX seconds and the value. A later sample
        of the same series and time replaces an earlier one.
        """
        with self._database:
            rows = [
                (self._series(family, values), round(at * 1000), value)
                for family, values, at, value in samples
            ]
            self._database.executemany("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", rows)
            if task:
                self._database.execute("INSERT OR IGNORE INTO done VALUES (?)", (task,))
        self.samples += len(rows)

    def _series(self, family: FamilySpec, values: tuple[str, ...]) -> int:
        key = (family.name, values)
        if key not in self._ids:
            labels = label_text({**dict(zip(family.labels, values, strict=True)), **self._extra_labels})
            self._database.execute(
                "INSERT OR IGNORE INTO series (family, labels) VALUES (?, ?)", (family.name, labels)
            )
            row = self._database.execute(
                "SELECT id FROM series WHERE family = ? AND labels = ?", (family.name, labels)
            ).fetchone()
            self._ids[key] = int(row[0])
        return self._ids[key]

    def counts(self) -> tuple[int, int]:
        """Return how many samples and how many series there are."""
        row = self._database.execute("SELECT count(*), count(DISTINCT series) FROM samples").fetchone()
        return int(row[0]), int(row[1])

    def series(self) -> list[int]:
        """Return the numbers of all series, family by family."""
        return [
            int(row[0]) for row in self._database.execute("SELECT id FROM series ORDER BY family, labels")
        ]

    def read(self, series: int, after: int = -1) -> Iterator[Sample]:
        """Yield the samples of a series after a time in ms, in order."""
        found = self._database.execute("SELECT family, labels FROM series WHERE id = ?", (series,)).fetchone()
        query = "SELECT at, value FROM samples WHERE series = ? AND at > ? ORDER BY at"
        for at, value in self._database.execute(query, (series, after)):
            yield Sample(found[0], found[1], at, value)

    def close(self, *, delete: bool = False) -> None:
        """Close the file, and delete it if it is no longer needed."""
        self._database.close()
        if delete:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
