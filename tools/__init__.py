"""Programs that make files: documentation tables, deployment files, the list of dependencies."""
