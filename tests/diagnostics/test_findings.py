from __future__ import annotations

import pytest

from pf_exporter.diagnostics.findings import compare_rates, compare_temporality, report_unknown_fields
from pf_exporter.diagnostics.result import Notice
from pf_exporter.schema import RateUnit, Temporality
from pf_exporter.state.rate_evidence import DetectedRates, Fit, RateEvidence
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


def rates(in_bytes: Fit | None, in_packets: Fit | None = Fit.PACKETS) -> DetectedRates:
    return DetectedRates(
        "vc|metrics", RateEvidence(in_bytes, 1200, 1, 8.0123), RateEvidence(in_packets, 40, 3, 1.0)
    )


def test_rates_that_are_confirmed() -> None:
    """The units, the evidence for them, and that the setting needs no change."""
    assert compare_rates(rates(Fit.BITS), RateUnit.BITS) == (
        "vc|metrics: rates of bytes: bits per second, 1,200 comparisons on 1 circuit: the rates add up to"
        " 8.01 times the growth of the totals; rates of packets: packets per second, 40 comparisons on 3"
        " circuits: the rates add up to 1 times the growth of the totals. units.rates is set correctly."
    )


@pytest.mark.parametrize(
    ("in_bytes", "in_packets", "assumed", "remedy"),
    [
        (Fit.BYTES, Fit.PACKETS, RateUnit.BITS, "set units.rates to bytes; it is bits now"),
        (Fit.BITS, None, RateUnit.BYTES, "set units.rates to bits; it is bytes now"),
        (Fit.NEITHER, None, RateUnit.BITS, "use rate() of the totals instead of the rates, and report"),
        (None, Fit.NEITHER, RateUnit.BITS, "use rate() of the totals instead of the rates, and report"),
        (Fit.BITS, Fit.PACKETS_PER_INTERVAL, RateUnit.BITS, "use rate() of the totals instead of the packet"),
        (None, Fit.PACKETS, RateUnit.BITS, "listen longer with --learn, while there is traffic"),
    ],
)
def test_rates_that_are_not_confirmed(
    in_bytes: Fit | None, in_packets: Fit | None, assumed: RateUnit, remedy: str
) -> None:
    """The remedy names the setting if that helps, or the totals to use instead."""
    outcome = compare_rates(rates(in_bytes, in_packets), assumed)
    assert isinstance(outcome, Notice)
    assert outcome.remedy.startswith(remedy)
