"""Generate the rule files from the mixin: ``python -m tools.generate_rules``, or ``make rules``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "prometheus"
FILES = {"rules.yml": "prometheusRules", "alerts.yml": "prometheusAlerts"}
"""The generated files, and the field of the mixin with their content."""
_COMMENT = """\
# {}
#
# Generated from the mixin in prometheus/*.libsonnet by `make rules`;
# docs/alerts.md describes how to change thresholds and labels.
"""
_COMMENTS = {
    "rules.yml": "The recording rules that the alerts and some panels use. They fold replicas.",
    "alerts.yml": "The alerts: critical pages someone, warning is for working hours, info is a note.",
}
_KEYS = (
    "name",
    "interval",
    "record",
    "alert",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
    "rules",
)


class _Dumper(yaml.SafeDumper):
    """A YAML dumper that writes expressions as block scalars."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def represent_object(self, data: dict[str, Any]) -> yaml.MappingNode:
        # Jsonnet sorts keys by name.
        keys = sorted(data, key=lambda key: _KEYS.index(key) if key in _KEYS else len(_KEYS))
        return self.represent_mapping("tag:yaml.org,2002:map", [(key, data[key]) for key in keys])


_Dumper.add_representer(str, _Dumper.represent_str)
_Dumper.add_representer(dict, _Dumper.represent_object)


def evaluate(overrides: str = "{}") -> dict[str, Any]:
    """Return the groups of each file, with a Jsonnet object merged into ``_config``.

    Raises ``RuntimeError`` with the position of a mistake in the object.
    """
    fields = ", ".join(f"'{name}': mixin.{field}" for name, field in FILES.items())
    mixin = f"(import {json.dumps(str(FOLDER / 'mixin.libsonnet'))}) + {{ _config+:: {overrides} }}"
    content: dict[str, Any] = json.loads(
        _jsonnet.evaluate_snippet("overrides", f"local mixin = {mixin}; {{ {fields} }}")
    )
    return content


def text(name: str, content: Any) -> str:
    """Return the text of a file."""
    return _COMMENT.format(_COMMENTS[name]) + yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110
    )


def overrides_of(runbook_base: str, config: Path | None) -> str:
    """Return a Jsonnet object with the settings of the command line."""
    parts = ["{}"] if config is None else [f"(import {json.dumps(str(config.resolve()))})"]
    if runbook_base:
        pattern = runbook_base.rstrip("/") + "/docs/runbook.md#%s"
        parts.append(f"{{ runbookURLPattern: {json.dumps(pattern)} }}")
    return " + ".join(parts)


def main(arguments: list[str] | None = None) -> None:
    """Write the files that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate_rules", description=__doc__)
    parser.add_argument("--runbook-base", default="", help="URL of the project's files, for runbook links")
    parser.add_argument("--config", type=Path, help="Jsonnet file with an object that changes _config")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the files")
    options = parser.parse_args(arguments)
    for name, content in evaluate(overrides_of(options.runbook_base, options.config)).items():
        (options.output / name).write_text(text(name, content), encoding="utf-8")


if __name__ == "__main__":
    main()
