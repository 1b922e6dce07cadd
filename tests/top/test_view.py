"""The screen as text, in sizes from small to large."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from pf_exporter.top.circuit import Circuit, Kind
from pf_exporter.top.controls import HELP, Controls
from pf_exporter.top.table import SortKey, Table
from pf_exporter.top.view import View
from tests.top.circuits import port, reading, vc

CONTROL = re.compile(r"\x1b\[[0-9;]*m")
CIRCUITS = (
    port(1, receive=7.5e9, errors=0.0, name="Los Angeles core uplink"),
    port(2, up=0.0, receive=None, transmit=None, last_event=None, light=None, name="Seattle backup"),
    port(3, name="", receive=0.0, transmit=9.4e9, light=-14.25),
    port(4, receive=None, transmit=None, errors=None, name="東京 バックアップ回線", speed=None),
    port(5, enabled=0.0, receive=None, transmit=None, errors=None, light=None, name="Spare"),
    vc(1),
    vc(2, account="other", receive=None, transmit=None, up=0.0, port="", vlan=""),
)
SIZES = [(80, 24), (100, 24), (120, 40), (200, 50), (300, 12), (20, 5), (40, 10), (1, 1)]


def table(*circuits: Circuit, seconds: float = 30.0) -> Table:
    """A table after two readings, between which port 1 had 45 errors."""
    moments = iter([0.0, seconds])
    made = Table(clock=lambda: next(moments))
    made.update(reading(*circuits))
    rise = {"PF-AP-LAX1-1": 45.0}
    later = [
        one._replace(errors=one.errors + rise.get(one.circuit, 0.0)) if one.errors is not None else one
        for one in circuits
    ]
    made.update(reading(*later, serial=2))
    return made


def screen(made: Table, controls: Controls | None = None, size: tuple[int, int] = (120, 12)) -> list[str]:
    """The lines of a screen without colours."""
    lines = View().screen(made, controls or Controls(), size)
    return [CONTROL.sub("", line).rstrip() for line in lines]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("help", [False, True])
def test_the_screen_fits(size: tuple[int, int], kind: Kind, help: bool) -> None:
    """On every size the screen has as many lines, and none is longer than the terminal is wide."""
    lines = screen(table(*CIRCUITS), Controls(kind, help=help), size)
    width, height = max(size[0], 20), max(size[1], 5)
    assert len(lines) == height
    assert [line for line in lines if cell_len(line) > width] == []


@pytest.mark.parametrize("kind", Kind)
def test_numbers_are_whole_from_80_columns(kind: Kind) -> None:
    """From 80 columns up only names are shortened, and every column of numbers lines up with its title."""
    for width in range(80, 220):
        lines = screen(table(*CIRCUITS), Controls(kind, SortKey.TRANSMIT), (width, 12))
        titles, *rows = [line for line in lines[2:-1] if line]
        for row in rows:
            assert "…" not in row[titles.index("STATE") :], (width, row)
        assert "TRANSMIT bit/s▼" in titles
        assert titles.endswith("AGE")


def test_wide() -> None:
    """A wide screen shows everything about each port."""
    summary, status, titles, *rows = screen(table(*CIRCUITS), Controls(sort=SortKey.ERRORS), (160, 10))
    assert summary == "pf-exporter top  5 ports, 1 down, 1 without data, 1 disabled  acme: streaming"
    assert status == "Sorted by errors."
    assert re.sub(" +", " ", titles) == (
        "NAME ID STATE SPEED RECEIVE bit/s TRANSMIT bit/s ERR/s(1m)▼ dBm AGE"
    )
    assert re.split(r"\s{2,}| (?=[█▉▊▋▌▍▎▏])", rows[0]) == [
        "Los Angeles core uplink PF-AP-LAX1-1 up",
        "10G 7.50G",
        "██████████████████",
        "75% 2.00G",
        "████▊",
        "20%",
        "1.5 (45)",
        "-4.0",
        "1s",
    ]


def test_every_state_is_visible() -> None:
    """Sorted by state, down comes first, then no data, disabled, up."""
    rows = screen(table(*CIRCUITS), Controls(sort=SortKey.STATE))[3:8]
    assert [re.findall(r"down|no data|disabled|up(?= )", row)[-1] for row in rows] == [
        "down",
        "no data",
        "disabled",
        "up",
        "up",
    ]


def test_virtual_circuits() -> None:
    """The other tab shows limits and ends, and the account where there are several."""
    lines = screen(table(*CIRCUITS), Controls(Kind.VCS), (160, 10))
    assert "2 VC ends, 1 down" in lines[0]
    assert re.search(r"PORT VLAN +ID +ACCOUNT +STATE", lines[2])
    row = next(line for line in lines if "LAX to NYC 1" in line)
    assert re.search(r"PF-AP-LAX1-1 1 PF-BC-LAX-NYC-1-PF acme +up +2G +1.00G .* 50% +1.90G .* 95% +4s", row)
    assert "Tab ports" in lines[-1]


def test_only_visible_rows_are_drawn() -> None:
    """Of 5,000 rows only the visible ones are drawn, and only their cells are created."""
    drawn: list[str] = []

    class Counted(Circuit):
        @property
        def receive_load(self) -> float | None:
            drawn.append(self.circuit)
            return None

    made = table(*(Counted(*port(number)) for number in range(5000)))
    lines = screen(made, Controls(offset=100), (120, 24))
    assert "Rows 101 to 120 of 5,000." in lines[1]
    assert len(drawn) == len(lines[3:-1]) == 20


@pytest.mark.parametrize(
    ("controls", "line", "expected"),
    [
        (Controls(filter="core"), 1, "Filter: core."),
        (Controls(paused=True), 1, "Paused; p resumes."),
        (Controls(filter="ab", editing=True), 1, "Filter: ab_"),
        (Controls(filter="zzz"), 3, "No ports match the filter; Esc clears it."),
        (Controls(backwards=True), 1, "Sorted by busiest, reversed."),
    ],
)
def test_status(controls: Controls, line: int, expected: str) -> None:
    """The second line shows order, filter and pause; an empty table gives the reason."""
    assert expected in screen(table(*CIRCUITS), controls)[line]


def test_a_problem_is_shown() -> None:
    """The screen shows why there are no newer values, what to do, and the state of each stream."""
    made = Table()
    problem, remedy = "acme: the login is rejected", "Check the password or the API key; `check` tests them."
    made.update(reading(accounts={"acme": "backoff"}, problem=problem, remedy=remedy))
    lines = screen(made, size=(40, 12))
    assert lines[0].endswith("0 ports  acme: backoff")
    assert lines[1].startswith("Sorted by busiest. acme: the login is")
    assert lines[3] == "No data yet."
    assert lines[5:7] == ["Check the password or the API key;", "`check` tests them."]
    made.update(reading(port(1), problem=problem, remedy=remedy, serial=2))
    assert screen(made)[1].endswith(f"{problem}. {remedy}")
    made.update(reading(vc(1), serial=3))
    assert "No ports; Tab shows VCs." in screen(made)[3]


def test_help() -> None:
    """The help explains every key."""
    text = "\n".join(screen(table(*CIRCUITS), Controls(help=True), (120, 40)))
    assert [what for _, what in HELP if what not in text] == []


def test_colours_are_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR no colour is used; without block characters the bars are of #, the arrow is *."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    view = View(blocks=False)
    coloured = "\n".join(view.screen(table(*CIRCUITS), Controls(sort=SortKey.RECEIVE), (120, 12)))
    assert re.search(r"\x1b\[[0-9;]*3[1-6]", coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = "\n".join(view.screen(table(*CIRCUITS), Controls(sort=SortKey.RECEIVE), (120, 12)))
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", plain)
    assert "#" in plain
    assert "RECEIVE bit/s*" in plain
    assert "█" not in plain


def test_names_are_not_markup() -> None:
    """A description in square brackets is shown as it is."""
    assert any(
        "[bold]x[/bold] [site=LAX]" in line
        for line in screen(table(port(1, name="[bold]x[/bold] [site=LAX]")))
    )


def test_plain() -> None:
    """Without a terminal every row is a line without bars and control sequences."""
    lines = View(interactive=False).plain(
        table(*CIRCUITS, *map(port, range(6, 60))), Controls(sort=SortKey.NAME)
    )
    assert len(lines) == 1 + 5 + 54
    assert not any(CONTROL.search(line) or "█" in line or "…" in line for line in lines)
    row = next(line for line in lines if "core uplink" in line)
    assert " ".join(row.split()) == (
        "Los Angeles core uplink PF-AP-LAX1-1 up 10G 7.50G 75% 2.00G 20% 1.5 (45) -4.0 1s"
    )
