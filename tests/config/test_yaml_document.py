"""Strict YAML: shape, syntax, and what a configuration does not need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.helpers import placed_problems, problems_of

INDENTATION = "wrong indentation; start this line in the same column as its neighbours"
COLON = (
    "unexpected colon; indent this line like its neighbours, write a space after the colon of the line above,"
    " or quote the value"
)
PROBLEMS: dict[str, str] = {
    "[]": "pf.yml: expected a mapping with any of accounts, stream, series, counters, units, inventory,"
    " activity, web, record, remote_write, log",
    "stream: 5": "pf.yml: stream: expected a mapping with any of"
    " idle_timeout, rotate_after, backoff_min, backoff_max",
    "series: {ttl: [1s]}": "pf.yml: series.ttl: expected a string",
    "web: {listen_address: [a: b]}": "pf.yml: web.listen_address: expected a string or a list of strings",
    "accounts: {name: x}": "pf.yml: accounts: expected a list of accounts",
    "strem: {}": "pf.yml: strem: unknown key; did you mean stream?",
    "stream: {idle_timout: 5s}": "pf.yml: stream.idle_timout: unknown key; did you mean idle_timeout?",
    "series: {xyz: 5s}": "pf.yml: series.xyz: unknown key; expected one of ttl, limit",
    "series: {ttl:5s}": "pf.yml: series.(not a name): unknown key; did you mean ttl?",
    "series: {ttl: 5m, ttl: 6m}": "pf.yml:1:19: duplicate key ttl; keep only one",
    "log: {}\nlog: {}": "pf.yml:2:1: duplicate key log; keep only one",
    "? [a]\n: b": "pf.yml:1:3: expected a string as key",
    "log: {level": "pf.yml:1:12: expected a comma or }, which closes the { at line 1, column 6",
    "log: [a, b\nweb: {}": "pf.yml:2:4: expected a comma or ], which closes the [ at line 1, column 6",
    "log:\n  level: 'info\nweb: {}": "pf.yml:2:10: this quote is not closed; add the closing quote",
    "log:\n  level: 'info\n  format: 'json'": "pf.yml:3:12: unexpected text after a quoted value;"
    " check for a missing or an extra quote before it",
    'log: {level: "\\q"}': "pf.yml:1:16: unknown escape sequence; use single quotes, where \\ is a letter",
    "log:\n  level: info\n web: {}": f"pf.yml:3:2: {INDENTATION}",
    "accounts:\n  - name: x\n   token: y": f"pf.yml:3:4: {INDENTATION}",
    "log:\n  level: info\n    format: json": f"pf.yml:3:11: {COLON}",
    "accounts:\n  - name:x\n    token: y": f"pf.yml:3:10: {COLON}",
    "a: b: c": f"pf.yml:1:5: {COLON}",
    "log:\n\tlevel: info": "pf.yml:2:1: a tab; indent with spaces",
    "log: @x": "pf.yml:1:6: a value cannot start with this character; quote the value",
    "accounts: - b": "pf.yml:1:11: unexpected '-'; start the list on a new line",
    "log:\nlevel info\nweb: {}": "pf.yml:2:1: a key without a colon; write KEY: VALUE",
    "log: ]": "pf.yml:1:6: invalid YAML from here on; check for a missing quote, colon or space",
    "log: {}\n--- \nweb: {}": "pf.yml:2:1: a second YAML document; keep only one",
    "log: &x {}": "pf.yml:1:6: anchors and aliases (& and *) are not allowed; repeat the value, or quote it",
    "log: *x": "pf.yml:1:6: anchors and aliases (& and *) are not allowed; repeat the value, or quote it",
    "log: !!python/object:os.system {}": "pf.yml:1:6: tags (!) are not allowed;"
    " quote the value if it is a string",
    "log: {}\n\x07": "pf.yml:2: a character that YAML does not allow; remove it",
    'log: "\\UFFFFFFFF"': "pf.yml: invalid YAML from here on; check for a missing quote, colon or space",
    "log: " + "[" * 5000: "pf.yml:1:15: nested more than 10 levels deep; no setting is",
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items(), ids=[text[:60] for text in PROBLEMS])
def test_problem(text: str, problem: str, tmp_path: Path) -> None:
    """A bad file gives exactly one line: where, what, and what to do."""
    assert problems_of(tmp_path, text) == [problem]


def test_alias_bomb(tmp_path: Path) -> None:
    """A document of nested aliases ("billion laughs") is refused without expanding it."""
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    layers += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert problems_of(tmp_path, "\n".join(layers)) == [
        "pf.yml:1:4: anchors and aliases (& and *) are not allowed; repeat the value, or quote it"
    ]


def test_problems_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Several problems are listed from the first line to the last."""
    text = "accounts:\n  - {name: 'a b'}\nlog: {level: loud}\nseries: {ttl: x}\nweb: {nonsense: 1}\nlog: {}\n"
    problems = placed_problems(tmp_path, text, "--stream.backoff-min=x")
    lines = [int(problem.split(":")[1]) for problem in problems if problem.startswith("pf.yml:")]
    assert lines == sorted(lines)
    assert {2, 3, 4, 5, 6} <= {*lines}
    assert problems[-1].startswith("--stream.backoff-min: ")


@pytest.mark.parametrize(
    ("text", "where"),
    [("", "pf.yml"), ("# later\n", "pf.yml"), ("log: {}\naccounts: []\n", "pf.yml:2:1: accounts")],
)
def test_a_file_without_accounts(text: str, where: str, tmp_path: Path) -> None:
    """Without an account in the file or the environment, the message names the file."""
    assert placed_problems(tmp_path, text, environ={}) == [
        f"{where}: no account; list one under accounts,"
        " or set PF_TOKEN, or PF_USER and PF_PASSWORD, in the environment"
    ]
