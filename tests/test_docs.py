"""What is documented is what is there."""

from __future__ import annotations

import configparser
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pf_exporter import __version__
from pf_exporter.collector import Collector
from pf_exporter.config import FLAGS
from pf_exporter.nameplates import Nameplates
from pf_exporter.settings import ACCOUNT_KEYS, EVENTS, SETTINGS, STREAM_KEYS
from pf_exporter.store import Store
from pf_exporter.telemetry import DISCONNECT_REASONS, REJECT_REASONS, Telemetry
from tests.test_architecture import ORDER

ROOT = Path(__file__).parents[1]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
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
        *Collector(store).describe(),
        *Nameplates([], store).describe(),
        *Telemetry([]).describe(),
    ]
    names = [family.name + "_total" * (family.type == "counter") for family in families]
    assert len(names) > 80
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_reason_is_documented() -> None:
    """Every label value a reason can take is on the page of metrics."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [reason for reason in (*DISCONNECT_REASONS, *REJECT_REASONS) if f"`{reason}`" not in page] == []


def test_every_setting_is_documented() -> None:
    """Each setting with its flag, variable, default and help, each key, event and plain flag is there."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    wanted = [word for row in SETTINGS for word in (row.key, row.flag, row.variable, row.help, row.default)]
    wanted += [
        word for key in (*ACCOUNT_KEYS, *STREAM_KEYS) for word in (f"`{key.name}`", key.help, key.variable)
    ]
    wanted += [*FLAGS, *(event for events in EVENTS.values() for event in events)]
    assert [word for word in wanted if word not in page] == []


def test_the_architecture_names_every_room() -> None:
    """docs/architecture.md lists the rooms in their order, and every dependency with its reason."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([a-z]+)/?` \|", page, re.MULTILINE)
    assert rooms == [room for room in ORDER if room != "__main__"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    wanted = [line.split(" ")[0] for line in lines if line[:1].isalpha()]
    reasons = page.partition("## Dependencies")[2].partition("For tests only")[0]
    assert [name for name in wanted if name not in reasons] == []


def test_changelog_names_the_version() -> None:
    """The newest version in CHANGELOG.md is the one the package says it is."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    newest = next(line for line in lines if line.startswith("## "))
    assert newest.split()[1] == __version__
