"""Ordinary PostgreSQL clients: of the server they import the wire codec, `proxy.wire`, and nothing else.

postgres    a small client, waiting and awaiting; direct.py opens the files in this process
tasks       what is done with tasks, as operations without a connection
cli         the command `astro`
"""
