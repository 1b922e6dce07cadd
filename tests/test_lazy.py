"""Names of a package that are imported on first use."""

from __future__ import annotations

import sys
import types

import pytest

from pf_exporter.lazy import lazy_names


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A package with one lazy name, which its module ``inner`` defines."""
    package, inner = types.ModuleType("face"), types.ModuleType("face.inner")
    inner.value = object()  # type: ignore[attr-defined]
    package.__getattr__ = lazy_names("face", {"inner": ("value",)})  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "face", package)
    monkeypatch.setitem(sys.modules, "face.inner", inner)
    return package


def test_a_name_is_imported_once(package: types.ModuleType) -> None:
    """The first use imports the name, and later uses find it in the package."""
    assert "value" not in vars(package)
    first = package.value
    assert vars(package)["value"] is first
    assert package.value is first


def test_an_unknown_name_is_an_attribute_error(package: types.ModuleType) -> None:
    """Another name is missing, as from any module."""
    with pytest.raises(AttributeError, match="module 'face' has no attribute 'other'"):
        _ = package.other
