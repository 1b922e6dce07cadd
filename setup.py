"""What setup.cfg cannot express: the URL of the project, and files from other folders in the wheel."""

import os
import re
import shutil
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
            shutil.copyfile(path, target)


def long_description() -> str:
    """README.md; its links are relative, so that an index needs the address of the project before them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if url := os.environ.get("PROJECT_URL", "").rstrip("/"):
        text = re.sub(r"(!\[[^\]]*\]\()(?![a-z]+:|#)", rf"\g<1>{url}/raw/HEAD/", text)
        text = re.sub(r"(?<!!)(\[[^\]]*\]\()(?![a-z]+:|#)", rf"\g<1>{url}/blob/HEAD/", text)
    return text


def project_urls() -> dict[str, str]:
    """The URLs from PROJECT_URL, which the release workflow sets, or from the sdist that it built."""
    if url := os.environ.get("PROJECT_URL", "").rstrip("/"):
        return {
            "Homepage": url,
            "Documentation": f"{url}/tree/HEAD/docs",
            "Changelog": f"{url}/blob/HEAD/CHANGELOG.md",
            "Issues": f"{url}/issues",
        }
    if (ROOT / "PKG-INFO").exists():
        lines = (ROOT / "PKG-INFO").read_text(encoding="utf-8").partition("\n\n")[0]
        return dict(re.findall(r"(?m)^Project-URL: (.*?), (.*)$", lines))
    return {}


setup(
    cmdclass={"build_py": BuildWithAssets},
    long_description=long_description(),
    long_description_content_type="text/markdown",
    project_urls=project_urls(),
)
