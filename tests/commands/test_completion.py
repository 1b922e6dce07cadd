"""The completion scripts, in the shells that they are for."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.cli import main
from pf_exporter.command_line.completion_scripts import SCRIPTS
from pf_exporter.commands.completion import SHELLS
from tests.conftest import tool

SPAWN = "import pty, sys; pty.spawn(sys.argv[1:])"
SETUP = {
    "bash": ["source {script}", 'pf-exporter() {{ printf "<%s>" "$@"; echo "en""d"; }}', 'echo "rea""dy"'],
    "zsh": [
        "fpath=({folder} $fpath)",
        "autoload -Uz compinit",
        "compinit -u -D",
        'pf-exporter() {{ printf "<%s>" "$@"; echo "en""d"; }}',
        'echo "rea""dy"',
    ],
}
OPTIONS = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}


class Shell:
    """An interactive shell on a terminal, in which ``pf-exporter`` prints its arguments."""

    def __init__(self, name: str, folder: Path) -> None:
        script = folder / "_pf-exporter"
        script.write_text(SCRIPTS[name](), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-c", SPAWN, tool(name), *OPTIONS[name]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(folder)},
        )
        self._type(
            "\n".join(SETUP[name]).format(script=shlex.quote(str(script)), folder=shlex.quote(str(folder)))
            + "\n"
        )
        self._read_until(b"ready")

    def _type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def _read_until(self, text: bytes) -> str:
        assert self._process.stdout is not None
        data = b""
        while text not in data:
            chunk = os.read(self._process.stdout.fileno(), 4096)
            assert chunk, data
            data += chunk
        return data.decode(errors="replace")

    def complete(self, words: str) -> list[str]:
        """The arguments after the words are typed, with the Tab key after them."""
        self._type(f"pf-exporter {words}\t\n")
        output = self._read_until(b">end").rpartition(">end")[0]
        return [word.partition("<")[2] for word in output[output.index("\n") :].split(">") if "<" in word]

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module", params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder with a recording and a configuration file."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "recording.gz").touch()
    (folder / "web.yml").touch()
    shell = Shell(request.param, folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("che", ["check"]),
        ("check --jso", ["check", "--json"]),
        ("check --web.telem", ["check", "--web.telemetry-path"]),
        ("--log.level deb", ["--log.level", "debug"]),
        ("--log.level=deb", ["--log.level=debug"]),
        ("tail --event customer", ["tail", "--event", "customer|"]),
        ("simulate --fault stream-cu", ["simulate", "--fault", "stream-cut"]),
        ("completion fi", ["completion", "fish"]),
        ("help rec", ["help", "record"]),
        ("replay reco", ["replay", "recording.gz"]),
        ("check --web.config.file w", ["check", "--web.config.file", "web.yml"]),
        ("--series.ttl 1", ["--series.ttl", "1"]),
    ],
)
def test_completion(shell: Shell, typed: str, arguments: list[str]) -> None:
    """In an interactive shell the Tab key completes commands, flags, values and files."""
    completed = shell.complete(typed)
    assert [word.removesuffix("=") for word in completed] == arguments


@pytest.mark.parametrize(
    ("typed", "candidates"),
    [
        ("che", ["check"]),
        ("check --jso", ["--json"]),
        ("--log.level deb", ["debug"]),
        ("check --log.level=deb", ["--log.level=debug"]),
        ("tail --event port\\|op", ["port|optical"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("replay reco", ["recording.gz"]),
        ("completion --log", []),
    ],
)
def test_fish(tmp_path: Path, typed: str, candidates: list[str]) -> None:
    """fish completes commands, flags, values and files, with their descriptions."""
    script = tmp_path / "pf-exporter.fish"
    script.write_text(SCRIPTS["fish"](), encoding="utf-8")
    (tmp_path / "recording.gz").touch()
    done = subprocess.run(
        [
            tool("fish"),
            "--no-config",
            "-c",
            f"source {script}; complete -C {shlex.quote(f'pf-exporter {typed}')}",
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == candidates
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`completion SHELL` prints the script, which a shell can read as it comes."""
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]()


def test_every_shell_has_a_script() -> None:
    """The shells that the command names are those that have a script."""
    assert set(SHELLS) == set(SCRIPTS)
