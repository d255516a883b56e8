"""Running a coroutine from the event loop without a task.

Most messages need no waiting, and a task a message would cost more than the message. So a coroutine is started on the spot,
and only if it has to wait does anything else exist: `start` then gives the steps that are left, whose future `done` is done when
the coroutine is.

A coroutine run this way may await asyncio's futures and other coroutines; nothing that asks for the current task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


def start(coroutine: Coroutine[Any, Any, None]) -> Steps | None:
    """Run the coroutine until it waits or ends; None if it has ended."""
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return Steps(coroutine, awaited)


class Steps:
    """A coroutine that waits."""

    __slots__ = ("_coroutine", "done")

    def __init__(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._coroutine = coroutine
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wait_for(awaited)

    def let_go(self) -> None:
        """Whoever waits now need not wait for the end of the coroutine any more; whoever waits for `done` from now on does."""
        self.done.set_result(None)
        self.done = asyncio.get_running_loop().create_future()

    def _wait_for(self, awaited: Any) -> None:
        if awaited is None:  # a bare yield, as of asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(self._go_on, None)
            return
        awaited._asyncio_future_blocking = False  # the agreement of Future.__await__ with whoever drives it
        awaited.add_done_callback(self._go_on)

    def _go_on(self, _: Any) -> None:
        try:
            awaited = self._coroutine.send(None)
        except StopIteration:
            self.done.set_result(None)
        except BaseException as error:  # noqa: BLE001  (whoever waits for `done` gets it)
            self.done.set_exception(error)
        else:
            self._wait_for(awaited)
