from __future__ import annotations

import pytest

from pf_exporter.diagnostics.findings import compare_temporality, report_unknown_fields
from pf_exporter.diagnostics.result import Notice
from pf_exporter.schema import Temporality
from pf_exporter.state.temporality_detector import DetectedTemporality


def detected(temporality: Temporality | None) -> DetectedTemporality:
    return DetectedTemporality("port|errors", "counters.port_errors", temporality, "20 changes.")


@pytest.mark.parametrize("temporality", Temporality)
def test_a_setting_that_agrees(temporality: Temporality) -> None:
    """The result, its evidence, and that the setting needs no change."""
    assert compare_temporality(detected(temporality), temporality) == (
        f"port|errors: {temporality.value}. 20 changes. counters.port_errors is set correctly."
    )


def test_a_setting_that_does_not_agree() -> None:
    """The remedy has the setting, the value to set and the present one."""
    assert compare_temporality(detected(Temporality.DELTA), Temporality.CUMULATIVE) == Notice(
        "port|errors: delta. 20 changes.", "set counters.port_errors to delta; it is cumulative now"
    )


def test_no_result() -> None:
    """Without enough changes there is no result, whatever is configured."""
    assert compare_temporality(detected(None), Temporality.DELTA) == Notice(
        "port|errors: no result yet. 20 changes.", "listen longer with --learn"
    )


def test_unknown_fields() -> None:
    """All unknown fields are one message, to be reported."""
    outcome = report_unknown_fields(["a: a number", "b: a list"])
    assert isinstance(outcome, Notice)
    assert outcome.message == "a: a number; b: a list"
    assert "report" in outcome.remedy
