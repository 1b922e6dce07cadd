"""HTML out of text: what comes from outside stays text."""

from __future__ import annotations

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is HTML already; made here, from parts that were escaped."""

    __slots__ = ()


def escaped(part: object) -> str:
    """HTML that shows the part as the text it is, unless it is :class:`Markup`."""
    return part if isinstance(part, Markup) else html.escape(str(part))


def joined(parts: Iterable[object]) -> Markup:
    """The parts one after another.

    >>> joined(["a<b", Markup("<br>")])
    'a&lt;b<br>'
    """
    return Markup("".join(map(escaped, parts)))


def tag(name: str, *parts: object, **attributes: object) -> Markup:
    """An element; ``class_`` is the attribute class, ``data_x`` is data-x, None leaves an attribute out.

    >>> tag("a", "1 < 2", href='x"y', class_="z")
    '<a href="x&quot;y" class="z">1 &lt; 2</a>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{joined(parts)}</{name}>")


def table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> Markup:
    """A table in a box that scrolls sideways by itself; on a narrow page each row is a card of its own."""
    heads = list(heads)
    head = tag("tr", *(tag("th", cell, scope="col") for cell in heads))
    body = joined(
        tag("tr", *(tag("td", cell, data_head=name) for name, cell in zip(heads, row, strict=True)))
        for row in rows
    )
    return tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="wide")
