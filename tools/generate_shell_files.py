"""Write the files for shells that are generated from the command line: ``make docs``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pf_exporter.command_line.completion_scripts import SCRIPTS
from tools.generate_man import page

FOLDER = Path(__file__).parents[1] / "deploy"

FILES: dict[str, Callable[[], str]] = {
    "completion/bash/pf-exporter": SCRIPTS["bash"],
    "completion/zsh/_pf-exporter": SCRIPTS["zsh"],
    "completion/fish/pf-exporter.fish": SCRIPTS["fish"],
    "man/pf-exporter.1": page,
}
"""Each file below deploy/, and the function that generates it."""

if __name__ == "__main__":
    for name, text in FILES.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding="utf-8")
