"""The client that awaits, over sessions of the process that it runs in."""

import asyncio
from pathlib import Path

import pytest

from clients.postgres.asynchronous import AsyncConnection
from clients.postgres.errors import ConnectionFailed, DatabaseError
from clients.tasks import editing, listing, migrations
from clients.tasks.model import Actor, NewTask
from proxy.server import Server
from proxy.session.instance import open_instance


async def connect(server: Server) -> AsyncConnection:
    return await AsyncConnection.open(server.open_streams(), user="postgres", database="postgres")


async def conversation(path: Path) -> None:
    server = Server(open_instance(path))
    one, two = await connect(server), await connect(server)
    await one.run(migrations.migrate())
    await two.execute("LISTEN astro")
    me = Actor("me")
    adding = [connection.run(editing.add(me, [NewTask(str(number))])) for number, connection in enumerate((one, two))]
    assert sorted(task.id for [task] in await asyncio.gather(*adding)) == ["TASK-1", "TASK-2"]
    found = await one.run(listing.list_tasks())
    assert len(found) == 2
    assert [await two.notification(), await two.notification()] == [("astro", "1"), ("astro", "2")]
    with pytest.raises(DatabaseError, match="does not exist"):
        await one.execute("SELECT * FROM nothing")
    assert len((await one.execute("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")).rows) == 20_000
    await server.close()
    with pytest.raises((DatabaseError, ConnectionFailed)):
        await two.execute("SELECT 1")
    one.close()
    two.close()


def test_sessions_in_the_same_process(tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(conversation(tmp_path), 60))
