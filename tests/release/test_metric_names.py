"""No metric of the last release is removed, renamed or changed unless the changelog announces it."""

from __future__ import annotations

import pytest

from tests.test_docs import ROOT
from tools.released_metrics import ExposedMetric, current_metrics, released_metrics, unannounced_changes

PORT = ExposedMetric("packetfabric_port_up", "gauge", "account port_circuit_id")


def test_metrics_of_the_last_release() -> None:
    """Dashboards and alerts of the last release find every metric, with its type and labels."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = released_metrics()
    assert len(released) > 100
    assert list(unannounced_changes(released, current_metrics(), changelog)) == []


@pytest.mark.parametrize(
    ("after", "change"),
    [
        ([], "packetfabric_port_up: was gauge (account port_circuit_id), is gone"),
        (
            [PORT._replace(name="packetfabric_port_is_up")],
            "packetfabric_port_up: was gauge (account port_circuit_id), is gone",
        ),
        (
            [PORT._replace(type="counter")],
            "packetfabric_port_up: was gauge (account port_circuit_id), is counter (account port_circuit_id)",
        ),
        (
            [PORT._replace(labels="account")],
            "packetfabric_port_up: was gauge (account port_circuit_id), is gauge (account)",
        ),
    ],
)
def test_changes_are_found(after: list[ExposedMetric], change: str) -> None:
    """A removal, another name, type or label is a change, unless the changelog announces it."""
    old = "\n\n## 0.1.0\n\n- Removes `packetfabric_port_up`.\n"
    assert list(unannounced_changes([PORT], after, f"# Changelog\n\n## 0.2.0\n\n- Nothing.{old}")) == [change]
    similar = "- Renames `packetfabric_port_up_total`."
    assert list(unannounced_changes([PORT], after, f"# Changelog\n\n## 0.2.0\n\n{similar}{old}")) == [change]
    announced = "- Renames `packetfabric_port_up`."
    assert list(unannounced_changes([PORT], after, f"# Changelog\n\n## 0.2.0\n\n{announced}{old}")) == []


def test_additions_are_no_change() -> None:
    """New metrics need no announcement."""
    assert list(unannounced_changes([], [PORT], "# Changelog\n\n## 0.2.0\n\n- Nothing.\n")) == []
