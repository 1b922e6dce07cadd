"""A small Debian in a folder, copied from the packages of this machine: no download, no mount."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conftest import tool

FORMAT = "${binary:Package}\t${Package}\t${Essential}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
USR_MERGED = ("bin", "sbin", "lib", "lib64")
UNNECESSARY = re.compile(r"/usr/share/(doc|locale|man|info|i18n|zoneinfo)/.+|/usr/lib/(locale|gconv)/.+")
DATABASE = "var/lib/dpkg"
IGNORED = re.compile(rf"({DATABASE}|dev|var/log|var/cache)/|usr/lib/python3[^/]*/.*__pycache__")
"""Records of dpkg and others, and bytecode of the standard library, which Debian compiles at installation."""


def _alternatives(depends: str) -> Iterator[list[str]]:
    """Yield the names in each clause of a field such as ``a (>= 1) | b, c``."""
    for clause in depends.split(","):
        names = [re.split(r"[\s(:]", item.strip())[0] for item in clause.split("|")]
        if names[0]:
            yield names


def closure(depends: str) -> list[str]:
    """Return the installed packages that are essential, or needed for a field ``Depends``."""
    done = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={FORMAT}"], check=True, capture_output=True, text=True
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    by_name: dict[str, tuple[str, str]] = {}
    for full, name, _, provides, needs in rows:
        for provided in (name, *(names[0] for names in _alternatives(provides))):
            if provided == name or provided not in by_name:
                by_name[provided] = full, needs
    found: set[str] = set()
    pending = [name for _, name, essential, _, _ in rows if essential == "yes"]
    pending += [_installed(names, by_name) for names in _alternatives(depends)]
    while pending:
        full, needs = by_name[pending.pop()]
        if full not in found:
            found.add(full)
            pending += [_installed(names, by_name) for names in _alternatives(needs)]
    return sorted(found)


def _installed(names: Sequence[str], by_name: dict[str, tuple[str, str]]) -> str:
    return next(name for name in names if name in by_name)


class MinimalRoot:
    """A folder with the packages that another package depends on, and dpkg's database of them."""

    def __init__(self, folder: Path, depends: str) -> None:
        self.folder = folder
        folder.chmod(0o755)
        for name in USR_MERGED:
            if Path("/", name).is_symlink():
                (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to(f"usr/{name}")
        self.packages = closure(depends)
        for package in self.packages:
            self._copy(package)
        for name in ("passwd", "group"):
            shutil.copy(folder / f"usr/share/base-passwd/{name}.master", folder / "etc" / name)
        # A file, because a file system may not allow devices.
        (folder / "dev/null").touch()
        status = subprocess.run(
            ["dpkg-query", "--status", *self.packages], check=True, capture_output=True, text=True
        )
        (folder / DATABASE / "info").mkdir(parents=True, exist_ok=True)
        (folder / DATABASE / "updates").mkdir(exist_ok=True)
        (folder / DATABASE / "status").write_text(status.stdout)
        (folder / DATABASE / "available").touch()
        for package in self.packages:
            for path in Path("/", DATABASE, "info").glob(f"{package}.*"):
                shutil.copy(path, folder / DATABASE / "info")

    def _copy(self, package: str) -> None:
        listed = subprocess.run(["dpkg-query", "--listfiles", package], check=True, capture_output=True)
        for line in os.fsdecode(listed.stdout).splitlines():
            source = Path(line)
            if line.startswith("/") and os.path.lexists(source) and not UNNECESSARY.match(line):
                target = self.folder / line[1:]
                if source.is_dir() and not (source.is_symlink() and not target.is_dir()):
                    target.mkdir(parents=True, exist_ok=True)
                elif not os.path.lexists(target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source, target, follow_symlinks=False)

    def dpkg(self, *arguments: object) -> str:
        """Run dpkg on this root, without questions; return its output."""
        # Without fsync, which takes seconds on a busy machine.
        command = ["dpkg", "--force-unsafe-io", f"--root={self.folder}", *map(str, arguments)]
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, *command: str, user: str = "root") -> list[str]:
        """Return the command that runs a program in this root."""
        return [tool("chroot"), f"--userspec={user}", str(self.folder), *command]

    def files(self) -> dict[str, str]:
        """Return every path that is not ignored, with mode, size and target."""
        found = {}
        for parent, folders, names in os.walk(self.folder):
            for name in (*folders, *names):
                path = Path(parent, name)
                inside = str(path.relative_to(self.folder))
                if not IGNORED.match(inside):
                    found[inside] = _description(path)
        return found


def _description(path: Path) -> str:
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    target = os.readlink(path) if path.is_symlink() else ""
    return f"{status.st_mode:o} {status.st_size} {target}"
