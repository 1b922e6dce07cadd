"""Run the exporter from a checkout: ``python exporter.py``."""

import sys

from pf_exporter.__main__ import main

if __name__ == "__main__":
    try:
        sys.exit(main())
    except ModuleNotFoundError as exc:
        sys.exit(
            f"exporter.py: the Python package {exc.name} is missing; install the packages in"
            " requirements.txt: python3 -m pip install -r requirements.txt"
        )
