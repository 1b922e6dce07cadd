"""The parts of the metrics and the accounts that a query asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pf_exporter.metrics import WHOLE_PAGE, Part, Selection

COLLECT = "collect[]"
ACCOUNT = "account"


class UnknownNameError(ValueError):
    """A query has a parameter or a value that does not exist; the message lists those that do."""


def _check(what: str, name: str, known: Iterable[str]) -> None:
    known = tuple(known)
    if name not in known:
        raise UnknownNameError(f"unknown {what} {name!r}; expected one of: {', '.join(known)}")


def parse_selection(query: Iterable[tuple[str, str]], accounts: Collection[str]) -> Selection:
    """Return what to show; each parameter can be repeated, and everything is shown without any.

    Raises :class:`UnknownNameError`.
    """
    parts, names = set(), set()
    for parameter, value in query:
        _check("parameter", parameter, (COLLECT, ACCOUNT))
        if parameter == COLLECT:
            _check(COLLECT, value, (part.value for part in Part))
            parts.add(Part(value))
        else:
            _check(ACCOUNT, value, accounts)
            names.add(value)
    return Selection(frozenset(parts) or WHOLE_PAGE.parts, frozenset(names))
