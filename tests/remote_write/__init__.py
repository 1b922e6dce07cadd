"""Tests of pf_exporter/remote_write."""
