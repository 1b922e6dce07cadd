"""`make tools` and similar targets install missing programs, package by package, and change nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import tool
from tests.programs import LIST, OLDEST, required_programs, version_problem

ROOT = LIST.parents[1]
TARGETS = {
    "ci": ".ci/run",
    "venv": "make .venv",
    "test": "make test",
    "image": "make image-test",
    "package": "make package-test",
}
FILES = {program.name: Path(program.name).name for program in required_programs() if program.name[0] == "/"}
"""The paths in the list, and the names of the files that stand for them."""

APT_GET = """\
#!/bin/sh
echo "$*" >>{0}/calls
[ "$1" = install ] || exit {1}
for package; do :; done
[ -e {0}/packages/"$package" ] || {{ echo "E: cannot install $package" >&2; exit 100; }}
. {0}/packages/"$package"
"""
LDCONFIG = """\
#!/bin/sh
cd {0}/lib && for name in *; do echo "	$name (libc6) => /lib/$name"; done
"""


class Machine:
    """A folder with all programs of a machine, including an apt-get that records its calls."""

    def __init__(self, folder: Path, purpose: str, *, root: bool = True, apt: bool = True) -> None:
        self.folder = folder
        self.purpose = purpose
        self.programs = {
            program.name: program.package for program in required_programs() if program.purpose == purpose
        }
        (folder / "bin").mkdir()
        (folder / "lib").mkdir()
        (folder / "packages").mkdir()
        (folder / "calls").touch()
        # As in a clone, but with the keyring in this folder.
        shutil.copytree(LIST.parent, folder / "tools")
        text = LIST.read_text()
        for name in FILES:
            text = text.replace(f" {name} ", f" {self.path(name)} ")
        (folder / "tools" / LIST.name).write_text(text)
        for name in ("dirname", "ln"):
            (folder / "bin" / name).symlink_to(tool(name))
        self.script("ldconfig", LDCONFIG.format(folder))
        self.script("id", f"#!/bin/sh\necho {0 if root else 1000}\n")
        if apt:
            self.script("apt-get", APT_GET.format(folder, 0))
        for name in self.programs:
            self.path(name).symlink_to(tool("true"))
            with (folder / "packages" / self.programs[name]).open("a") as package:
                package.write(f"[ -e {self.path(name)} ] || ln -s {tool('true')} {self.path(name)}\n")

    def script(self, name: str, text: str) -> None:
        """Write an executable script."""
        (self.folder / "bin" / name).write_text(text)
        (self.folder / "bin" / name).chmod(0o755)

    def path(self, name: str) -> Path:
        """Return the path of a program, library or file of the list on this machine."""
        return self.folder / FILES.get(name, f"{'lib' if '.so.' in name else 'bin'}/{name}")

    def remove(self, *names: str) -> None:
        for name in names:
            self.path(name).unlink()

    def missing(self) -> set[str]:
        return {name for name in self.programs if not self.path(name).exists()}

    def make(self, target: str, *variables: str) -> subprocess.CompletedProcess[str]:
        """Run make with the Makefile of the project, with only this folder in PATH."""
        return subprocess.run(
            [tool("make"), "--silent", "-f", ROOT / "Makefile", *variables, target],
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """The calls of apt-get: command and last argument."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [f"{words[0]} {words[-1]}" for words in map(str.split, lines)]


def target(machine: Machine) -> str:
    return {"test": "tools", "image": "image-tools", "package": "package-tools"}[machine.purpose]


@pytest.fixture(params=["test", "image", "package"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """A machine with every program of `make tools` or a similar target."""
    return Machine(tmp_path, request.param)


def test_nothing_is_missing(machine: Machine) -> None:
    """If every program is present, apt-get is not called and nothing is printed."""
    done = machine.make(target(machine))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls == []


def test_one_program_is_missing(machine: Machine) -> None:
    """For each missing program only its package is installed, without upgrades or removals."""
    for name, package in machine.programs.items():
        (machine.folder / "calls").write_text("")
        machine.remove(name)
        done = machine.make(target(machine))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert machine.calls == ["update -qq", f"install {package}"]
        assert " --no-upgrade --no-remove " in (machine.folder / "calls").read_text()
        assert machine.missing() == set()


def test_everything_is_missing(machine: Machine) -> None:
    """Package lists are read once, and each package is installed once, in a separate call."""
    machine.remove(*machine.programs)
    assert machine.make(target(machine)).returncode == 0
    packages = dict.fromkeys(machine.programs.values())
    assert machine.calls == ["update -qq", *(f"install {package}" for package in packages)]
    assert machine.missing() == set()


def own_lines(stderr: str) -> list[str]:
    """Return the lines of the script, without those of apt-get and the last, which is from make."""
    *lines, last = stderr.splitlines()
    assert last.endswith("Error 1")
    return [line for line in lines if not line.startswith("E: ")]


def test_packages_that_cannot_be_installed(machine: Machine) -> None:
    """The other packages are installed; then each program that is still missing is named with the attempt."""
    first, *_, last = machine.programs.values()
    for package in (first, last):
        (machine.folder / "packages" / package).unlink()
    machine.remove(*machine.programs)
    done = machine.make(target(machine))
    assert done.returncode == 2  # the exit code of make for a failed recipe
    lacking = {name: package for name, package in machine.programs.items() if package in (first, last)}
    assert machine.missing() == lacking.keys()
    assert own_lines(done.stderr) == [
        f"{machine.path(name) if name in FILES else name} is missing: "
        f"apt-get install {package} did not install it (exit code 100)"
        for name, package in lacking.items()
    ]
    assert len(machine.calls) == len({"update", *machine.programs.values()})


def test_a_package_without_the_program(tmp_path: Path) -> None:
    """A package that is installed but does not contain the program is an error."""
    machine = Machine(tmp_path, "test")
    machine.remove("amtool")
    (tmp_path / "packages" / machine.programs["amtool"]).write_text("")
    done = machine.make("tools")
    assert done.returncode == 2
    assert own_lines(done.stderr) == [
        "amtool is missing: apt-get install prometheus-alertmanager did not install it (exit code 0)"
    ]


def test_package_lists_that_cannot_be_read(tmp_path: Path) -> None:
    """If apt-get update fails, as for an unreachable repository, the installation continues."""
    machine = Machine(tmp_path, "test")
    machine.script("apt-get", APT_GET.format(tmp_path, 100))
    machine.remove("amtool")
    done = machine.make("tools")
    assert (done.returncode, machine.missing()) == (0, set())
    assert done.stderr == "apt-get update failed; using the existing package lists\n"


@pytest.mark.parametrize(("root", "apt"), [(False, True), (True, False)], ids=["no root", "no apt-get"])
def test_without_root_or_apt_get(tmp_path: Path, root: bool, apt: bool) -> None:
    """Without root or apt-get one line names the missing programs and the packages to install."""
    machine = Machine(tmp_path, "test", root=root, apt=apt)
    machine.remove("prometheus", "promtool", "kubectl")
    done = machine.make("tools")
    assert done.returncode == 2
    assert own_lines(done.stderr) == [
        "Missing: prometheus, promtool, kubectl. "
        "As root on Debian: apt-get install --no-install-recommends prometheus kubernetes-client"
    ]
    assert machine.calls == []


def test_a_python_without_ensurepip(tmp_path: Path) -> None:
    """Without root one line names the package that is needed to create .venv, and nothing is created."""
    machine = Machine(tmp_path, "venv", root=False)
    machine.script("bare", "#!/bin/sh\nexit 1\n")
    done = machine.make(".venv/bin/python", "PYTHON=bare")
    assert done.returncode == 2
    assert own_lines(done.stderr) == [
        "Missing: ensurepip of bare. As root on Debian: apt-get install --no-install-recommends python3-venv"
    ]
    assert not (tmp_path / ".venv").exists()


def test_nothing_else_installs() -> None:
    """Makefile and .ci/run install only by tools/install-programs, and use every purpose of the list."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", ".ci/run")]
    assert "apt" not in "".join(texts)
    assert set(re.findall(r"tools/install-programs (\w+)", "".join(texts))) == TARGETS.keys()
    assert {program.purpose for program in required_programs()} == TARGETS.keys()


def test_contributing_has_the_list() -> None:
    """The table in CONTRIBUTING.md has each program with its package, oldest version and target."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 5]
    rows = [re.split(r" *\| *", line) for line in lines]
    assert [
        (name, package, oldest, what.partition(":")[0]) for _, name, package, oldest, what, _ in rows
    ] == [
        (
            f"`{program.name}`",
            f"`{program.package}`",
            program.oldest.strip("-"),
            f"`{TARGETS[program.purpose]}`",
        )
        for program in required_programs()
    ]


def program_with_version(folder: Path, name: str, text: str) -> str:
    """Write a program that prints a text if it is asked for its version, and return its path."""
    asked = "version --client" if name == "kubectl" else "--version"
    program = folder / name
    program.write_text(f"#!/bin/sh\n[ \"$*\" = '{asked}' ] && echo '{text}'\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prometheus", "prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)"),
        (
            "promtool",
            "promtool, version 3.5.0 (branch: HEAD, revision: 8be3a9560fbdd18a94dedec4b747c35178177202)",
        ),
        ("amtool", "amtool, version 0.28.1 (branch: debian/sid, revision: 0.28.1+ds-1)"),
        ("systemd-analyze", "systemd 252 (252.38-1~deb12u1)"),
        ("systemd-analyze", "systemd 258 (258)"),
        ("kubectl", 'Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2"}'),
        ("kubectl", "Client Version: v1.32.4-dispatcher"),
    ],
)
def test_supported_versions(tmp_path: Path, name: str, text: str) -> None:
    """A program of the oldest version or a later one is accepted from any vendor."""
    assert version_problem(name, program_with_version(tmp_path, name, text)) is None


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("promtool", "promtool, version 2.9.1 (branch: HEAD)", "is version 2.9.1"),
        ("systemd-analyze", "systemd 249 (249.11-0ubuntu3.12)", "is version 249"),
        (
            "kubectl",
            'Client Version: version.Info{Major:"1", Minor:"9", GitVersion:"v1.9.2"}',
            "is version 1.9.2",
        ),
        ("amtool", "", "does not report its version"),
    ],
)
def test_unsupported_versions(tmp_path: Path, name: str, text: str, found: str) -> None:
    """One line names the program that is too old, its path, and the version that the tests need."""
    path = program_with_version(tmp_path, name, text)
    assert version_problem(name, path) == f"{path} {found}: the tests need {name} {OLDEST[name]} or later"
