"""Strict YAML: mappings, lists and strings only; everything that a configuration does not need is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from pf_exporter.config.key_names import safe_key
from pf_exporter.config.yaml_hints import INVALID, explain

DEPTH_LIMIT = 10
"""Deepest nesting in a configuration file; the deepest valid key is at level six."""

_NULL = frozenset(("", "~", "null", "Null", "NULL"))


def _position(mark: Any) -> str:
    return f":{mark.line + 1}:{mark.column + 1}"


class _RefusedError(yaml.MarkedYAMLError):
    """Valid YAML that a configuration does not need."""


class StrictYaml:
    """One YAML document; anchors, aliases and tags are refused, and scalars are strings or None."""

    def __init__(self, text: str, path: str, problems: list[str]) -> None:
        self._text = text
        self._path = path
        self._problems = problems
        self._events: Iterator[Any] = iter(())
        self.positions: dict[str, str] = {}
        """Line and column, such as ``:3:5``, by the path of a key, such as ``accounts[0].name``."""

    def read(self) -> Any:
        """The document, or None; problems, with line and column, are added to ``problems``."""
        try:
            self._events = yaml.parse(self._text, Loader=yaml.SafeLoader)
            return self._document()
        except _RefusedError as exc:
            self._reject(exc.problem_mark, exc.problem or "")
        except yaml.MarkedYAMLError as exc:
            self._reject(*explain(exc))
        except yaml.reader.ReaderError as exc:
            line = self._text.count("\n", 0, exc.position) + 1
            self._problems.append(f"{self._path}:{line}: a character that YAML does not allow; remove it")
        except (ValueError, OverflowError):  # from PyYAML, for "\UFFFFFFFF" and for %YAML with a huge number
            self._problems.append(f"{self._path}: {INVALID}")
        return None

    def _reject(self, mark: Any, problem: str) -> None:
        """Add a problem at a position in the text."""
        self._problems.append(f"{self._path}{_position(mark)}: {problem}")

    def _document(self) -> Any:
        next(self._events)  # The start of the stream.
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 1, "")
        next(self._events)  # The end of the document.
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._reject(after.start_mark, "a second YAML document; keep only one")
        return root

    def _node(self, event: Any, depth: int, path: str) -> Any:
        """The value that begins with an event; ``path`` leads to it."""
        for refused, problem in (
            (depth > DEPTH_LIMIT, f"nested more than {DEPTH_LIMIT} levels deep; no setting is"),
            (event.anchor, "anchors and aliases (& and *) are not allowed; repeat the value, or quote it"),
            (getattr(event, "tag", None), "tags (!) are not allowed; quote the value if it is a string"),
        ):
            if refused:
                raise _RefusedError(problem=problem, problem_mark=event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            return None if event.implicit[0] and event.value in _NULL else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(depth, path)
        return self._mapping(depth, path)

    def _list(self, depth: int, path: str) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item_path = f"{path}[{len(items)}]"
            self.positions[item_path] = _position(event.start_mark)
            items.append(self._node(event, depth + 1, item_path))
        return items

    def _mapping(self, depth: int, path: str) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1, path)
            key_path = f"{path}.{key}" if path else f"{key}"
            self.positions.setdefault(key_path, _position(event.start_mark))
            value = self._node(next(self._events), depth + 1, key_path)
            if not isinstance(key, str):
                self._reject(event.start_mark, "expected a string as key")
            elif key in mapping:
                self._reject(event.start_mark, f"duplicate key {safe_key(key)}; keep only one")
            else:
                mapping[key] = value
        return mapping
