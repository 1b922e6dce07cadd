"""Names of a package that are imported when first used.

``--help``, ``--version`` and ``health`` start several times faster without the libraries that only the
exporter needs. The ``__init__`` of a package therefore leaves names that need such a library to
:func:`lazy_names`::

    if TYPE_CHECKING:
        from pf_exporter.server.server import Server
    else:
        __getattr__ = lazy_names(__name__, {"server": ("Server",)})

A type checker sees an ordinary import. ``tests/test_architecture.py`` compares the two branches.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping


def lazy_names(package: str, names: Mapping[str, Iterable[str]]) -> Callable[[str], object]:
    """A ``__getattr__`` for ``package`` (PEP 562): ``names`` maps a module to the names that it defines."""
    modules = {name: module for module, own in names.items() for name in own}

    def import_name(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)  # The next use does not come here.
        return value

    return import_name
