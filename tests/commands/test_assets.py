"""``pf-exporter assets``."""

from __future__ import annotations

import json
from pathlib import Path

import _jsonnet  # type: ignore[import-untyped]
import pytest

from pf_exporter.cli import main
from tests.yaml_loader import load_yaml


def test_assets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes rules, dashboards and a mixin that Jsonnet evaluates, and prints each path."""
    assert main(["assets", "--to", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"new       {tmp_path}/prometheus/rules.yml" in lines
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {line.split()[1] for line in lines} == set(map(str, written))
    assert load_yaml((tmp_path / "prometheus" / "alerts.yml").read_text())["groups"]
    snippet = f"(import '{tmp_path}/mixin.libsonnet').grafanaDashboards"
    names = {f"packetfabric-{path.name}" for path in (tmp_path / "grafana" / "dashboards").iterdir()}
    assert json.loads(_jsonnet.evaluate_snippet("test", snippet)).keys() == names


def test_changed_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that the user changed is an error with exit code 2, until --overwrite replaces it."""
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus" / "rules.yml").write_text("mine")
    assert main(["assets", "--to", str(tmp_path)]) == 2
    expected = f"{tmp_path}/prometheus/rules.yml exists with other content; replace it with --overwrite"
    assert capfd.readouterr().err == f"pf-exporter: {expected}\n"
    assert main(["assets", "--to", str(tmp_path), "--overwrite"]) == 0
    assert f"replaced  {tmp_path}/prometheus/rules.yml" in capfd.readouterr().out
