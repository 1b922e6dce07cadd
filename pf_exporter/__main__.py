"""``python -m pf_exporter``: the same as ``pf-exporter``."""

import sys

from pf_exporter.cli import main

if __name__ == "__main__":
    sys.exit(main())
