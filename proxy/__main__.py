"""`python -m proxy` is the command `litephant`."""

from proxy.cli import main

main()
