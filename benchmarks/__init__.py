"""Benchmarks of ingest, scrape and memory, compared with obvious implementations; see README.md."""
