"""LISTEN and NOTIFY: who listens to what in a database, and delivery at commit (manual, NOTIFY; async.c).

Notifications of a transaction are sent when it commits, equal ones once; listening begins and ends at commit too. A session
that is in a block gets what is sent to it when the block is over.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, Protocol

from translator import sqlstate as codes
from translator.errors import SqlError

_LONGEST_CHANNEL: Final = 63  # NAMEDATALEN - 1
_LONGEST_PAYLOAD: Final = 7999  # NOTIFY_PAYLOAD_MAX_LENGTH - 1


class Listener(Protocol):
    """A session, as far as delivery is concerned."""

    def notified(self, process_id: int, channel: str, payload: str) -> None: ...


class Channels:
    """The listeners of one database."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)

    def listen(self, channel: str, listener: Listener) -> None:
        self._listeners[channel].add(listener)

    def unlisten(self, channel: str, listener: Listener) -> None:
        self._listeners[channel].discard(listener)
        if not self._listeners[channel]:
            del self._listeners[channel]

    def deliver(self, process_id: int, channel: str, payload: str) -> None:
        for listener in list(self._listeners.get(channel, ())):
            listener.notified(process_id, channel, payload)


@dataclass(slots=True)
class Notifications:
    """What one session listens to, and what its transaction has asked for so far."""

    channels: set[str] = field(default_factory=set)
    _listening: list[tuple[bool, str]] = field(default_factory=list)  # (begin?, channel), "" for all
    _queued: dict[tuple[str, str], None] = field(default_factory=dict)  # ordered, without repetitions
    _levels: list[tuple[int, int]] = field(default_factory=list)

    def listen(self, channel: str) -> None:
        self._listening.append((True, channel))

    def unlisten(self, channel: str) -> None:
        """Stop at commit; the empty channel stands for all."""
        self._listening.append((False, channel))

    def notify(self, channel: str, payload: str) -> None:
        """Queue a notification. Raises 22023 (Async_Notify)."""
        if not channel:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, "channel name cannot be empty")
        if len(channel.encode()) > _LONGEST_CHANNEL:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, "channel name too long")
        if len(payload.encode()) > _LONGEST_PAYLOAD:
            raise SqlError(codes.INVALID_PARAMETER_VALUE, "payload string too long")
        self._queued[channel, payload] = None

    @property
    def pending(self) -> bool:
        return bool(self._listening or self._queued)

    def savepoint(self) -> None:
        self._levels.append((len(self._listening), len(self._queued)))

    def release(self, level: int) -> None:
        """Savepoints from `level` on are over, and what they queued stays."""
        del self._levels[level - 1 :]

    def rollback_to(self, level: int) -> None:
        """Forget what was asked for since that savepoint, which stays."""
        listening, queued = self._levels[level - 1]
        del self._levels[level:]
        del self._listening[listening:]
        for key in list(self._queued)[queued:]:
            del self._queued[key]

    def abort(self) -> None:
        self._listening.clear()
        self._queued.clear()
        self._levels.clear()

    def commit(self, channels: Channels, listener: Listener, process_id: int) -> None:
        """Carry out what the transaction asked for: first what it listens to, then what it sends (AtCommit_Notify)."""
        for begin, channel in self._listening:
            if begin:
                self.channels.add(channel)
                channels.listen(channel, listener)
            else:
                self._stop(channel, channels, listener)
        queued = list(self._queued)
        self.abort()
        for channel, payload in queued:
            channels.deliver(process_id, channel, payload)

    def close(self, channels: Channels, listener: Listener) -> None:
        """The session ends."""
        self._stop("", channels, listener)

    def _stop(self, channel: str, channels: Channels, listener: Listener) -> None:
        for name in list(self.channels) if not channel else [channel]:
            if name in self.channels:
                self.channels.discard(name)
                channels.unlisten(name, listener)
