"""What is wrong with a YAML file, and where, from the exceptions of PyYAML.

PyYAML's own messages may quote the file, which can contain a secret; these never do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

INVALID = "invalid YAML from here on; check for a missing quote, colon or space"


class Hint(NamedTuple):
    """A problem at a place."""

    mark: Any
    """PyYAML's mark of the place, with ``line`` and ``column`` from 0."""
    text: str


class _Rule(NamedTuple):
    """The hint for errors whose context and problem contain these texts of PyYAML."""

    context: str
    problem: str
    hint: str
    is_at_context: bool = False
    """Whether the place is where the construct begins."""


_RULES = (
    _Rule("quoted scalar", "end of stream", "this quote is not closed; add the closing quote", True),
    _Rule(
        "quoted scalar",
        "escape character",
        "unknown escape sequence; use single quotes, where \\ is a letter",
    ),
    _Rule("flow mapping", "", "expected a comma or }}, which closes the {{ at {}"),
    _Rule("flow sequence", "", "expected a comma or ], which closes the [ at {}"),
    _Rule("", "character '\\t'", "a tab; indent with spaces"),
    _Rule("", "cannot start any token", "a value cannot start with this character; quote the value"),
    _Rule(
        "",
        "mapping values",
        "unexpected colon; indent this line like its neighbours, write a space after the colon of the line"
        " above, or quote the value",
    ),
    _Rule("", "sequence entries", "unexpected '-'; start the list on a new line"),
    _Rule("", "expected ':'", "a key without a colon; write KEY: VALUE", True),
    _Rule(
        "",
        "found '<scalar>'",
        "unexpected text after a quoted value; check for a missing or an extra quote before it",
    ),
    _Rule(
        "",
        "expected <block end>",
        "wrong indentation; start this line in the same column as its neighbours",
    ),
    _Rule("", "", INVALID),
)
"""The first that matches counts."""


def explain(exc: yaml.MarkedYAMLError) -> Hint:
    """The place of a syntax error, and what to do about it."""
    context, problem = exc.context or "", exc.problem or ""
    rule = next(rule for rule in _RULES if rule.context in context and rule.problem in problem)
    start, here = exc.context_mark or exc.problem_mark, exc.problem_mark or exc.context_mark
    place = f"line {start.line + 1}, column {start.column + 1}" if start else ""
    return Hint(start if rule.is_at_context else here, rule.hint.format(place))
