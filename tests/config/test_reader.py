"""Read nested values: every problem is collected, under the name that its key has there."""

from __future__ import annotations

from pf_exporter.config.reader import ConfigReader, Location
from pf_exporter.config.types import BOOLEAN, EVENT, list_of


def test_location() -> None:
    """A location gives line, column and path of keys; a missing key has its section's."""
    root = Location("pf.yml", positions={"log": ":1:1", "log.level": ":2:3", "accounts[0]": ":3:5"})
    assert str(root) == "pf.yml"
    assert root.key("log") == "pf.yml:1:1: log"
    assert root.section("log").key("level") == "pf.yml:2:3: log.level"
    assert str(root.section("log")) == "pf.yml:1:1: log"
    assert root.item("accounts", 0).key("name") == "pf.yml:3:5: accounts[0].name"
    assert root.key("a:5ecret") == "pf.yml: (not a name)"
    assert "log" not in repr(root)


def test_location_in_environment() -> None:
    """In the environment a key has the name of its variable."""
    environment = Location(names={"token": "PF_TOKEN"})
    assert str(environment) == "environment"
    assert (environment.key("token"), environment.key("name")) == ("PF_TOKEN", "name")


def test_mapping() -> None:
    """Known keys that are not null are returned; unknown ones are problems, with a suggestion if close."""
    reader = ConfigReader()
    location = Location("pf.yml")
    raw = {"b": "2", "a": "1", "null": None, "long_nane": "3", "zzz": "4"}
    assert reader.mapping(raw, location, ["a", "b", "null", "long_name"]) == {"a": "1", "b": "2"}
    assert reader.problems == [
        "pf.yml: long_nane: unknown key; did you mean long_name?",
        "pf.yml: zzz: unknown key; expected one of a, b, null, long_name",
    ]


def test_mapping_with_any_key() -> None:
    """Without a list of keys any key is allowed, and anything but a mapping is a problem."""
    reader = ConfigReader()
    location = Location("pf.yml", "users")
    assert reader.mapping({"hank": "x", "null": None}, location) == {"hank": "x"}
    assert reader.mapping(None, location) == reader.mapping(["hank"], location) == {}
    assert reader.problems == ["pf.yml: users: expected a mapping"]


def test_value() -> None:
    """A value is parsed by its type; what does not parse is a problem that does not repeat it."""
    reader = ConfigReader()
    assert reader.value(BOOLEAN, "TRUE", "here") is True
    assert reader.value(list_of(EVENT), ["metrics", "errors"], "here") == ("metrics", "errors")
    assert reader.value(BOOLEAN, "5ecret", "here") is None
    assert reader.value(BOOLEAN, ["true"], "here") is None
    assert reader.value(list_of(EVENT), [["metrics"]], "here") is None
    assert reader.problems == [
        "here: expected true or false",
        "here: expected a string",
        "here: expected a string or a list of strings",
    ]


def test_lookup() -> None:
    """A name gives its entry of the table; no name, and an unknown name, give that of the default."""
    reader = ConfigReader()
    table = {"TLS12": 12, "TLS13": 13}
    assert reader.lookup(table, "TLS13", "here", "TLS12") == 13
    assert reader.lookup(table, None, "here", "TLS12") == 12
    assert reader.problems == []
    assert reader.lookup(table, "TLS11", "here", "TLS12") == 12
    assert reader.lookup(table, ["TLS13"], "here", "TLS12") == 12
    assert reader.problems == ["here: expected one of TLS12, TLS13"] * 2


def test_strings() -> None:
    """A list of strings is returned; anything else is a problem, except null."""
    reader = ConfigReader()
    assert reader.strings(["a", "b"], "here") == ["a", "b"]
    assert reader.strings(None, "here") == []
    assert reader.problems == []
    assert reader.strings("a", "here") == reader.strings(["a", None], "here") == []
    assert reader.problems == ["here: expected a list of strings"] * 2
