"""How fast the exporter is at both ends, against what is usual; see README.md."""
