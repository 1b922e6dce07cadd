"""Findings in the received events: the temporality of counters, and unknown events and fields."""

from __future__ import annotations

from collections.abc import Iterable

from pf_exporter.diagnostics.result import Notice, Outcome
from pf_exporter.schema import RateUnit, Temporality
from pf_exporter.state import DetectedRates, DetectedTemporality


def compare_temporality(detected: DetectedTemporality, configured: Temporality) -> Outcome:
    """Compare the detected temporality of an event's counters with the setting's value."""
    if detected.temporality is None:
        return Notice(f"{detected.event}: no result yet. {detected.evidence}", "listen longer with --learn")
    message = f"{detected.event}: {detected.temporality.value}. {detected.evidence}"
    if not detected.agrees_with(configured):
        return Notice(
            message, f"set {detected.setting} to {detected.temporality.value}; it is {configured.value} now"
        )
    return f"{message} {detected.setting} is set correctly."


def compare_rates(detected: DetectedRates, assumed: RateUnit) -> Outcome:
    """Compare the detected units of an event's rates with the setting ``units.rates``."""
    found = [
        f"rates of {name}: {'no result yet' if evidence.fit is None else evidence.fit.value}, {evidence}"
        for name, evidence in (("bytes", detected.bytes), ("packets", detected.packets))
    ]
    message = f"{detected.event}: {'; '.join(found)}."
    confirmed = detected.confirmed(assumed)
    if confirmed is None:
        return Notice(message, "listen longer with --learn, while there is traffic")
    if confirmed:
        return f"{message} units.rates is set correctly."
    return Notice(message, detected.advice(assumed))


def report_unknown_fields(descriptions: Iterable[str]) -> Outcome:
    """Report events and fields that the schema does not have."""
    return Notice("; ".join(descriptions), "please report this line to the authors of pf-exporter")
