"""``pf-exporter top`` on a pseudo-terminal, in a pipe and once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from pf_exporter.commands import top
from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from pf_exporter.top import Kind, SortKey
from tests.conftest import Program, process_environment
from tests.fakes import Answer, Fake, dead_url, event
from tests.top.pseudo_terminal import ENTERED, LEFT, PseudoTerminal
from tests.top.test_sources import PORT, exporter, fake

__all__ = ["exporter", "fake"]

Start = Callable[..., Program]
NO_COLOUR = {"NO_COLOR": "1"}
FAST = "--interval=100ms"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.3, ports=30, vcs=20)) as running:
        yield running


def environment(api: Simulator) -> dict[str, str]:
    return {"PF_HOST": api.url, "PF_USER": api.login, "PF_PASSWORD": api.password}


def table(command: Program) -> str:
    """What was printed, with every age the same and without trailing spaces."""
    assert command.end() == 0, command.output
    return "".join(f"{re.sub(r'[ 0-9][0-9]s$', ' 0s', line)}\n" for line in command.lines)


def test_choices() -> None:
    """The flags offer every tab and every order."""
    assert list(top.KINDS) == [kind.value for kind in Kind]
    assert list(top.SORTS) == [key.value for key in SortKey]


@pytest.mark.parametrize("kind", top.KINDS)
def test_once(program: Start, fake: Fake, golden: Callable[[str, str], None], kind: str) -> None:
    """--once prints one table as soon as it is complete, and logs out."""
    env = {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password"}
    flags = ("--once", f"--show={kind}", "--sort=state", FAST, "--series.ttl=1h")
    golden(f"top-{kind}.txt", table(program("top", *flags, env=env)))
    fake.wait_for(lambda: fake.of("logout"))


@pytest.mark.parametrize("kind", top.KINDS)
def test_once_from_an_exporter(
    program: Start, exporter: Exporter, golden: Callable[[str, str], None], kind: str
) -> None:
    """--from prints the same table from the page of a running exporter, without an account."""
    url = f"--from=http://{exporter.server.addresses[0]}/metrics"
    command = program("top", "--once", url, f"--show={kind}", "--sort=state", FAST)
    golden(f"top-{kind}.txt", table(command))


def test_live(simulator: Simulator) -> None:
    """On a terminal the table is drawn from the stream; keys sort, switch, filter and quit."""
    with PseudoTerminal("top", FAST, env=environment(simulator)) as terminal:
        terminal.wait_for(r"30 ports.*default: streaming")
        terminal.wait_for(r"^Los Angeles.* PF-AP-LAX1-\d+ +up +10+G .*%.* \d+s$")
        assert ENTERED in terminal.drawn
        terminal.press("n")
        terminal.wait_for(r"^NAME▼")
        terminal.press("n")
        terminal.wait_for(r"^NAME▲")
        terminal.press("\t")
        terminal.wait_for(r"^pf-exporter top  40 VC ends")
        terminal.press("/lax1\r")
        terminal.wait_for(r"Filter: lax1\.")
        assert all("LAX" in line for line in terminal.screen()[3:-1] if line)
        terminal.press("\x1b")
        terminal.wait_for(r"^Sorted by name, reversed\. Rows 1 to 20 of 40\.$")
        terminal.press("\x1b[6~")
        terminal.wait_for(r"Rows 21 to 40 of 40\.")
        terminal.press("?")
        terminal.wait_for(r"any key closes this help")
        terminal.press("xp")
        terminal.wait_for(r"Paused; p resumes\.")
        terminal.press("q")
        assert terminal.end() == 0
        terminal.wait_for_output(LEFT)
        assert terminal.attributes() == terminal.before


def test_live_from_an_exporter(exporter: Exporter, fake: Fake) -> None:
    """The table follows a running exporter: errors of the last minute, and the reason when it has gone."""
    url = f"--from=http://{exporter.server.addresses[0]}"
    with PseudoTerminal("top", url, FAST, "--sort=state", env=NO_COLOUR) as terminal:
        terminal.wait_for(r"^Seattle .* down ")
        terminal.wait_for(r"^Los Angeles .* 50%.* 10% +0 +-7\.0 +\d+s$")
        later = {**PORT, "timestamp": "2021-09-22T20:35:30+00:00"}
        fake.send(event("port|errors", {**later, "rx_unspecified": 70, "tx_unspecified": 2}))
        terminal.wait_for(r"^Los Angeles .* \S+ \(30\) ")
        exporter.stop()
        terminal.wait_for(r"Connection refused; is the exporter running\?")
        terminal.wait_for(r"^Los Angeles ")
        terminal.press("\x03")
        assert terminal.end() == 0
        assert terminal.attributes() == terminal.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_restore_the_terminal(fake: Fake, number: signal.Signals) -> None:
    """A signal ends it with exit code 0, the terminal as it was, and the session logged out."""
    env = {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password"}
    with PseudoTerminal("top", FAST, env=env) as terminal:
        terminal.wait_for(r"^Los Angeles ")
        assert terminal.attributes() != terminal.before
        terminal.process.send_signal(number)
        assert terminal.end() == 0
        terminal.wait_for_output(LEFT)
        assert terminal.attributes() == terminal.before
        fake.wait_for(lambda: len(fake.of("logout")) == 1)


def test_resize(fake: Fake) -> None:
    """A changed size is drawn at once, long before the next reading."""
    env = {"PF_HOST": fake.url, "PF_TOKEN": "key", **NO_COLOUR}
    with PseudoTerminal("top", env=env, columns=80, lines=10) as terminal:
        terminal.wait_for(r"^Los Angeles +up ")
        terminal.press("p")
        terminal.wait_for("Paused")
        terminal.resize(150, 30)
        terminal.wait_for(r"^Los Angeles +PF-AP-LAX1-1 +up ")
        assert len(terminal.screen()) == 30


def test_suspend(fake: Fake) -> None:
    """Ctrl-Z gives the terminal back and stops; when the process continues the table is there again."""
    with PseudoTerminal("top", FAST, env={"PF_HOST": fake.url, "PF_TOKEN": "key"}) as terminal:
        terminal.wait_for(r"^Los Angeles ")
        terminal.press("\x1a")
        _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert terminal.attributes() == terminal.before
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for_output(ENTERED)
        terminal.press("q")
        assert terminal.end() == 0


def test_colours(fake: Fake) -> None:
    """With NO_COLOR no colour is drawn, without it there is."""
    colour = re.compile(r"\x1b\[[0-9;]*3[1-6]")
    for env, wanted in (({}, True), (NO_COLOUR, False)):
        with PseudoTerminal("top", FAST, env={"PF_HOST": fake.url, "PF_TOKEN": "key", **env}) as terminal:
            terminal.wait_for(r"^Los Angeles ")
            assert bool(colour.search(terminal.drawn)) is wanted
            terminal.press("q")
            assert terminal.end() == 0


def test_a_login_that_fails(fake: Fake) -> None:
    """A rejected password is on the screen, where the log would destroy the table."""
    fake.script["login"] = [Answer(401) for _ in range(9)]
    env = {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "wrong"}
    with PseudoTerminal("top", FAST, env=env) as terminal:
        terminal.wait_for(r"default: backoff")
        terminal.wait_for(r"default: login: 127\.0\.0\.1:\d+: HTTP 401")
        assert "level=" not in terminal.drawn
        terminal.press("q")
        assert terminal.end() == 0


def test_a_pipe(program: Start, fake: Fake) -> None:
    """Without a terminal a table is printed at each interval, after the warnings of the configuration."""
    env = {"PF_HOST": fake.url, "PF_TOKEN": "key", "PF_EXPORTER_SERIES_TTLS": "1h"}
    command = program("top", FAST, env=env)
    command.wait_for("PF_EXPORTER_SERIES_TTLS")
    command.wait_for("Los Angeles")
    command.wait_for("Seattle")
    count = len(command.lines)
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 0
    assert count >= 3
    assert "\x1b" not in command.output


def test_a_pipe_from_an_exporter_that_ends(program: Start, exporter: Exporter) -> None:
    """Without a terminal the log reports once why there are no newer values."""
    url = f"http://{exporter.server.addresses[0]}/metrics"
    command = program("top", f"--from={url}", "--interval=50ms")
    command.wait_for("Los Angeles")
    exporter.stop()
    command.wait_for("scrape failed")
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 0
    failures = [line for line in command.lines if "Connection refused" in line]
    assert len(failures) == 1
    assert url in failures[0]


def test_a_closed_pipe(fake: Fake) -> None:
    """When the reader has gone the command ends with exit code 0 and without a message."""
    command = f"{sys.executable} -m pf_exporter top --interval=50ms | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=process_environment(PF_HOST=fake.url, PF_TOKEN="key"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("NAME")


def test_a_blocked_pipe(fake: Fake, full_pipe: int) -> None:
    """SIGTERM ends the command even if its output is not read."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pf_exporter", "top", "--interval=50ms"],
        env=process_environment(PF_HOST=fake.url, PF_USER="u", PF_PASSWORD="p"),
        stdout=full_pipe,
    )
    try:
        fake.wait_for(lambda: fake.streams)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        fake.wait_for(lambda: len(fake.of("logout")) == 1)
    finally:
        process.kill()
        process.wait()


def test_a_blocked_terminal(exporter: Exporter) -> None:
    """On a terminal that takes no more output SIGTERM ends the command, with the terminal as it was."""
    url = f"--from=http://{exporter.server.addresses[0]}"
    with PseudoTerminal("top", url, "--interval=10ms", env={}, columns=250, lines=60) as terminal:
        terminal.wait_for(r"^Los Angeles ")
        terminal.stop_reading()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0
        assert terminal.attributes() == terminal.before


def test_the_exporter_does_not_pay() -> None:
    """The exporter imports neither the table nor rich."""
    code = "import pf_exporter.service, sys; print(*{'rich', 'pf_exporter.top'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""


def test_no_data(program: Start, fake: Fake) -> None:
    """--once without any data is exit code 6, with a line."""
    fake.events.clear()
    command = program(
        "top", "--once", "--within=300ms", "--interval=50ms", env={"PF_HOST": fake.url, "PF_TOKEN": "key"}
    )
    assert command.end() == 6
    assert command.lines[-1] == "pf-exporter: no data for ports within 0.3 s"


@pytest.mark.parametrize(
    ("flags", "code", "line"),
    [
        (["--from=h:1"], 2, "--from: expected a URL, such as http://127.0.0.1:10054/metrics"),
        (["--user=ada"], 2, "--user: needs --from"),
        (["--from=http://h", "--user=ada"], 2, "--user: needs --password-file, and the reverse"),
    ],
)
def test_unusable_flags(program: Start, flags: list[str], code: int, line: str) -> None:
    """Flags that cannot be used are one line and exit code 2."""
    command = program("top", *flags, env={"PF_TOKEN": "x"})
    assert command.end() == code
    assert command.lines == [f"pf-exporter: {line}"]


def test_no_exporter(program: Start) -> None:
    """An exporter that does not run is one line and exit code 3."""
    url = dead_url()
    command = program("top", f"--from={url}")
    assert command.end() == 3
    assert command.lines == [f"pf-exporter: {url}/metrics: Connection refused; is the exporter running?"]


def test_several_accounts(program: Start, fake: Fake) -> None:
    """The accounts of one exporter are told apart by a column."""
    config = Config(
        accounts=(fake.account(name="acme"), fake.account(name="globex")),
        web=WebSettings(listen_address=("127.0.0.1:0",)),
    )
    with Exporter(config) as running:
        url = f"--from=http://{running.server.addresses[0]}"
        command = program("top", "--once", FAST, url)
        assert command.end() == 0
        assert {"acme", "globex"} <= set(command.output.split())
