"""Work that would hold up the event loop, in threads: heavy statements, waiting for another process, large commits.

Reader threads are shared by the databases of a cluster; each database has one writer thread of its own, so that
readers never keep the writer waiting. A job belongs to one connection and ends before anybody else uses that connection.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from proxy.storage.connection import InterruptError
from translator.settings import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.storage.connection import Connection
    from translator.errors import SqlError

T = TypeVar("T")


class Threads:
    """The threads of one database."""

    def __init__(self, readers: ThreadPoolExecutor) -> None:
        self._readers = readers
        self._writer: ThreadPoolExecutor | None = None
        self._jobs: dict[concurrent.futures.Future[None], Connection] = {}

    def read(self, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run the function in a reader thread."""
        return self._run(self._readers, connection, function)

    def write(self, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run the function in the writer thread."""
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, "writer")
        return self._run(self._writer, connection, function)

    def run_in(self, pool: ThreadPoolExecutor, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run the function in a thread of the caller's pool: what waits for other sessions must not keep their threads."""
        return self._run(pool, connection, function)

    def close(self, error: SqlError) -> None:
        """End running jobs with this error and wait for them."""
        jobs = list(self._jobs.items())
        for _, connection in jobs:
            connection.cancel(error)
        concurrent.futures.wait([job for job, _ in jobs])
        if self._writer is not None:
            self._writer.shutdown()

    def _run(self, pool: ThreadPoolExecutor, connection: Connection, function: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        connection.enter_thread()
        job = pool.submit(_work, loop, future, connection, function, dict(vars(runtime)))
        self._jobs[job] = connection
        job.add_done_callback(lambda job: self._jobs.pop(job, None))
        return future


def _work(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[T],
    connection: Connection,
    function: Callable[[], T],
    carried: dict[str, Any],
) -> None:
    """In the thread: be the session that asked (`runtime` is thread-local), run, and bring the outcome to the loop."""
    vars(runtime).clear()
    vars(runtime).update(carried)
    outcome: T | None = None
    error: BaseException | None = connection.cancelled
    if error is None:
        try:
            outcome = function()
        except InterruptError as raised:
            error = connection.cancelled or raised
        except Exception as raised:  # noqa: BLE001  (whatever it is, it belongs to whoever waits for the future)
            error = raised
    if isinstance(error, StopIteration):  # a future refuses it, and then nobody would ever be woken
        error = RuntimeError("StopIteration in a thread").with_traceback(error.__traceback__)
    vars(runtime).clear()
    if not loop.is_closed():
        loop.call_soon_threadsafe(_deliver, future, connection, outcome, error)


def _deliver(future: asyncio.Future[Any], connection: Connection, outcome: Any, error: BaseException | None) -> None:
    connection.leave_thread()
    if future.done():
        return
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)
