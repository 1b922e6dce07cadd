"""The architecture: which package imports which, and what no module does."""

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
MAX_MODULE_LINES = 250
MAX_FUNCTION_LINES = 60

# From the bottom up: a package imports only packages that are listed before it.
ORDER = (
    "lazy",
    "build_info",
    "descriptor",
    "formatting",
    "utilization",
    "log",
    "process",
    "reason",
    "errors",
    "assets",
    "supervised_thread",
    "schema",
    "config",
    "packetfabric",
    "state",
    "recording",
    "inventory",
    "activity",
    "stream",
    "metrics",
    "scrape",
    "remote_write",
    "diagnostics",
    "server",
    "web",
    "service",
    "simulator",
    "backfill",
    "top",
    "tail",
    "command_line",
    "commands",
    "cli",
    "__main__",
)

# The packages that import each third-party package.
IMPORTERS = {
    "bcrypt": {"server"},
    "cramjam": {"remote_write"},
    "isal": {"metrics"},
    "jinja2": {"web"},
    "msgspec": {"schema", "state"},
    "prometheus_client": {"metrics"},
    "requests": {"packetfabric"},
    "rich": {"process", "top"},
    "sseclient": {"packetfabric"},
    "starlette": {"server", "simulator", "web"},
    "urllib3": {"packetfabric"},
    "uvicorn": {"server"},
    "yaml": {"config"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def package(path: Path) -> str:
    """Return the package of a file, or the name of a top-level module."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names of everything that a file imports, anywhere in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_package_is_in_the_order() -> None:
    """The order contains every package and top-level module."""
    assert {package(path) for path in MODULES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """A module imports only packages below its own."""
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
    """Other packages are imported by name, not by module; `__all__` lists what they offer."""
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
    """The imports between the modules of a package have no cycle."""
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


def test_length() -> None:
    """No module has more than 250 lines, and no function more than 60."""
    modules = {
        str(path.relative_to(PACKAGE)): lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_MODULE_LINES
    }
    functions = {
        f"{path.relative_to(PACKAGE)}:{node.name}": lines
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert modules == {}
    assert functions == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_star_import(path: Path) -> None:
    """Every imported name is explicit."""
    assert not [name for name in imported(path) if name.endswith("*")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_importing_has_no_side_effects(path: Path) -> None:
    """The body of a module only defines names, without calls, loops or `with`, except in `__main__`."""
    if package(path) == "__main__":
        return
    assert [
        ast.unparse(node)
        for node in tree(path).body
        if isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Delete | ast.AugAssign)
        or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING")
    ] == []


def test_importers_of_dependencies() -> None:
    """Only the listed packages import each third-party package."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for name in imported(path):
            top = name.split(".")[0]
            if top in IMPORTERS:
                found.setdefault(top, set()).add(package(path))
    assert found == IMPORTERS


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_print_and_no_sleep(path: Path) -> None:
    """Only the command line prints, and nothing sleeps without a way to wake it."""
    called = set(calls(path))
    assert "time.sleep" not in called
    assert "print" not in called or package(path) == "process"


def test_general_except() -> None:
    """Only the log and the top of a thread catch all exceptions."""
    found = [
        package(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    ]
    assert found == ["log", "supervised_thread"]


def test_no_global_registry() -> None:
    """No module uses the global registry, so that two exporters can run in one process."""
    for path in MODULES:
        assert "REGISTRY" not in path.read_text(encoding="utf-8"), path


def test_all_types_are_checked() -> None:
    """mypy checks every top-level file and folder with Python code."""
    setup = configparser.ConfigParser()
    setup.read(TESTS.parent / "setup.cfg")
    found = {path.name for path in TESTS.parent.glob("*.py")}
    found |= {path.parent.name for path in TESTS.parent.glob("[a-z]*/*.py")}
    assert found == set(setup["mypy"]["files"].split(", "))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_have_docstrings(path: Path) -> None:
    """The first line of each module is a sentence that describes it."""
    doc = ast.get_docstring(tree(path))
    assert doc is not None
    assert doc.split("\n")[0].endswith((".", ".``", ":"))


SKIPS = {
    *("skip", "skipif", "xfail", "importorskip", "collect_ignore", "collect_ignore_glob"),
    *("skipIf", "skipUnless", "skipTest", "SkipTest", "expectedFailure"),
}
"""Every way to skip a test, or to let it fail, in pytest and unittest."""


def skips(module: ast.Module) -> Iterator[str]:
    """Yield the calls, marks, decorators and imports of a module that skip tests or let them fail."""
    called: set[ast.AST] = set()
    for node in ast.walk(module):
        name: ast.AST = node
        if isinstance(node, ast.Call):
            name = node.func
            called.add(name)
        elif node in called:
            continue
        names = [getattr(name, "attr", None) or getattr(name, "id", None)]
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        if SKIPS.intersection(names):
            yield ast.unparse(node)


def test_skips() -> None:
    """Tests are skipped only if a package does not support Python 3.10."""
    found = [item for path in TESTS.rglob("*.py") for item in skips(tree(path))]
    assert len(found) == 3
    assert [item for item in found if "NOT_NEW_ENOUGH" not in item] == []


@pytest.mark.parametrize(
    "code",
    [
        "pytest.skip('later')",
        "pytest.xfail('later')",
        "pytest.importorskip('isal')",
        "yaml = importorskip('yaml')",
        "from pytest import skip as leave",
        "collect_ignore = ['test_later.py']",
        "@pytest.mark.skip\ndef test_it(): ...",
        "@pytest.mark.skip(reason='later')\ndef test_it(): ...",
        "@pytest.mark.skipif(True, reason='later')\ndef test_it(): ...",
        "@pytest.mark.xfail\ndef test_it(): ...",
        "pytestmark = pytest.mark.skip",
        "pytestmark = [pytest.mark.xfail(strict=True)]",
        "pytest.param(1, marks=pytest.mark.xfail)",
        "@unittest.skip('later')\ndef test_it(): ...",
        "@unittest.expectedFailure\ndef test_it(): ...",
        "raise unittest.SkipTest",
        "raise pytest.skip.Exception('later')",
        "self.skipTest('later')",
    ],
)
def test_every_skip_is_found(code: str) -> None:
    """Calls, decorators, marks and exceptions that skip a test are found."""
    assert list(skips(ast.parse(code)))


def test_simulators_use_free_ports() -> None:
    """Tests start simulators on free ports, so that two test runs do not conflict."""
    made = [
        ast.unparse(node)
        for path in TESTS.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Simulator"
    ]
    assert len(made) > 5
    # Matches calls without an address, unless the options come from a variable or a mapping.
    fixed = re.compile(r"Simulator\((?!\w+[,)])(?!.*(listen_address=|\*\*))")
    assert [call for call in made if fixed.match(call)] == []


def lazy_faces() -> Iterator[tuple[str, ast.If]]:
    """Yield each package whose `__init__` imports names on first use, with the statement that does it."""
    for path in sorted(PACKAGE.rglob("__init__.py")):
        for node in tree(path).body:
            if isinstance(node, ast.If):
                yield str(path.parent.relative_to(PACKAGE.parent)).replace("/", "."), node


def test_lazy_names() -> None:
    """Both branches of TYPE_CHECKING import the same names from the same modules, which have other names."""
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
        names: dict[str, tuple[str, ...]] = ast.literal_eval(assignment.value.args[1])
        assert imports == {key: f"{name}.{module}" for module, own in names.items() for key in own}, name
        assert not names.keys() & imports.keys(), f"{name}: importing the module would replace the name"
