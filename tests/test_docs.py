"""What is documented is what is there."""

from __future__ import annotations

import configparser
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pf_exporter import __version__
from pf_exporter.command_line import COMMANDS
from pf_exporter.config.account_keys import ACCOUNT_KEYS
from pf_exporter.config.accounts import STREAM_KEYS
from pf_exporter.config.flags import FLAGS
from pf_exporter.config.settings import SETTINGS
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.metric_family import exposed_name
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.schema.events import SUBSCRIBABLE_EVENTS
from pf_exporter.service.fixed_sections import RESTART_ONLY
from pf_exporter.state.stats import DISCONNECT_REASONS, REJECT_REASONS
from pf_exporter.state.store import Store
from tests.rules.test_rules import configuration
from tests.test_architecture import ORDER
from tests.yaml_loader import load_yaml

ROOT = Path(__file__).parents[1]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tools" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = generator()


@pytest.mark.parametrize("name", GENERATOR.PAGES)
def test_generated_pages_are_current(name: str) -> None:
    """A page that is made from the code equals what the code makes of it now; `make docs` renews it."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == GENERATOR.page(name)


def test_every_family_is_documented() -> None:
    """Every family that /metrics can show, with its HELP's sentence, is on the page of metrics."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    store = Store(ttl=1, limit=1)
    families = [
        *describe_stream_families(),
        *InventoryCollector([], store).describe(),
        *ExporterCollector([]).describe(),
    ]
    names = [exposed_name(family) for family in families]
    assert len(names) > 80
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_reason_is_documented() -> None:
    """Every label value a reason can take is on the page of metrics."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [reason for reason in (*DISCONNECT_REASONS, *REJECT_REASONS) if f"`{reason}`" not in page] == []


def test_the_runbook_has_words_for_every_reason() -> None:
    """Why a stream is down, the runbook says what to do of each reason there is."""
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    entry = runbook.partition("\n## PacketFabricStreamDown\n")[2].partition("\n## ")[0]
    steps = entry.partition("**Do.**")[2]
    listed = [word for line in re.findall(r"(?m)^- (.*?):", steps) for word in re.findall(r"`(\w+)`", line)]
    assert sorted(listed) == sorted(DISCONNECT_REASONS)


def test_what_a_reload_leaves_is_documented() -> None:
    """The page names the sections that need a restart, all of them and no other."""
    page = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"at once\. ([^.]*?) need a restart", page)
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(RESTART_ONLY)


def test_every_setting_is_documented() -> None:
    """Each setting with its flag, variable, default and help, each key, event and plain flag is there."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    wanted = [word for row in SETTINGS for word in (row.key, row.flag, row.variable, row.help, row.default)]
    wanted += [
        word for key in (*ACCOUNT_KEYS, *STREAM_KEYS) for word in (f"`{key.name}`", key.help, key.variable)
    ]
    wanted += [*FLAGS, *(event for events in SUBSCRIBABLE_EVENTS.values() for event in events)]
    assert [word for word in wanted if word not in page] == []


def test_every_minimum_and_former_flag_is_documented() -> None:
    """The written part of the page has the minimum of each setting, with a reason, and each earlier flag."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    minimums = dict(re.findall(r"(?m)^\| `([a-z_.]+)` \| `(\w+)` \| [A-Z][^|]+\.(?: [^|]+)? \|$", page))
    assert minimums == {row.key: row.type.minimum for row in SETTINGS if row.type.minimum}
    former = [(row.former_flag, row.flag) for row in SETTINGS if row.former_flag]
    assert [pair for pair in former if f"| `{pair[0]}` | `{pair[1]}` |" not in page] == []


def test_the_architecture_names_every_room() -> None:
    """docs/architecture.md lists the rooms in their order, and every dependency with its reason."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([a-z_]+)/?` \|", page, re.MULTILINE)
    assert rooms == [room for room in ORDER if room != "__main__"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    wanted = [line.split(" ")[0] for line in lines if line[:1].isalpha()]
    reasons = page.partition("## Dependencies")[2].partition("For tests only")[0]
    assert [name for name in wanted if name not in reasons] == []


def test_changelog_names_the_version() -> None:
    """The newest version in CHANGELOG.md is the one the package says it is; each has a date or none yet."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0].split()[1] == __version__
    assert re.fullmatch(r"## \S+ (\(unreleased\)|/ \d{4}-\d\d-\d\d)", versions[0])
    assert [line for line in versions[1:] if not re.fullmatch(r"## \S+ / \d{4}-\d\d-\d\d", line)] == []


PAGES = [
    path
    for pattern in ("*.md", "docs/*.md", "deploy/*.md", "grafana/*.md", "benchmarks/*.md", "tests/**/*.md")
    for path in sorted(ROOT.glob(pattern))
]


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What a link to a heading of a page may end with."""
    heads = re.findall(r"(?m)^#+ (.*)$", prose(path))
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project leads to one that is there, and to a heading that it has."""
    dead = []
    # Except for the state of a workflow, which is a page of the repository's host.
    for link in re.findall(r"\]\((?!https?:|\.\./\.\./actions/)([^)\s]+)\)", prose(page)):
        name, _, anchor = link.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(link)
    assert dead == []


def linked(page: Path) -> set[Path]:
    """The pages that a page links to."""
    return {(page.parent / name).resolve() for name in re.findall(r"\]\(([^)#:]+\.md)[)#]", prose(page))}


def test_the_readme_is_short() -> None:
    """README.md is under 150 lines, and leads to the table of contents and to the start pages."""
    readme = ROOT / "README.md"
    assert len(readme.read_text(encoding="utf-8").splitlines()) < 150
    wanted = {"docs/README.md", "docs/quickstart.md", "docs/install.md", "deploy/README.md"}
    assert {ROOT / name for name in wanted} - linked(readme) == set()


def test_the_table_of_contents_is_complete() -> None:
    """docs/README.md links to every page about the project except the README, the changelog and itself."""
    contents = ROOT / "docs" / "README.md"
    others = {contents, ROOT / "README.md", ROOT / "CHANGELOG.md"}
    assert set(PAGES) - linked(contents) == others


def test_the_alerts_are_listed() -> None:
    """docs/alerts.md lists every alert with severity and durations, and every threshold with its value."""
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    groups = load_yaml((ROOT / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    alerts = [(rule["alert"], rule["labels"]["severity"]) for group in groups for rule in group["rules"]]
    assert re.findall(r"(?m)^\| \[(\w+)\]\(\S+\) \| (\w+) \|", page) == alerts
    durations = [
        (rule["alert"], rule.get("for", "0"), rule.get("keep_firing_for", "0"))
        for group in groups
        for rule in group["rules"]
    ]
    listed = re.findall(r"(?m)^\| \[(\w+)\]\(\S+\) \| \w+ \| .* \| (\w+) \| (\w+) \| .+ \|$", page)
    assert listed == durations
    values = re.findall(r"(?m)^\| `(\w+)` \| ([\d.]+) \|", page)
    assert {name: float(value) for name, value in values} == configuration()["thresholds"]


def test_troubleshooting_has_every_reason() -> None:
    """docs/troubleshooting.md has a row for each reason of a disconnect or a failed login."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    section = page.partition("## Reasons\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`.*?`) \|", section)
    assert sorted(word for row in rows for word in re.findall(r"`(\w+)`", row)) == sorted(DISCONNECT_REASONS)


def test_the_glossary_is_sorted() -> None:
    """The glossary defines each term once, in alphabetical order."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"(?m)^\| ([^|]+) \| ", page)[2:]
    assert len(terms) > 30
    assert terms == sorted(set(terms), key=str.lower)


def test_every_command_is_in_the_contents() -> None:
    """The table of contents and the page of the commands name each command."""
    for page in ("README.md", "commands.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert [command for command in COMMANDS if f"`{command}`" not in text] == [], page
