"""The servers of a test run, each started when first asked for and stopped at the end of the run."""

from contextlib import ExitStack

from tests.harness import oracle, server
from tests.harness.client import Address


class Targets:
    def __init__(self) -> None:
        self._stack = ExitStack()
        self._started: dict[str, Address] = {}

    def close(self) -> None:
        self._started.clear()
        self._stack.close()

    def address(self, target: str) -> Address:
        """The address of "postgres" or "litephant"."""
        if target not in self._started:
            start = {"postgres": oracle.running, "litephant": server.running}[target]
            self._started[target] = self._stack.enter_context(start())
        return self._started[target]
