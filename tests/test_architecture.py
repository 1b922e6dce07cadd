"""The house keeps its order: who may import whom, and what is done nowhere."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "pf_exporter"

# From the top of the house down: a module imports only what stands above it.
ORDER = (
    "errors",
    "families",
    "events",
    "circuits",
    "listings",
    "novelties",
    "snapshot",
    "store",
    "backoff",
    "secret",
    "kinds",
    "settings",
    "document",
    "config",
    "logs",
    "sse",
    "frames",
    "names",
    "redaction",
    "recording",
    "recorder",
    "judgement",
    "wire",
    "transport",
    "api",
    "telemetry",
    "session",
    "subscription",
    "intake",
    "stream",
    "rates",
    "inventory",
    "collector",
    "nameplates",
    "exposition",
    "web",
    "feed",
    "service",
    "playback",
    "simulator",
    "step",
    "preflight",
    "signals",
    "commands",
    "cli",
    "__main__",
)

# Each third-party package has one door, or a few with a reason.
DOORS = {
    "bcrypt": {"web"},
    "isal": {"exposition"},
    "msgspec": {"events", "novelties"},
    "prometheus_client": {"telemetry", "collector", "nameplates", "exposition", "service", "web"},
    "requests": {"transport", "wire"},
    "sseclient": {"sse"},
    "starlette": {"web", "simulator"},
    "urllib3": {"transport", "wire"},
    "uvicorn": {"web"},
    "yaml": {"document"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The room a file belongs to: its module, or the package it is part of."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_its_place() -> None:
    """The order names every room there is, and no other."""
    assert {room(path) for path in MODULES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_upwards(path: Path) -> None:
    """A module imports only rooms above its own, so that it can be read without those below."""
    if room(path) == "__init__":
        assert list(imported(path)) == []
        return
    rooms = {
        name.split(".")[1] for name in imported(path) if name.startswith("pf_exporter.") and name.count(".")
    }
    allowed = {*ORDER[: ORDER.index(room(path)) + 1], "__version__"}
    assert rooms <= allowed


def test_each_dependency_has_its_door() -> None:
    """A third-party package is imported where the list says and nowhere else."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for name in imported(path):
            top = name.split(".")[0]
            if top in DOORS:
                found.setdefault(top, set()).add(room(path))
    assert found == DOORS


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_prints_or_sleeps(path: Path) -> None:
    """Only the command line talks to a terminal, and whoever waits can be woken."""
    made = set(calls(path))
    assert "time.sleep" not in made
    assert "print" not in made or room(path) in ("cli", "commands")


def test_only_a_thread_catches_everything() -> None:
    """A bare or general except stands only at the top of a thread, where nothing may pass unseen."""
    found = [
        room(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert found == ["inventory", "playback", "stream"]


def test_no_metric_is_made_at_import() -> None:
    """No module touches the global registry, so that two exporters can live in one process."""
    for path in MODULES:
        assert "REGISTRY" not in path.read_text(encoding="utf-8"), path


def test_all_types_are_checked() -> None:
    """Each file and folder of the top level that holds Python is among those mypy reads."""
    setup = configparser.ConfigParser()
    setup.read(TESTS.parent / "setup.cfg")
    places = {path.name for path in TESTS.parent.glob("*.py")}
    places |= {path.parent.name for path in TESTS.parent.glob("[a-z]*/*.py")}
    assert places == set(setup["mypy"]["files"].split(", "))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_sentence(path: Path) -> None:
    """Every module begins with a sentence that says what it is."""
    doc = ast.get_docstring(tree(path))
    assert doc is not None
    assert doc.split("\n")[0].endswith((".", ".``", ":"))


def test_a_test_is_skipped_for_one_reason() -> None:
    """Nothing is skipped but what needs a package that Python 3.10 cannot have."""
    skips = [
        ast.unparse(node)
        for path in TESTS.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and re.search(r"skip|xfail", ast.unparse(node.func))
    ]
    assert len(skips) == 3
    assert [call for call in skips if "NOT_NEW_ENOUGH" not in call] == []


def test_no_test_takes_the_simulators_port() -> None:
    """Where tests make a simulator's options, it listens on any free port: two runs do not collide."""
    made = [
        ast.unparse(node)
        for path in TESTS.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Simulator"
    ]
    assert len(made) > 5
    # Neither a variable alone, nor options that name an address or take it from elsewhere.
    fixed = re.compile(r"Simulator\((?!\w+[,)])(?!.*(listen_address=|\*\*))")
    assert [call for call in made if fixed.match(call)] == []
