"""Keys change the state of the screen."""

from __future__ import annotations

import pytest

from pf_exporter.top.circuit import Kind
from pf_exporter.top.controls import SORT_KEYS, Controls
from pf_exporter.top.keys import Key
from pf_exporter.top.table import SortKey


def pressed(*keys: Key | str, controls: Controls | None = None) -> Controls:
    """The state after keys, on a screen of ten rows."""
    controls = controls or Controls()
    for key in keys:
        controls.press(key, page=10)
    return controls


def test_every_order_has_a_key() -> None:
    """Each order that the command line knows can be chosen by a key."""
    assert set(SORT_KEYS.values()) == set(SortKey)


@pytest.mark.parametrize(("key", "sort"), SORT_KEYS.items())
def test_sort(key: str, sort: SortKey) -> None:
    """A key chooses its order, the same key again reverses it, and the table starts at the top."""
    first = pressed("x", "n" if sort is not SortKey.NAME else "a", Key.DOWN, key)
    assert (first.sort, first.backwards, first.offset) == (sort, False, 0)
    assert pressed(key, controls=first).backwards
    assert not pressed(key, controls=first).backwards


def test_virtual_circuits_have_no_errors_and_no_light() -> None:
    """Orders that only ports have are dropped with the tab, and their keys do nothing there."""
    controls = pressed("e", Key.TAB)
    assert (controls.kind, controls.sort) == (Kind.VCS, SortKey.BUSIEST)
    assert pressed("l", controls=controls).sort is SortKey.BUSIEST
    assert pressed(Key.TAB, "l", controls=controls).sort is SortKey.LIGHT


def test_filter() -> None:
    """After / every character belongs to the filter; Backspace, Enter and Esc edit, keep and clear it."""
    controls = pressed("/", "q", "p", "x", Key.BACKSPACE)
    assert (controls.filter, controls.editing, controls.quit) == ("qp", True, False)
    assert not pressed(Key.ENTER, controls=controls).editing
    assert controls.filter == "qp"
    assert pressed(Key.ESCAPE, controls=controls).filter == ""
    assert pressed("/", "a", Key.ESCAPE) == Controls()


def test_scroll() -> None:
    """Rows and pages are scrolled within the table."""
    controls = pressed(Key.PAGE_DOWN, Key.DOWN, Key.UP)
    assert controls.offset == 10
    assert pressed(Key.UP, Key.PAGE_UP, Key.PAGE_UP, controls=controls).offset == 0
    pressed(Key.END, controls=controls).scroll_within(25, 10)
    assert controls.offset == 15
    assert pressed(Key.HOME, controls=controls).offset == 0
    pressed(Key.PAGE_DOWN, controls=controls).scroll_within(5, 10)
    assert controls.offset == 0


def test_pause_help_and_quit() -> None:
    """p and Space pause, ? shows help until any key, q quits, also from the help."""
    assert pressed("p").paused
    assert not pressed("p", " ").paused
    assert pressed("?").help
    assert pressed("?", "r") == Controls()
    assert pressed("?", "q").quit
    assert pressed("q").quit
