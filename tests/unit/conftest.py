"""A session to talk to, without sockets: `talk` opens conversations with one instance over a fresh directory."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy.session.instance import Instance, open_instance
from tests.harness.conversation import Conversation
from translator.settings import Runtime, runtime


@pytest.fixture(autouse=True)
def no_session_left_behind() -> Iterator[None]:
    """What a test ran for must not answer for the next one: its catalog's connection is closed by then."""
    yield
    vars(runtime).clear()
    assert runtime.catalog is Runtime.catalog


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def instance(tmp_path: Path, loop: asyncio.AbstractEventLoop) -> Iterator[Instance]:
    instance = open_instance(tmp_path / "data")
    yield instance

    async def close() -> None:
        instance.close()

    loop.run_until_complete(close())


@pytest.fixture
def talk(loop: asyncio.AbstractEventLoop, instance: Instance) -> Iterator[Callable[[], Conversation]]:
    """A function that opens a started conversation."""
    open_conversations: list[Conversation] = []

    def start() -> Conversation:
        conversation = Conversation(loop, instance)
        conversation.start()
        open_conversations.append(conversation)
        return conversation

    yield start
    for conversation in open_conversations:
        if not conversation.ended:
            conversation.disconnect()
            conversation.settle()


@pytest.fixture
def session(talk: Callable[[], Conversation]) -> Conversation:
    return talk()
