"""The servers of a test run, each started when first asked for and stopped at the end of the run."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.harness import oracle, server
from tests.harness.client import Address


@contextmanager
def _process() -> Iterator[Address]:
    with tempfile.TemporaryDirectory(prefix="litephant-test-") as directory, server.process(Path(directory)) as address:
        yield address


_START: Final[dict[str, Callable[[], AbstractContextManager[Address]]]] = {
    "postgres": oracle.running,
    "litephant": server.running,
    "litephant process": _process,
}


class Targets:
    def __init__(self) -> None:
        self._stack = ExitStack()
        self._started: dict[str, Address] = {}

    def close(self) -> None:
        self._started.clear()
        self._stack.close()

    def address(self, target: str) -> Address:
        """The address of "postgres", of "litephant" in this process, or of a "litephant process"."""
        if target not in self._started:
            self._started[target] = self._stack.enter_context(_START[target]())
        return self._started[target]
