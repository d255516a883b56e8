"""`python -m clients.cli` is the command `astro`."""

from clients.cli.main import main

main()
