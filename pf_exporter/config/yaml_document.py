"""A YAML file as mappings, lists and text; what a configuration does not need is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from pf_exporter.config.key_names import safe_key

DEPTH_LIMIT = 10
"""Deepest nesting in a configuration file; six levels have a meaning."""


class _RefusedError(yaml.MarkedYAMLError):
    """Valid YAML that a configuration does not need."""


class StrictYaml:
    """One YAML document as mappings, lists, text and None; anchors, aliases and tags are refused."""

    def __init__(self, text: str, path: str, problems: list[str]) -> None:
        self.text, self.path, self.problems = text, path, problems
        self.events: Iterator[Any] = iter(())

    def read(self) -> Any:
        """The document, or None; what is wrong goes into ``problems`` with line and column."""
        syntax = "not valid YAML from here on; look for a missing quote, colon or space"
        try:
            self.events = yaml.parse(self.text, Loader=yaml.SafeLoader)
            next(self.events)
            if isinstance(next(self.events), yaml.StreamEndEvent):
                return None
            root = self.node(next(self.events), 1)
            next(self.events)
            if not isinstance(second := next(self.events), yaml.StreamEndEvent):
                self.refuse(second.start_mark, "a second document; keep one")
            return root
        except yaml.MarkedYAMLError as exc:
            # PyYAML's own words may quote the file.
            ours = exc.problem if isinstance(exc, _RefusedError) else None
            self.refuse(exc.problem_mark or exc.context_mark, ours or syntax)
        except yaml.reader.ReaderError as exc:
            line = self.text.count("\n", 0, exc.position) + 1
            self.problems.append(f"{self.path}:{line}: a character that YAML does not allow; remove it")
        except (ValueError, OverflowError):  # PyYAML on "\UFFFFFFFF" and %YAML with a huge number
            self.problems.append(f"{self.path}: {syntax}")
        return None

    def refuse(self, mark: Any, what: str) -> None:
        """Note a problem at a place in the text."""
        self.problems.append(f"{self.path}:{mark.line + 1}:{mark.column + 1}: {what}")

    def node(self, event: Any, depth: int) -> Any:
        """What an event begins."""
        for wrong, what in (
            (depth > DEPTH_LIMIT, f"nested more than {DEPTH_LIMIT} deep; no setting is"),
            (event.anchor, "anchors and aliases (& and *) are not allowed; write it out, or quote it"),
            (getattr(event, "tag", None), "tags (!) are not allowed; quote it if text is meant"),
        ):
            if wrong:
                raise _RefusedError(problem=what, problem_mark=event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            null = event.implicit[0] and event.value in ("", "~", "null", "Null", "NULL")
            return None if null else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(item, depth + 1))
            return items
        mapping: dict[str, Any] = {}
        while not isinstance(start := next(self.events), yaml.MappingEndEvent):
            key, value = self.node(start, depth + 1), self.node(next(self.events), depth + 1)
            if not isinstance(key, str):
                self.refuse(start.start_mark, "expected the name of a key")
            elif key in mapping:
                self.refuse(start.start_mark, f"{safe_key(key)} is there already; keep one")
            else:
                mapping[key] = value
        return mapping
