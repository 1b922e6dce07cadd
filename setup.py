"""What setup.cfg cannot express: the URL of the project, and files from other folders in the wheel."""

import os
import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# As in pf_exporter/assets/files.py.
ASSETS = (
    "jsonnetfile.json",
    "mixin.libsonnet",
    "grafana/mixin.libsonnet",
    "grafana/dashboards/*.json",
    "prometheus/rules.yml",
    "prometheus/alerts.yml",
    "prometheus/**/*.libsonnet",
)


def with_runbook(text: str, url: str) -> str:
    """A file of the assets with absolute links from alerts to the runbook, which is not beside it."""
    return text.replace("docs/runbook.md#", f"{url}/blob/HEAD/docs/runbook.md#") if url else text


class BuildWithAssets(build_py):
    """Adds what `pf-exporter assets` writes: pf_exporter/assets/data/."""

    def run(self) -> None:
        """Copy the package's files, then the assets."""
        super().run()
        if self.editable_mode:
            return
        for path in (path for pattern in ASSETS for path in ROOT.glob(pattern)):
            target = Path(self.build_lib, "pf_exporter", "assets", "data", path.relative_to(ROOT))
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8")
            target.write_text(with_runbook(text, project_url()), encoding="utf-8")


def project_url() -> str:
    """The address in PROJECT_URL, which the release workflow sets; in an sdist, that of its metadata."""
    if (ROOT / "PKG-INFO").exists():
        metadata = (ROOT / "PKG-INFO").read_text(encoding="utf-8").partition("\n\n")[0]
        return "".join(re.findall(r"(?m)^Project-URL: Homepage, (.*)$", metadata))
    return os.environ.get("PROJECT_URL", "").rstrip("/")


def project_urls(url: str) -> dict[str, str]:
    """The links that an index shows."""
    paths = {
        "Homepage": "",
        "Documentation": "/tree/HEAD/docs",
        "Changelog": "/blob/HEAD/CHANGELOG.md",
        "Issues": "/issues",
    }
    return {name: url + path for name, path in paths.items() if url}


def long_description(url: str) -> str:
    """README.md with absolute links: an index shows it elsewhere."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if url:
        text = re.sub(r"(!\[[^\]]*\]\()(?![a-z]+:|#)", rf"\g<1>{url}/raw/HEAD/", text)
        text = re.sub(r"(\]\()(?![a-z]+:|#)", rf"\g<1>{url}/blob/HEAD/", text)
    return text


setup(
    cmdclass={"build_py": BuildWithAssets},
    long_description=long_description(project_url()),
    long_description_content_type="text/markdown",
    project_urls=project_urls(project_url()),
)
