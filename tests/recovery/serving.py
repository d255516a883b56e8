"""Servers that a test may kill: each a process of its own, forked from one that has imported everything already."""

import asyncio
import multiprocessing
import os
from contextlib import contextmanager
from pathlib import Path

from proxy.server import Server
from proxy.session.instance import open_instance
from proxy.storage import checkpoint
from tests.harness.client import Address

START_LIMIT = 30

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__, "proxy.session.startup", "translator.compiler"])


@contextmanager
def killable(directory, *, passive_pages=None, truncate_pages=None):
    """A server over the directory: its address and its process, which is killed in the end if it is still there."""
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_serve, args=(str(directory), sender, passive_pages, truncate_pages))
    process.start()
    sender.close()
    try:
        assert receiver.poll(START_LIMIT), "the server did not start"
        yield Address("127.0.0.1", receiver.recv(), pid=process.pid), process
    finally:
        receiver.close()
        process.kill()
        process.join()
        process.close()


def _serve(directory, sender, passive_pages, truncate_pages):
    if passive_pages is not None:
        checkpoint.PASSIVE_PAGES = passive_pages
        checkpoint.TRUNCATE_PAGES = truncate_pages
    os.chdir(directory)
    asyncio.run(_run(Path(directory), sender))


async def _run(directory, sender):
    running = Server(open_instance(directory))
    await running.start("127.0.0.1", 0)
    sender.send(running.port)
    sender.close()
    await running.run()
