"""Errors and reasons: what users read about them."""

from __future__ import annotations

import copy
import pickle

import pytest

from pf_exporter.errors import (
    ApiError,
    ConfigError,
    EventError,
    ExporterError,
    StreamError,
    reasons,
)
from pf_exporter.reason import Reason

NOT_RAISED = {Reason.ROTATED, Reason.STOPPED, Reason.DUPLICATE, Reason.OUT_OF_ORDER}
"""Reasons that are not errors."""


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_explained_in_sentences(reason: Reason) -> None:
    """Summary and remedy are sentences in plain text that fit on the status page."""
    for text in (reason.summary, reason.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text
        assert len(text) < 200


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_label_value(reason: Reason) -> None:
    """A reason formats, compares and hashes as its label value, and is the same object after a copy."""
    assert f"{reason}|{reason!s}" == f"{reason.value}|{reason.value}"
    assert {reason.value: 1}[reason] == 1
    assert copy.copy(reason) is pickle.loads(pickle.dumps(reason)) is reason


def test_every_reason_has_an_error() -> None:
    """Each reason belongs to an error class, except for those of planned events."""
    assert set(reasons(ExporterError)) | NOT_RAISED == set(Reason)
    assert not NOT_RAISED & set(reasons(ExporterError))


@pytest.mark.parametrize("base", [ExporterError, ApiError, StreamError, EventError])
def test_a_base_class_has_no_reason(base: type[ExporterError]) -> None:
    """A class that groups others adds no label value."""
    assert not hasattr(base, "reason")


def test_problems_survive_a_pickle() -> None:
    """A pickled configuration error keeps all of its problems."""
    error = pickle.loads(pickle.dumps(ConfigError(["one", "two"])))
    assert (error.problems, str(error)) == (("one", "two"), "one\ntwo")
