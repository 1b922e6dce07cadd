"""Programs that generate files: tables of the documentation, deployment files, the SBOM."""
