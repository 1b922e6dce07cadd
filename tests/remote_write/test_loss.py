"""The reasons for losses are documented."""

from __future__ import annotations

from pathlib import Path

from pf_exporter.remote_write.loss import FAILED, Loss

DOCS = Path(__file__).parents[2] / "docs"


def test_every_reason_is_documented() -> None:
    """The page has a row for each reason with its cause, and the runbook says what to do."""
    page = (DOCS / "remote-write.md").read_text(encoding="utf-8")
    rows = [f"| `{loss}` | {'failed' if loss in FAILED else 'dropped'} | {loss.summary} |" for loss in Loss]
    assert [row for row in rows if row not in page] == []
    runbook = (DOCS / "runbook.md").read_text(encoding="utf-8")
    section = runbook.partition("## PacketFabricRemoteWriteBehind")[2].partition("\n## ")[0]
    harmless = {Loss.OUT_OF_ORDER}
    assert [loss for loss in Loss if loss not in harmless and f"`{loss}`" not in section] == []
