"""What the pages tell people to type, and to write into files, is understood by what reads it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import _jsonnet  # type: ignore[import-untyped]
import promql_parser
import pytest
import yaml

from pf_exporter.command_line import create_parser
from pf_exporter.config.loader import load
from pf_exporter.config.settings import SECTIONS
from pf_exporter.server import web_config_file
from tests.conftest import tool
from tests.rules.test_rules import configuration
from tests.server.authority import Authority
from tools import generate_rules

ROOT = Path(__file__).parents[1]
LANGUAGES = {"sh", "yaml", "promql", "json", "jsonnet", "ini", "text"}
PROGRAMS = {
    "docker",
    "kubectl",
    "python3",
    "systemctl",
    ".",
    "apt-get",
    "cat",
    "chmod",
    "curl",
    "git",
    "grep",
    "helm",
    "install",
    "journalctl",
    "pip",
    "pipx",
    "prometheus",
    "promtool",
    "python",
    "sed",
    "tail",
    "uv",
    "zcat",
}
OURS = {"accounts", *SECTIONS}
PROMETHEUS = {"global", "remote_write", "rule_files", "scrape_configs"}


class Block(NamedTuple):
    """A fenced block: the page, its line there, its language and its text."""

    page: str
    line: int
    language: str
    text: str


def pages() -> Iterator[str]:
    """The pages for people, relative to the project."""
    for pattern in (
        "*.md",
        "docs/*.md",
        "deploy/**/*.md",
        "grafana/*.md",
        "benchmarks/*.md",
        "tests/**/*.md",
    ):
        for path in sorted(ROOT.glob(pattern)):
            yield str(path.relative_to(ROOT))


def blocks(text: str, page: str = "") -> Iterator[Block]:
    """The fenced blocks of a page; one that does not end is an error."""
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if line.lstrip().startswith("```"):
            inside: list[str] = []
            for _, below in lines:
                if below.strip() == "```":
                    break
                inside.append(below)
            else:
                raise AssertionError(f"{page}:{number}: a block without an end")
            yield Block(page, number, line.strip()[3:], "\n".join(inside) + "\n")


BLOCKS = [block for page in pages() for block in blocks((ROOT / page).read_text(encoding="utf-8"), page)]


def of(language: str) -> list[Any]:
    """The blocks of a language, as parameters of a test."""
    return [pytest.param(b, id=f"{b.page}:{b.line}") for b in BLOCKS if b.language == language]


def faults(script: str, targets: set[str]) -> list[str]:
    """What is wrong with lines for a shell: programs, commands and flags, and targets of make."""
    found = []
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        command: list[str] = []
        for word in (*lexer, ";"):
            if word not in ("|", "||", "&&", ";", "&"):
                command.append(word)
                continue
            found += fault(command, targets)
            command = []
    return found


def fault(command: list[str], targets: set[str]) -> list[str]:
    """What is wrong with one command; assignments before it and redirections behind it are no part of it."""
    while command and re.match(r"[A-Z_]+=", command[0]):
        command = command[1:]
    end = next((n for n, word in enumerate(command) if word in (">", ">>", "<")), len(command))
    if not (command := command[:end]):
        return []
    program, *arguments = re.sub(r"^(\.venv|/opt/pf-exporter)/bin/", "", command[0]), *command[1:]
    if program == "pf-exporter":
        try:
            create_parser().parse_args(arguments)
        except SystemExit as exc:
            return [f"{shlex.join(command)}: the command line leaves with {exc.code}"] if exc.code else []
    elif program == "make":
        return [
            f"make {name}: no such target" for name in arguments if "=" not in name and name not in targets
        ]
    elif program not in PROGRAMS:
        return [f"{program}: a program that these pages do not use elsewhere"]
    return []


def make_targets() -> set[str]:
    """The targets that the Makefile calls phony."""
    lines = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(" ".join(lines).split())


def test_pages_are_found() -> None:
    """The pages are read: those that everyone starts with, and blocks of every language but JSON."""
    assert {"README.md", "CONTRIBUTING.md", "docs/quickstart.md", "docs/scaling.md"} <= set(pages())
    assert {"sh", "yaml", "promql", "text"} <= {block.language for block in BLOCKS}


def test_every_block_has_a_language_we_check() -> None:
    """No block is of a language that nothing here looks at; only a drawing needs none."""
    drawings = [block for block in BLOCKS if not block.language and "──" in block.text]
    assert [block[:3] for block in BLOCKS if block.language not in LANGUAGES and block not in drawings] == []


@pytest.mark.parametrize("block", of("sh"))
def test_commands(block: Block) -> None:
    """Every line for a shell names programs, commands, flags and make targets that exist."""
    assert faults(block.text, make_targets()) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("PF_TOKEN=x pf-exporter chek", "leaves with 2"),
        ("pf-exporter check --wihtin 3s | grep x", "leaves with 2"),
        ("make demo && make tset", "make tset: no such target"),
        ("cat x | frobnicate", "frobnicate: a program"),
    ],
)
def test_faults_are_found(script: str, said: str) -> None:
    """A misspelt command, flag, target or program is found."""
    assert said in "".join(faults(script, make_targets()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file that a page's configurations name: secrets, certificates, rules."""
    made = tmp_path_factory.mktemp("docs")
    authority = Authority(made)
    authority.sign("server", "127.0.0.1")
    authority.sign("client", "prometheus.example.org")
    for name in ("rules.yml", "alerts.yml"):
        (made / name).write_bytes((ROOT / "prometheus" / name).read_bytes())
    for name in ("token", "password", "pf_token", "pf_password"):
        (made / name).touch(0o600)
        (made / name).write_text("example\n")
    return made


@pytest.mark.parametrize("block", of("yaml"))
def test_files(block: Block, folder: Path) -> None:
    """A file that a page shows is accepted by what reads it: the exporter, or Prometheus' promtool."""
    keys = set(yaml.safe_load(block.text))
    # The page's directories of secrets do not exist here: the secrets are beside the file.
    text = re.sub(r"(_file: )/[^\s,}]*/", r"\1", block.text)
    path = folder / f"{block.page.replace('/', '-')}-{block.line}.yml"
    path.write_text(text)
    if keys <= OURS:
        load(create_parser().parse_args(["--config.file", str(path)]), {}, need_account="accounts" in keys)
    elif keys <= set(web_config_file.SECTIONS):
        assert web_config_file.read_web_config(str(path), {}).users
    elif "replicas" in keys:
        assert block.page == "deploy/README.md"  # tests/deploy/test_helm.py renders it.
    elif "resources" in keys:
        assert block.page == "deploy/README.md"  # tests/deploy/test_kubernetes.py builds it.
    else:
        assert keys == {"groups"} or keys <= PROMETHEUS, f"{keys}: say here what reads such a file"
        what = "rules" if keys == {"groups"} else "config"
        done = subprocess.run(
            [tool("promtool"), "check", what, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", of("promql"))
def test_expressions(block: Block) -> None:
    """What a page asks of Prometheus is PromQL."""
    # README.md has an expression on each line; elsewhere a block is one.
    lines = block.text.splitlines()
    several = len(lines) > 1 and not any(line.startswith((" ", ")")) for line in lines)
    for expression in lines if several else [block.text]:
        assert promql_parser.parse(re.sub(r"\s#.*", "", expression)) is not None


@pytest.mark.parametrize("block", of("jsonnet"))
def test_settings_of_the_mixin(block: Block) -> None:
    """Each block is an object with existing settings, and changes the rules."""
    settings = json.loads(
        _jsonnet.evaluate_snippet("block", f"{{ thresholds: {{}}, receivePower: {{}} }} + {block.text}")
    )
    assert set(settings) <= set(configuration())
    assert set(settings["thresholds"]) <= set(configuration()["thresholds"])
    assert generate_rules.evaluate(block.text) != generate_rules.evaluate()


def test_objects() -> None:
    """JSON on a page is JSON."""
    for block in BLOCKS:
        if block.language == "json":
            json.loads(block.text)
