"""LISTEN and NOTIFY: who listens to what in a database, and delivery at commit (manual, NOTIFY; async.c).

Notifications of a transaction are sent when it commits, equal ones once; listening begins and ends at commit too. Those of several
transactions are sent in the order of their commits, whichever of them hears first that the disk has its own. A session that is in a
block gets what is sent to it when the block is over. What other processes send comes by the file (foreign_notifications.py).
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from proxy.session.foreign_notifications import ForeignNotifications
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.storage.database import Database

_LONGEST_CHANNEL: Final = 63  # NAMEDATALEN - 1
_LONGEST_PAYLOAD: Final = 7999  # NOTIFY_PAYLOAD_MAX_LENGTH - 1


class Listener(Protocol):
    """A session, as far as delivery is concerned."""

    def notified(self, process_id: int, channel: str, payload: str) -> None: ...


@dataclass(slots=True, eq=False)
class Place:
    """A transaction's place in the order of commits, and what it sends: (process id, channel, payload), None: not known yet."""

    sent: list[tuple[int, str, str]] | None = None


class Channels:
    """The listeners of one database, and the transactions that are about to send them something."""

    def __init__(self, database: Database) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._order: deque[Place] = deque()
        self._foreign = ForeignNotifications(database, self._send_foreign)

    def take_place(self) -> Place:
        """The next place; to be taken while nobody else can commit, and to be given to `send`, whatever happens."""
        self._foreign.look()
        return self._new_place()

    def _new_place(self) -> Place:
        place = Place()
        self._order.append(place)
        return place

    def send(self, place: Place, notifications: list[tuple[int, str, str]]) -> None:
        """Deliver notifications as soon as those before them are delivered."""
        place.sent = notifications
        while self._order and (sent := self._order[0].sent) is not None:
            self._order.popleft()
            for process_id, channel, payload in sent:
                self._deliver(process_id, channel, payload)

    def listen(self, channel: str, listener: Listener) -> None:
        if not self._listeners:
            self._foreign.open()
        self._listeners[channel].add(listener)

    def unlisten(self, channel: str, listener: Listener) -> None:
        self._listeners[channel].discard(listener)
        if not self._listeners[channel]:
            del self._listeners[channel]
        if not self._listeners:
            self._foreign.close()

    def close(self) -> None:
        """The database is closed."""
        self._foreign.close()

    def _send_foreign(self, notifications: list[tuple[int, str, str]]) -> None:
        self.send(self._new_place(), notifications)

    def _deliver(self, process_id: int, channel: str, payload: str) -> None:
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

    @property
    def queued(self) -> list[tuple[str, str]]:
        """Channels and payloads that the transaction sends when it commits."""
        return list(self._queued)

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

    def commit(self, channels: Channels, place: Place, listener: Listener, process_id: int) -> None:
        """Carry out what the transaction asked for: first what it listens to, then what it sends (AtCommit_Notify)."""
        for begin, channel in self._listening:
            if begin:
                self.channels.add(channel)
                channels.listen(channel, listener)
            else:
                self._stop(channel, channels, listener)
        queued = [(process_id, channel, payload) for channel, payload in self._queued]
        self.abort()
        channels.send(place, queued)

    def close(self, channels: Channels, listener: Listener) -> None:
        """The session ends."""
        self._stop("", channels, listener)

    def _stop(self, channel: str, channels: Channels, listener: Listener) -> None:
        for name in list(self.channels) if not channel else [channel]:
            if name in self.channels:
                self.channels.discard(name)
                channels.unlisten(name, listener)
