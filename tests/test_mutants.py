"""`make mutants`: which changes it makes to the code, and which of them it reports."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.conftest import tool
from tools.mutants import changed_lines, default_revision, main, mirrored_tests
from tools.mutations import mutations

MODULE = """\
def passes(points: int) -> bool:
    return points >= 50
"""
TESTS = """\
from pf_exporter.grades import passes

def test_passes():
    assert passes({enough}) and not passes(49)
"""


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a < b", ["a <= b"]),
        ("a == b", ["a != b"]),
        ("a is None", ["a is not None"]),
        ("0 < a <= b", ["0 <= a <= b", "0 < a < b", "1 < a <= b"]),
        ("a in b", ["a not in b"]),
        ("a and b", ["a or b"]),
        ("not a", ["not not a"]),
        ("a + b", ["a - b"]),
        ("a / b", ["a * b"]),
        ("a += b", ["a -= b"]),
        ("a.b = True", ["a.b = False"]),
        ("a(0.5)", ["None", "a(1.5)"]),
        ("a if b else c", ["a if not b else c"]),
        ("while a:\n    b", ["while not a:\n    b"]),
        ("if a == b:\n    c", ["if a != b:\n    c"]),
        ("def a():\n    return b", ["def a():\n    return None"]),
        ("a.put(b)", ["None"]),
        ("a: int | None", []),
        ("def a(b: Literal[1]) -> Literal[2]:\n    pass", []),
        ("def a():\n    return None", []),
        ("def a():\n    return True", ["def a():\n    return False"]),
        ("TIMEOUT = 5.0", []),
        ("SHORT, LONG = 5.0, 60.0", []),
        ("@dataclass(frozen=True)\nclass A:\n    pass", []),
        ("a = zip(b, c, strict=True)", []),
        ("if TYPE_CHECKING:\n    import a", []),
        ("log.info('text')", []),
        ("'text'", []),
    ],
)
def test_mutations(code: str, changed: list[str]) -> None:
    """Operators, values, conditions and calls change; annotations, logs and named constants do not."""
    assert sorted(mutation.source for mutation in mutations(code)) == sorted(changed)


def test_mutations_of_some_lines() -> None:
    """Only the given lines are changed; a mutation has its line and the code before and after."""
    (mutation,) = mutations("a = b < c\nd = e < f\n", {2})
    assert mutation == (2, "e < f", "e <= f", "a = b < c\nd = e <= f")


def write_project(folder: Path, enough: int) -> Path:
    """Write a project with one module and its tests."""
    for name, text in {
        "pf_exporter/__init__.py": "",
        "pf_exporter/grades.py": MODULE,
        "tests/__init__.py": "",
        "tests/test_grades.py": TESTS.format(enough=enough),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    return folder


def test_survivors_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mutant that no test notices is printed; the exit code is 1, and the module is as before."""
    root = write_project(tmp_path, enough=51)
    assert main(["pf_exporter", "--jobs=2"], root) == 1
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "3 of 3 mutants tested, 2 survived: 33.3 % killed",
        "pf_exporter/grades.py:2: 50  ->  51",
        "pf_exporter/grades.py:2: points >= 50  ->  points > 50",
    ]
    assert (root / "pf_exporter/grades.py").read_text() == MODULE


def test_time_is_limited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the time is over, the report says how many mutants were tested."""
    assert main(["pf_exporter", "--minutes=0", "--at-least=0"], write_project(tmp_path, 50)) == 0
    assert capsys.readouterr().out.startswith("0 of ")


def test_tests_that_fail_without_a_mutant(tmp_path: Path) -> None:
    """If the tests fail before anything is changed, that is an error."""
    with pytest.raises(SystemExit, match=r"tests/test_grades\.py fails without a mutant"):
        main(["pf_exporter"], write_project(tmp_path, enough=49))


def test_mirrored_tests(tmp_path: Path) -> None:
    """The tests of a module come before those of its package."""
    (tmp_path / "tests/state").mkdir(parents=True)
    (tmp_path / "tests/state/test_store.py").touch()
    store, table = Path("pf_exporter/state/store.py"), Path("pf_exporter/state/table.py")
    assert mirrored_tests(tmp_path, store) == ("tests/state/test_store.py", "tests/state")
    assert mirrored_tests(tmp_path, table) == ("tests/state",)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run([tool("git"), "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_changed_lines(tmp_path: Path) -> None:
    """The lines that differ from the last tag are mutated, in changed and in new modules."""
    root = write_project(tmp_path, enough=50)
    (root / "pf_exporter/old.py").write_text("z = 9\n")
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "--message=first")
    with pytest.raises(SystemExit, match="no tag and no origin/main"):
        default_revision(root)
    git(root, "tag", "v1", "--message=first")
    (root / "pf_exporter/grades.py").write_text(MODULE.replace("50", "60"))
    (root / "pf_exporter/new.py").write_text("a = 1\nb = 2\n")
    (root / "pf_exporter/old.py").unlink()
    git(root, "add", ".")
    assert default_revision(root) == "v1"
    assert changed_lines(root, "v1") == {
        Path("pf_exporter/grades.py"): {2},
        Path("pf_exporter/new.py"): {1, 2},
    }


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    """A module or package that does not exist is an error."""
    with pytest.raises(SystemExit, match="pf_exporter/nothing: no such module or package"):
        main(["pf_exporter/nothing"], tmp_path)
