"""Servers that a test may kill or look into: each a process of its own, forked from one that has imported everything already."""

import asyncio
import gc
import multiprocessing
import os
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from proxy import connection
from proxy.server import Server
from proxy.session.instance import open_instance
from proxy.session.prepared import Portal
from proxy.session.session import Session
from proxy.storage import checkpoint
from tests.harness.client import Address

LIMIT = 30

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__, "proxy.session.startup", "translator.compiler"])
_CENSUS = {Session: "sessions", Portal: "portals", connection.Connection: "connections"}


class Served:
    """A server in a process."""

    def __init__(self, address, process, pipe):
        self.address = address
        self._process = process
        self._pipe = pipe

    def kill(self):
        self._process.kill()

    def census(self):
        """What there is in the process, by kind: its open files, its threads, the event loop's tasks, sessions and what is theirs."""
        self._pipe.send("census")
        assert self._pipe.poll(LIMIT), "the event loop is blocked"
        counted = self._pipe.recv()
        own = Path(f"/proc/{self.address.pid}")
        links = [str(link.readlink()) for link in (own / "fd").iterdir()]
        counted["sockets"] = sum(link.startswith("socket:") for link in links)
        counted["files"] = len(links) - counted["sockets"]
        counted["threads"] = len(list((own / "task").iterdir()))
        return counted

    def resident(self):
        """Memory, in MB."""
        status = Path(f"/proc/{self.address.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def killable(directory, *, passive_pages=None, truncate_pages=None):
    """A server over the directory, which is killed in the end if it is still there."""
    ours, its = _processes.Pipe()
    process = _processes.Process(target=_serve, args=(str(directory), its, passive_pages, truncate_pages))
    process.start()
    its.close()
    try:
        assert ours.poll(LIMIT), "the server did not start"
        yield Served(Address("127.0.0.1", ours.recv(), pid=process.pid), process, ours)
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()


def _serve(directory, pipe, passive_pages, truncate_pages):
    if passive_pages is not None:
        checkpoint.PASSIVE_PAGES = passive_pages
        checkpoint.TRUNCATE_PAGES = truncate_pages
    os.chdir(directory)
    asyncio.run(_run(Path(directory), pipe))


async def _run(directory, pipe):
    running = Server(open_instance(directory))
    await running.start("127.0.0.1", 0)
    asyncio.get_running_loop().add_reader(pipe.fileno(), _answer, pipe)
    pipe.send(running.port)
    await running.run()


def _answer(pipe):
    """Take the census that was asked for."""
    try:
        pipe.recv()
    except EOFError:
        asyncio.get_running_loop().remove_reader(pipe.fileno())
        return
    gc.collect()
    counted = Counter(_CENSUS[type(each)] for each in gc.get_objects() if type(each) in _CENSUS)
    counted["tasks"] = len(asyncio.all_tasks())
    pipe.send(counted)
