"""Schedules: several sessions whose steps interleave, and which of them wait (as PostgreSQL's isolation tests have it).

A `.isolation` file has blocks that end at a blank line:

    setup
    CREATE TABLE t (a int PRIMARY KEY)

    step s1.lock
    SELECT * FROM t FOR UPDATE

    schedule s1.begin s1.lock s2.lock s1.commit
    ----
    s1.begin
      BEGIN
    s2.lock waits
    …

A step belongs to the session before its dot; a session that waits is given its further steps when it goes on. Every schedule runs in a fresh database in which `setup` was executed. A step that
does not end is asked about by pg_isolation_test_session_is_blocked: if the server says that its session waits for another one,
the schedule goes on; what it answers then is written down after the step that let it go on. So a server that lets a step
wait too long, too short, or does not know that it waits, fails the schedule.

Expected text is recorded from PostgreSQL, and `divergence <reason>` with our own text may follow it, as in case files.
Numbers that differ from run to run (processes, transactions, OIDs, row places) are replaced.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proxy.wire import backend
from proxy.wire.frontend import Query
from proxy.wire.message import Message
from tests.harness.casefile import SEPARATOR, Answered, Divergence
from tests.harness.client import Address, Client
from tests.harness.databases import execute, fresh_database

_LIMIT: Final = 10.0  # seconds that anything may take
_LOOK: Final = 0.01  # seconds between two looks at a step that does not end
_PATIENT: Final = "10s"  # deadlock_timeout, so that only a session that sets it looks for deadlocks

_NORMAL: Final = (
    (re.compile(r"transaction \d+"), "transaction N"),
    (re.compile(r"tuple \(\d+,\d+\)"), "tuple (N,N)"),
    (re.compile(r"relation \d+ of database \d+"), "relation N of database N"),
    (re.compile(r"advisory lock \[\d+,"), "advisory lock [N,"),
    (re.compile(r"object \d+ of class"), "object N of class"),
)


@dataclass(slots=True, kw_only=True)
class Schedule(Answered):
    """The order of steps, and what is expected of them."""

    steps: list[str]


@dataclass(slots=True)
class IsolationFile:
    path: Path
    setup: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    pieces: list[str | Schedule] = field(default_factory=list)

    @property
    def schedules(self) -> list[Schedule]:
        return [piece for piece in self.pieces if isinstance(piece, Schedule)]

    def write(self) -> None:
        self.path.write_text(text_of(self))


def text_of(file: IsolationFile) -> str:
    """What the file is written as."""
    return "\n\n".join(piece if isinstance(piece, str) else _format(piece) for piece in file.pieces) + "\n"


def _format(schedule: Schedule) -> str:
    lines = [f"schedule {' '.join(schedule.steps)}", SEPARATOR, *schedule.expected]
    if schedule.divergence is not None:
        lines += [f"divergence {schedule.divergence.reason}", *schedule.divergence.expected]
    return "\n".join(lines)


def read(path: Path) -> IsolationFile:
    file = IsolationFile(path)
    line = 1
    for block in path.read_text().rstrip("\n").split("\n\n"):
        head, _, body = block.partition("\n")
        word, _, rest = head.partition(" ")
        match word:
            case "setup":
                file.setup.append(body)
            case "step":
                file.steps[rest] = body
            case "schedule":
                file.pieces.append(_schedule(path, line, rest.split(), body))
            case _ if not head.startswith("#"):
                raise ValueError(f"{path.name}:{line}: {head!r} is no directive")
        if word != "schedule":
            file.pieces.append(block)
        line += block.count("\n") + 2
    for schedule in file.schedules:
        if unknown := set(schedule.steps) - file.steps.keys():
            raise ValueError(f"{schedule.where}: unknown steps {', '.join(sorted(unknown))}")
    return file


def _schedule(path: Path, line: int, steps: list[str], body: str) -> Schedule:
    expected = body.removeprefix(SEPARATOR).strip("\n").splitlines()
    found = next((number for number, text in enumerate(expected) if text.startswith("divergence ")), None)
    if found is None:
        return Schedule(path=path, line=line, steps=steps, expected=expected)
    divergence = Divergence(expected[found].removeprefix("divergence "), expected[found + 1 :])
    return Schedule(path=path, line=line, steps=steps, expected=expected[:found], divergence=divergence)


def run(file: IsolationFile, schedule: Schedule, server: Address) -> list[str]:
    """What happened, as lines."""
    with fresh_database(server) as address:
        for text in file.setup:
            execute(address, text)
        runner = _Runner(address, file)
        try:
            return list(runner.run(schedule.steps))
        finally:
            runner.close()


class _Runner:
    """The sessions of one schedule."""

    def __init__(self, address: Address, file: IsolationFile) -> None:
        self._address = address
        self._file = file
        self._clients: dict[str, Client] = {}
        self._control = Client(address)
        self._threads = ThreadPoolExecutor()
        self._waiting: dict[str, Future[list[Message]]] = {}
        self._said: dict[str, str] = {}  # the text of all steps of a session so far

    def close(self) -> None:
        for client in self._clients.values():
            if self._waiting:
                client.abandon()
            else:
                client.close()
        self._control.close()
        self._threads.shutdown()

    def run(self, steps: list[str]) -> Iterator[str]:
        for name in dict.fromkeys(map(_session, steps)):
            self._clients[name] = Client(self._address)
            _ask(self._clients[name], f"SET deadlock_timeout = '{_PATIENT}'")
            self._said[name] = ""
        put_off: list[str] = []
        for step in steps:
            if self._is_waiting(step) or any(_session(step) == _session(other) for other in put_off):
                put_off.append(step)
                yield f"{step} is put off"
                continue
            yield from self._do(step)
            while ready := [step for step in put_off if not self._is_waiting(step)]:
                put_off.remove(ready[0])
                yield from self._do(ready[0])
        yield from (f"{step} never ended" for step in self._waiting)

    def _do(self, step: str) -> Iterator[str]:
        name = _session(step)
        self._said[name] += self._file.steps[step].lower()
        answer = self._threads.submit(_ask, self._clients[name], self._file.steps[step])
        if self._ends(name, answer):
            yield from self._report(step, answer)
        else:
            self._waiting[step] = answer
            yield f"{step} waits"
        yield from self._released(except_for=step)

    def _is_waiting(self, step: str) -> bool:
        return any(_session(waiting) == _session(step) for waiting in self._waiting)

    def _released(self, except_for: str) -> Iterator[str]:
        """Steps that a step let go on."""
        for step, answer in list(self._waiting.items()):
            if step != except_for and self._ends(_session(step), answer):
                del self._waiting[step]
                yield from self._report(step, answer)
        step = except_for
        if step in self._waiting and len(self._waiting) > 1 and self._ends(_session(step), self._waiting[step]):
            yield from self._report(step, self._waiting.pop(step))

    def _ends(self, name: str, answer: Future[list[Message]]) -> bool:
        """Wait until a step is done (True), or its session waits for another one."""
        deadline = time.monotonic() + _LIMIT
        blocked = 0
        while time.monotonic() < deadline:
            with suppress(NotDone):
                answer.result(_LOOK)
                return True
            ends_by_itself = self._ends_by_itself(name)  # asked first: a circle that is gone blocks nobody any more
            blocked = blocked + 1 if self._is_blocked(name) and not ends_by_itself else 0
            if blocked > 1:
                return False
        raise AssertionError(f"{name} neither ends nor waits for another session")

    def _ends_by_itself(self, name: str) -> bool:
        """Whether a session that waits will not wait for ever: it has a timeout, or looks for the deadlock that it is in."""
        said = self._said[name]
        if "lock_timeout" in said.replace("deadlock_timeout", "") or "statement_timeout" in said:
            return True
        return "deadlock_timeout" in said and self._closes_circle(name)

    def _closes_circle(self, name: str) -> bool:
        """Whether following pg_blocking_pids from a session leads back to it."""
        start = self._pid(name)
        seen: set[str] = set()
        pending = self._blockers(start)
        while pending:
            pid = pending.pop()
            if pid == start:
                return True
            if pid not in seen:
                seen.add(pid)
                pending += self._blockers(pid)
        return False

    def _blockers(self, pid: str) -> list[str]:
        return _rows(_ask(self._control, f"SELECT unnest(pg_blocking_pids({pid}))"))

    def _is_blocked(self, name: str) -> bool:
        others = ",".join(self._pid(other) for other in self._clients if other != name)
        sql = f"SELECT pg_isolation_test_session_is_blocked({self._pid(name)}, '{{{others}}}')"
        return _rows(_ask(self._control, sql)) == ["t"]

    def _pid(self, name: str) -> str:
        key = self._clients[name].key
        assert key is not None
        return str(key.process_id)

    def _report(self, step: str, answer: Future[list[Message]]) -> Iterator[str]:
        yield step
        for message in answer.result():
            for line in _lines(message):
                yield f"  {self._normal(line)}"

    def _normal(self, line: str) -> str:
        names = {self._pid(name): name for name in self._clients}
        line = re.sub(r"([Pp]rocess) (\d+)", lambda found: f"{found[1]} {names.get(found[2], found[2])}", line)
        for pattern, replacement in _NORMAL:
            line = pattern.sub(replacement, line)
        return line


def _session(step: str) -> str:
    return step.partition(".")[0]


def _ask(client: Client, sql: str) -> list[Message]:
    client.send(Query(sql))
    return client.receive_until(backend.ReadyForQuery)


def _rows(messages: list[Message]) -> list[str]:
    return [line for message in messages if isinstance(message, backend.DataRow) for line in _lines(message)]


def _lines(message: Message) -> Iterator[str]:
    """A message as lines of the transcript; those that say nothing about waiting have none."""
    match message:
        case backend.DataRow():
            yield "|".join("null" if value is None else bytes(value).decode() for value in message.values)
        case backend.CommandComplete():
            yield message.tag
        case backend.NotificationResponse():
            yield f"notification on {message.channel} from process {message.process_id}: {message.payload}"
        case backend.ErrorResponse():
            yield f"{message.code} {message.message}"
            for label, text in (("detail", message.detail), ("hint", message.hint), ("context", message.where)):
                for line in (text or "").splitlines():
                    yield f"  {label}: {line}"
