"""Errors and their reasons: what users read of them."""

from __future__ import annotations

import copy
import doctest
import pickle

import pytest

from pf_exporter import errors, reason
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
"""Reasons of something that is no error."""


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_explained_in_sentences(reason: Reason) -> None:
    """Summary and remedy are whole sentences in plain text, of a length that a status page can show."""
    for text in (reason.summary, reason.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text
        assert len(text) < 200


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_label_value(reason: Reason) -> None:
    """As a string, a key or a part of one, a reason is the bare label value, and survives a copy."""
    assert f"{reason}|{reason!s}" == f"{reason.value}|{reason.value}"
    assert {reason.value: 1}[reason] == 1
    assert copy.copy(reason) is pickle.loads(pickle.dumps(reason)) is reason


def test_every_reason_has_an_error() -> None:
    """Each reason belongs to an error class, but for those of planned events."""
    assert set(reasons(ExporterError)) | NOT_RAISED == set(Reason)
    assert not NOT_RAISED & set(reasons(ExporterError))


@pytest.mark.parametrize("base", [ExporterError, ApiError, StreamError, EventError])
def test_a_base_class_has_no_reason(base: type[ExporterError]) -> None:
    """A class that only groups others adds no value to the label."""
    assert not hasattr(base, "reason")


def test_problems_survive_a_pickle() -> None:
    """A configuration error keeps all of its problems."""
    error = pickle.loads(pickle.dumps(ConfigError(["one", "two"])))
    assert (error.problems, str(error)) == (("one", "two"), "one\ntwo")


def test_the_examples_in_the_docstrings_hold() -> None:
    """The usage shown in the modules is what happens."""
    assert doctest.testmod(errors).failed == doctest.testmod(reason).failed == 0
