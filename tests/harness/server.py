"""Our server for tests: in this process on a thread of its own, or as the process that users start."""

import asyncio
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.harness.client import Address

if TYPE_CHECKING:
    from proxy.server import Server

ROOT: Final = Path(__file__).parents[2]
_START_LIMIT: Final = 30.0
_STOP_LIMIT: Final = 20.0


@contextmanager
def running() -> Iterator[Address]:
    """A server in this process, on a free port, with a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="litephant-test-") as directory:
        thread = _ServerThread(Path(directory))
        thread.start()
        try:
            yield Address("127.0.0.1", thread.wait_until_ready())
        finally:
            thread.stop()


class _ServerThread(threading.Thread):
    """Runs an event loop with one server."""

    def __init__(self, directory: Path) -> None:
        super().__init__(name="litephant-server", daemon=True)
        self._directory = directory
        self._ready: queue.Queue[int | BaseException] = queue.Queue(1)
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            from proxy.server import Server  # not earlier: tests of single modules do not need the whole
            from proxy.session.instance import open_instance

            self._server = Server(open_instance(self._directory))
            await self._server.start("127.0.0.1", 0)
        except BaseException as error:
            self._ready.put(error)
            return
        self._ready.put(self._server.port)
        await self._server.run()

    def wait_until_ready(self) -> int:
        match self._ready.get(timeout=_START_LIMIT):
            case BaseException() as error:
                raise RuntimeError("the server did not start") from error
            case port:
                return port

    def stop(self) -> None:
        if self._server is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._server.stop)
        self.join(_STOP_LIMIT)
        assert not self.is_alive(), "the server did not stop"


@contextmanager
def process(directory: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Address]:
    """The server as its users start it, `litephant serve`, on a free port; `environment`: variables of its own."""
    command = [sys.executable, "-m", "proxy", "serve", "--data", str(directory), "--port", "0", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables, cwd=directory) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            http = line[line.index("http://") :].strip() if "--http" in options else ""
            yield Address("127.0.0.1", _port(line), pid=server.pid, http=http)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(_STOP_LIMIT)


def _port(line: str) -> int:
    """From `litephant is ready: postgres://127.0.0.1:45432/postgres, …`."""
    assert line.startswith("litephant is ready: "), f"the server did not start: {line!r}"
    return int(line.split("127.0.0.1:")[1].split("/", maxsplit=1)[0])
