"""Ordinary PostgreSQL clients: of the server they import the wire codec, `proxy.wire`, and nothing else."""
