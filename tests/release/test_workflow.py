"""The workflows and noxfile.py."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pf_exporter import __version__
from tests.conftest import tool
from tests.yaml_loader import load_yaml
from tools.release_notes import CHANGELOG, release_notes

ROOT = Path(__file__).parents[2]
WORKFLOWS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github/workflows").iterdir())
}
JOBS: dict[str, Any] = load_yaml(WORKFLOWS["ci.yml"])["jobs"]
NIGHTLY: dict[str, Any] = load_yaml(WORKFLOWS["nightly.yml"])["jobs"]
RELEASE: dict[str, Any] = load_yaml(WORKFLOWS["release.yml"])["jobs"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
"""The supported versions, oldest first."""
NEXT_PYTHON = "3.14"
"""In the matrix, but not announced before its job has passed: docs/install.md."""
FIRST_MAJOR = {
    "actions/attest-build-provenance": 4,
    "actions/checkout": 5,
    "actions/download-artifact": 7,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "docker/setup-buildx-action": 4,
    "docker/setup-qemu-action": 4,
    "pypa/gh-action-pypi-publish": 1,
    "sigstore/cosign-installer": 4,
}
"""The first major version of each action that runs on Node 24, or without Node."""


def steps(*workflows: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for workflow in workflows or (JOBS, NIGHTLY, RELEASE):
        for job in workflow.values():
            yield from job.get("steps", ())


def make_commands(*workflows: dict[str, Any]) -> list[str]:
    """Return what the steps of workflows pass to make."""
    return [text for step in steps(*workflows) for text in re.findall(r"\bmake (.+)", step.get("run", ""))]


def test_python_versions() -> None:
    """Workflow, nox, setup.cfg and README list the same Python versions, and the image uses one of them."""
    assert JOBS["test"]["strategy"]["matrix"]["python"] == [*PYTHONS, NEXT_PYTHON]
    listed = subprocess.run(
        [Path(sys.executable).with_name("nox"), "--list", "--json", "--noxfile", ROOT / "noxfile.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [session["python"] for session in json.loads(listed.stdout)] == [*PYTHONS, NEXT_PYTHON]
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^    Programming Language :: Python :: (\S+)$", setup) == PYTHONS
    assert f"\npython_requires = >={PYTHONS[0]}\n" in setup
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"Python (\d\.\d+) to (\d\.\d+)", readme) == [(PYTHONS[0], PYTHONS[-1])]
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert f"Python {NEXT_PYTHON} is untested" in install
    bases = re.findall(r"(?m)^FROM python:([\d.]+)-", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert bases
    assert set(bases) <= set(PYTHONS)
    others = {step["with"]["python-version"] for step in steps() if "setup-python" in step.get("uses", "")}
    assert others <= set(PYTHONS)


def test_checks_run_once() -> None:
    """`make check` runs once, on a Python version for which all packages exist."""
    checks = [step["run"] for step in steps() if "make check" in step.get("run", "")]
    assert checks == [step["run"] for step in JOBS["check"]["steps"] if "run" in step] == ["make check"]
    assert JOBS["check"]["container"] == f"python:{PYTHONS[-1]}-bookworm"


def test_actions_are_pinned() -> None:
    """Each action is pinned by commit, with its version in a comment."""
    used = re.findall(r"uses: (.*)", "".join(WORKFLOWS.values()))
    used.remove("./.github/workflows/ci.yml")
    assert len(used) == len([step for step in steps() if "uses" in step])
    assert [item for item in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", item)] == []


def test_actions_are_supported() -> None:
    """Each action has a supported major version and is pinned to the same commit everywhere."""
    used = set(re.findall(r"uses: (.*)@(\w+) # v(\d+)", "".join(WORKFLOWS.values())))
    assert {name for name, _, _ in used} == FIRST_MAJOR.keys()
    assert len(used) == len(FIRST_MAJOR)
    assert [name for name, _, major in used if int(major) < FIRST_MAJOR[name]] == []


def test_make_targets_exist() -> None:
    """The workflow runs the targets of .ci/run and `dist`, and all targets in the workflows exist."""
    gate = re.findall(r"(?m)^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {*gate, "dist"} <= set(" ".join(make_commands(JOBS)).split())
    for command in make_commands():
        subprocess.run(
            [tool("make"), "--dry-run", *re.sub(r"\$\{\{.*\}\}", "x", command).split()],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=60,
        )


def test_nightly() -> None:
    """Every night all tests run in random order, the soak test for an hour, mutants and benchmarks."""
    packages = NIGHTLY["mutants"]["strategy"]["matrix"]["package"]
    assert [package for package in packages if not (ROOT / "pf_exporter" / package).is_dir()] == []
    assert make_commands(NIGHTLY) == [
        "nightly",
        "soak MINUTES=60",
        "mutants MINUTES=60 MODULES=pf_exporter/${{ matrix.package }}",
        "bench",
    ]


@pytest.mark.parametrize("text", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_nothing_is_allowed_to_fail(text: str) -> None:
    """No step is allowed to fail, and the workflows have read permission unless a job asks for more."""
    assert "continue-on-error" not in text
    assert "|| true" not in text
    assert load_yaml(text)["permissions"] == {"contents": "read"}


def test_permissions() -> None:
    """Only the jobs that publish have more permissions, each only those that it needs."""
    more = {name: job["permissions"] for name, job in RELEASE.items() if "permissions" in job}
    assert more == {
        "pypi": {"id-token": "write"},
        "image": {"contents": "read", "packages": "write", "id-token": "write"},
        "github": {"contents": "write", "id-token": "write", "attestations": "write"},
    }
    assert not [name for jobs in (JOBS, NIGHTLY) for name, job in jobs.items() if "permissions" in job]


def needed(job: str) -> set[str]:
    """Return the jobs that a job of the release waits for, directly or indirectly."""
    needs = RELEASE[job].get("needs", [])
    return {*needs, *(name for need in needs for name in needed(need))}


@pytest.mark.parametrize("job", ["pypi", "image", "github"])
def test_nothing_is_published_before_everything_is_built(job: str) -> None:
    """Jobs that publish wait for all tests and builds, and the release on GitHub for the other two."""
    assert {"ci", "prepare", "dist", "packages"} <= needed(job)
    assert {"pypi", "image"} <= needed("github")
    # What cannot be withdrawn is published late, and can be repeated.
    assert "image" in needed("pypi")
    assert RELEASE["pypi"]["steps"][-1]["with"] == {"skip-existing": True}
    assert RELEASE["ci"]["uses"] == "./.github/workflows/ci.yml"
    on = load_yaml(WORKFLOWS["ci.yml"])[True]  # YAML reads the key `on` as true.
    assert "workflow_call" in on
    assert load_yaml(WORKFLOWS["release.yml"])[True] == {"push": {"tags": ["v*"]}}


def script(job: str) -> str:
    """Return all commands of a job of the release."""
    return "\n".join(step.get("run", "") for step in RELEASE[job]["steps"])


def test_the_image() -> None:
    """The image is built for two architectures with provenance and SBOM, and signed by its digest."""
    text = script("image")
    assert "--platform linux/amd64,linux/arm64" in text
    assert "--provenance mode=max --sbom true" in text
    assert re.search(r'cosign sign --yes "\$IMAGE@\$\(jq .*containerimage\.digest', text)


def test_no_registry_is_named() -> None:
    """The host of the image registry is a variable of the repository."""
    text = "".join(WORKFLOWS.values())
    assert "vars.IMAGE_REGISTRY" in text
    assert re.findall(r"[\w.-]+\.(?:io|org|dev)\b", text) == []


def test_the_files_of_a_release() -> None:
    """Everything is built, with the links of the repository, and the packages for each tested Debian."""
    assert "make dist chart release-files" in script("dist")
    assert "RUNBOOK_BASE=" in script("dist")
    assert "make packages" in script("packages")
    assert "SHA256SUMS" in script("github")
    assert (
        RELEASE["packages"]["strategy"]["matrix"]["debian"] == JOBS["package"]["strategy"]["matrix"]["debian"]
    )


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A repository with a dated changelog, a version, and a commit."""
    (tmp_path / "pf_exporter").mkdir()
    (tmp_path / "pf_exporter" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 1.2.0 / 2026-01-02\n\n- New.\n\n## 1.1.0 / 2025-1\n"
    )
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("registry", "tag", "code"),
    [("registry.example.org", "v1.2.0", 0), ("", "v1.2.0", 1), ("registry.example.org", "v1.3.0", 1)],
)
def test_prepare(tagged: Path, registry: str, tag: str, code: int) -> None:
    """The first job fails without a registry, or if the tag is not the version; else it prints the facts."""
    output = tagged / "output"
    environ = {
        "PATH": os.environ["PATH"],
        "REGISTRY": registry,
        "GITHUB_REF_NAME": tag,
        "GITHUB_REPOSITORY": "Example/PF_Exporter",
        "GITHUB_OUTPUT": str(output),
    }
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script("prepare")],
        cwd=tagged,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    if code == 0:
        facts = dict(line.split("=") for line in output.read_text().splitlines())
        assert facts["version"] == "1.2.0"
        assert int(facts["epoch"]) > 1.7e9
        assert facts["image"] == "registry.example.org/example/pf_exporter"


def test_release_notes() -> None:
    """The notes of a release are the section of the changelog about it."""
    changelog = (
        "# Changelog\n\n## 1.2.0 / 2026-01-02\n\n### Added\n\n- New.\n\n## 1.1.0 / 2025-01-01\n\n- Old.\n"
    )
    assert release_notes(changelog, "1.2.0") == "### Added\n\n- New.\n"
    assert release_notes(changelog, "1.1.0") == "- Old.\n"
    with pytest.raises(ValueError, match=r"no section about 1\.2"):
        release_notes(changelog, "1.2")
    assert "Streaming Events" in release_notes(CHANGELOG.read_text(encoding="utf-8"), __version__)
