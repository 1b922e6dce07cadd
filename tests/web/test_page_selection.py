"""The query of a scrape that asks for parts of the page or for accounts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pf_exporter.metrics.parts import WHOLE_PAGE, Part, Selection
from pf_exporter.web.page_selection import UnknownNameError, parse_selection


def test_no_query_selects_the_whole_page() -> None:
    """Without a query, every part and every account is shown."""
    assert parse_selection([], ["east"]) == WHOLE_PAGE


def test_parameters_are_repeatable() -> None:
    """Names add up, however often each is given."""
    query = [("collect[]", "port_metrics"), ("account", "east"), ("collect[]", "vc_metrics")] * 200
    expected = Selection(frozenset({Part.PORT_METRICS, Part.VC_METRICS}), frozenset({"east"}))
    assert parse_selection(query, ["east", "west"]) == expected


def test_an_account_alone_selects_all_its_parts() -> None:
    """An account without parts is the whole page of that account."""
    assert parse_selection([("account", "west")], ["west"]) == WHOLE_PAGE._replace(
        accounts=frozenset({"west"})
    )


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("collect[]", "port_metric", "unknown collect[] 'port_metric'; expected one of: port_metrics, vc_m"),
        ("collect[]", "", "unknown collect[] ''; expected one of: port_metrics"),
        ("account", "north", "unknown account 'north'; expected one of: east, west"),
        ("collect", "port_metrics", "unknown parameter 'collect'; expected one of: collect[], account"),
    ],
)
def test_an_unknown_name_is_an_error(parameter: str, value: str, message: str) -> None:
    """A name that does not exist is an error that lists those that do."""
    with pytest.raises(UnknownNameError) as caught:
        parse_selection([(parameter, value)], ["east", "west"])
    assert str(caught.value).startswith(message)


def test_every_part_is_documented() -> None:
    """docs/web.md lists the parts, in their order."""
    page = (Path(__file__).parents[2] / "docs" / "web.md").read_text(encoding="utf-8")
    section = page.partition("\n## Parts of the metrics\n")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^\| `([a-z_]+)` \|", section) == [part.value for part in Part]
