"""Workloads against litephant and a PostgreSQL 18 in its default configuration, side by side in one run."""
