"""The house keeps its order: who may import whom, and what is done nowhere."""

from __future__ import annotations

import ast
import configparser
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "pf_exporter"
LONGEST_MODULE = 250
LONGEST_FUNCTION = 60

# From the bottom up: a package imports only packages that stand before it.
ORDER = (
    "lazy",
    "build_info",
    "descriptor",
    "formatting",
    "log",
    "reason",
    "errors",
    "supervised_thread",
    "schema",
    "config",
    "packetfabric",
    "state",
    "recording",
    "inventory",
    "stream",
    "metrics",
    "diagnostics",
    "server",
    "web",
    "service",
    "simulator",
    "commands",
    "cli",
    "__main__",
)

# Each third-party package is imported by one package, or by a few with a reason.
DOORS = {
    "bcrypt": {"server"},
    "isal": {"metrics"},
    "jinja2": {"web"},
    "msgspec": {"schema", "state"},
    "prometheus_client": {"metrics"},
    "requests": {"packetfabric"},
    "sseclient": {"packetfabric"},
    "starlette": {"server", "simulator", "web"},
    "urllib3": {"packetfabric"},
    "uvicorn": {"server"},
    "yaml": {"config"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def package(path: Path) -> str:
    """The package that a file belongs to, or the module at the top level."""
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


def test_every_package_has_its_place() -> None:
    """The order names every package and top-level module, and no other."""
    assert {package(path) for path in MODULES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """A module imports only packages below its own, so that each can be read without those above."""
    if package(path) == "__init__":
        assert list(imported(path)) == []
        return
    packages = {
        name.split(".")[1] for name in imported(path) if name.startswith("pf_exporter.") and name.count(".")
    }
    allowed = {*ORDER[: ORDER.index(package(path)) + 1], "__version__"}
    assert packages <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_packages_are_used_through_their_faces(path: Path) -> None:
    """Another package is imported by its name, not one of its modules: its face says what it offers."""
    modules = {
        node.module
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.count(".") > 1
    }
    assert {module.split(".")[1] for module in modules if module.startswith("pf_exporter.")} <= {
        package(path)
    }


@pytest.mark.parametrize("folder", sorted(path.parent for path in PACKAGE.glob("*/__init__.py")), ids=str)
def test_modules_of_a_package_have_an_order(folder: Path) -> None:
    """Inside a package no two modules need each other, directly or by way of others."""
    prefix = f"pf_exporter.{folder.name}."
    needs = {
        str(path.relative_to(PACKAGE).with_suffix("")).replace("/", ".").removesuffix(".__init__"): {
            name.removeprefix("pf_exporter.")
            for name in imported(path)
            if name.startswith(prefix) or name == prefix.rstrip(".")
        }
        for path in folder.rglob("*.py")
    }
    needs = {module: {name for name in names if name in needs} for module, names in needs.items()}
    assert list(graphlib.TopologicalSorter(needs).static_order())


def test_nothing_grows_too_long() -> None:
    """No module has more than 250 lines, no function more than 60: what is longer is more than one thing."""
    modules = {
        str(path.relative_to(PACKAGE)): lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    functions = {
        f"{path.relative_to(PACKAGE)}:{node.name}": lines
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert modules == {}
    assert functions == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_star_import(path: Path) -> None:
    """Every imported name is written out."""
    assert not [name for name in imported(path) if name.endswith("*")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_importing_has_no_side_effects(path: Path) -> None:
    """A module's body only defines: no call stands by itself, and no loop or with, but for ``__main__``."""
    if package(path) == "__main__":
        return
    assert [
        ast.unparse(node)
        for node in tree(path).body
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Delete | ast.AugAssign)
        or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING")
    ] == []


def test_each_dependency_has_its_door() -> None:
    """A third-party package is imported where the list says and nowhere else."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for name in imported(path):
            top = name.split(".")[0]
            if top in DOORS:
                found.setdefault(top, set()).add(package(path))
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
    assert "print" not in made or package(path) in ("cli", "commands")


def test_only_a_thread_catches_everything() -> None:
    """A bare or general except stands only at the top of a thread, and where logging must fail no caller."""
    found = [
        package(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert found == ["log", "supervised_thread"]


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


def lazy_faces() -> Iterator[tuple[str, ast.If]]:
    """Each package whose face imports some names on first use, with the statement that does it."""
    for path in sorted(PACKAGE.rglob("__init__.py")):
        for node in tree(path).body:
            if isinstance(node, ast.If):
                yield str(path.parent.relative_to(PACKAGE.parent)).replace("/", "."), node


def test_lazy_names_are_those_the_type_checker_sees() -> None:
    """In the face of a package both branches of TYPE_CHECKING import the same names from the same modules."""
    faces = list(lazy_faces())
    assert len(faces) >= 4
    for name, node in faces:
        imports = {
            alias.asname or alias.name: statement.module
            for statement in node.body
            if isinstance(statement, ast.ImportFrom)
            for alias in statement.names
        }
        (assignment,) = node.orelse
        assert isinstance(assignment, ast.Assign)
        assert isinstance(assignment.value, ast.Call)
        assert ast.unparse(assignment.targets[0]) == "__getattr__"
        modules: dict[str, str] = ast.literal_eval(assignment.value.args[1])
        assert imports == {key: f"{name}.{module}" for key, module in modules.items()}, name
