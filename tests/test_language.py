"""What people read is plain, idiomatic technical English."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pf_exporter.simulator import FAULTS, MAINTENANCES
from tests.yaml_loader import load_yaml

ROOT = Path(__file__).parents[1]


class Passage(NamedTuple):
    """A text, the file it is in, and the line where it starts."""

    place: str
    line: int
    text: str


class Rule(NamedTuple):
    """A pattern that is not plain English, what to write instead, and a text that it must find."""

    pattern: str
    instead: str
    example: str


RULES = (
    Rule(r"\banew\b", "again", "the file is read anew"),
    Rule(r"\bbears?\b", "has, carries, supports", "a name bears a label"),
    Rule(r"\b(un)?heard\b|\bhears?\b", "received", "no byte was heard"),
    Rule(r"\b(go|goes|gone|went) on\b", "continue, resume", "what did not change goes on"),
    Rule(r"\bof (its|his|her|my|your|our|their) own\b", "a separate X", "a thread of its own"),
    Rule(r"\bof (yours|ours|theirs)\b", "your X", "a receiver of yours"),
    Rule(r"\b(no|some|any|every)body\b", "no one, someone", "nobody is alerted"),
    Rule(r"\b(who|what)(so)?ever\b", "the one that, any", "whoever asks is served"),
    Rule(r"\bsays? so\b", "reports it", "the log says so"),
    Rule(r"\b(says?|tells?) yes\b|\bsays? no\b", "enables, disables", "a flag that says yes"),
    Rule(r"\btakes? it that\b", "assumes", "renewal takes it that a server sends both"),
    Rule(r"\b(comes?|came|becomes?|became) of\b", "happens to", "what becomes of an event"),
    Rule(r"\blikewise it\b", "it also", "likewise it is closed"),
    Rule(r"\bsaid\b", "reported, previous", "the said port"),
    Rule(r"\bmend(s|ed|ing)?\b", "fix, correct", "mend the file"),
    Rule(r"\bbegun\b", "started", "a session that was begun"),
    Rule(r", for (it|they|he|she|we|you|there|these|those|this|that)\b", "because", "wait, for it is slow"),
    Rule(r"\bbut for\b", "except for", "all but for one"),
    Rule(r"(?<!there\s)\b(is|are|was|were) no (?!longer\b|more\b|such\b)", "is not a", "it is no lane"),
    Rule(r"\ball the same\b", "anyway, still", "probes are answered all the same"),
    Rule(r"\bhas it\b", "describes, specifies", "as the page has it"),
    Rule(r"\bof no (use|account)\b", "unused, ignored", "its token is of no use"),
    Rule(r"\b(grows?|grown|growing) (dim|old)\b", "degrade, age", "a fibre that grows dim"),
    Rule(r"\bgood guest\b|\bgoodbye\b|\bfarewell\b", "the protocol's term", "waits like a good guest"),
    Rule(r"\bspeaks? (of|no|to)\b|\bthat speaks?\b", "is about, sends", "the circuit it speaks of"),
    Rule(r"\btells? (us|of)\b|\btold of\b", "report, name", "tell us the field"),
    Rule(r"\b(we|us|our|ours)\b", "name the exporter or the user", "a port of ours"),
    Rule(r", say\b", "for example", "an optical level, say, take min"),
    Rule(r"\b(stands?|stood|lies|lay) (on|above|below|beside|there)\b", "is in", "what stands above it"),
    Rule(r"\bin all(?=[.,;)])", "in total", "12 in all."),
    Rule(r"\bholes?\b", "vulnerability, gap", "reporting a hole"),
    Rule(r"\b(the|a) rooms?\b", "module, package", "the rooms in their order"),
    Rule(r"\bin (the )?place of\b", "instead of", "a user in place of an API key"),
    Rule(r"\bbrings? (no|nothing)\b", "contains no", "the stream brings no numbers"),
    Rule(r"\bleaves? with\b|\band leave\b", "exits with, and exit", "leaves with exit code 2"),
    Rule(r"\btwins?\b", "the --no- form", "a flag has a twin"),
    Rule(r"\bsays? (every|all)\b", "reports all", "says every problem at once"),
    Rule(r"\b(unasked|untold)\b", "without being requested", "compresses the stream unasked"),
    Rule(r"\bbelieve[sd]?\b", "accepts", "the clock is believed again"),
    # One term for one thing: docs/glossary.md.
    Rule(r"(?-i:\b[Ii]ds?\b)", "ID, IDs", "streams carry ids only"),
    Rule(r"\bvirtual circuit's end\b|\bends? of virtual circuits?\b", "VC end", "ends of virtual circuits"),
    Rule(r"\bbundles?\b", "subscription", "a bundle made elsewhere"),
    Rule(r"\brunning totals?\b", "cumulative", "the running totals of the network"),
    Rule(r"\binventory refresh(es)?\b|\b(last|complete) refresh\b", "poll", "since the last refresh"),
    Rule(r"\b(least|by|receives?) light\b", "receive power", "the lane with the least light"),
    # The project's address is not known: one sentence for it, everywhere.
    Rule(r"\bmaintainers\b(?! of the package you installed)", "… you installed", "maintainers"),
)  # fmt: skip
"""What no text for people contains. Keep each pattern narrow: a false alarm costs more than a miss."""

PAGES = (
    "README.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ".github/*.md",
    "docs/*.md",
    "deploy/README.md",
    "grafana/README.md",
    "benchmarks/README.md",
    "tests/fixtures/README.md",
)
GENERATED = "<!-- Generated from the code"
"""What follows this mark on a page consists of the code's own texts."""


def pages() -> Iterator[Passage]:
    """The pages without fenced blocks, code spans, link targets and generated parts."""
    for path in (path for pattern in PAGES for path in sorted(ROOT.glob(pattern))):
        text, _, _ = path.read_text(encoding="utf-8").partition(GENERATED)
        yield Passage(path.relative_to(ROOT).as_posix(), 1, _prose(text))


def _prose(text: str) -> str:
    """A page's text without what is not prose; its line breaks stay."""
    for pattern in (r"(?ms)^ *```.*?^ *```$", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(pattern, lambda found: "\n" * found.group().count("\n"), text)
    return text


def alerts() -> Iterator[Passage]:
    """The summary and the description of each alert."""
    path = ROOT / "prometheus" / "alerts.yml"
    for group in load_yaml(path.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            for key in ("summary", "description"):
                yield Passage(f"prometheus/alerts.yml {rule['alert']} {key}", 1, rule["annotations"][key])


def dashboards() -> Iterator[Passage]:
    """The titles, descriptions and column names of each dashboard and its panels."""
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        for item in (board, *board["panels"]):
            columns = [
                name
                for transformation in item.get("transformations", ())
                for name in transformation["options"].get("renameByName", {}).values()
            ]
            for text in (item["title"], item["description"], *columns):
                yield Passage(f"{path.relative_to(ROOT)} {item['title']}", 1, text)


def simulator_faults() -> Iterator[Passage]:
    """The descriptions of the simulator's faults and maintenances, which its help shows."""
    for name, description in (*FAULTS.items(), *MAINTENANCES.items()):
        yield Passage(f"simulate --help {name}", 1, description)


PLACES: tuple[Callable[[], Iterator[Passage]], ...] = (pages, alerts, dashboards, simulator_faults)
"""The functions that read the project's texts. Add messages and help texts here."""


def faults(passage: Passage) -> list[str]:
    """What is not plain English in a text, as ``file:line: 'words': write …``."""
    found = []
    for rule in RULES:
        for match in re.finditer(rule.pattern.replace(" ", r"\s+"), passage.text, re.IGNORECASE):
            line = passage.line + passage.text.count("\n", 0, match.start())
            words = " ".join(match.group().split())
            found.append(f"{passage.place}:{line}: {words!r}: write {rule.instead}")
    return found


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_plain_english(place: Callable[[], Iterator[Passage]]) -> None:
    """No text has a word or an inversion that a native engineer would not write."""
    passages = list(place())
    assert len(passages) > 10
    assert [fault for passage in passages for fault in faults(passage)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example)
def test_a_fault_is_found(rule: Rule) -> None:
    """Each rule finds its example, also where a line ends inside it, and names the line."""
    text = "A plain line.\n" + rule.example.replace(" ", "\n")
    assert any(fault.endswith(f": write {rule.instead}") for fault in faults(Passage("page.md", 7, text)))
    assert any(fault.startswith("page.md:") for fault in faults(Passage("page.md", 7, rule.example)))


def test_the_line_of_a_fault() -> None:
    """A fault names its line, counted through blocks that are left out."""
    text = "One.\n```sh\nanew\n```\nRead anew,\nand `anew`."
    assert [fault.split(":")[1] for fault in faults(Passage("page.md", 1, _prose(text)))] == ["5"]
