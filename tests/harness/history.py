"""Histories of concurrent transactions that append to lists and read them, and what an isolation level forbids in them.

The idea is Elle's (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020): every
number is appended once, so a list that was read says who wrote before, in which order; the lists at the end say it for all.
Then anomalies are facts about single transactions, or circles in the graph of who came before whom:

    ww   the next one who appended to a list
    wr   who read what another had appended last
    rw   who read a list before another appended to it

READ COMMITTED forbids lost and dirty writes, dirty and intermediate reads, and circles of ww and wr. REPEATABLE READ forbids also
reads that change, reads of half a transaction and circles with one rw; SERIALIZABLE forbids all circles.

Here is no server: test_history.py in tests/recovery makes histories.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

READ_COMMITTED: Final = "READ COMMITTED"
REPEATABLE_READ: Final = "REPEATABLE READ"
SERIALIZABLE: Final = "SERIALIZABLE"

Lists = dict[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Append:
    """`undone`: a savepoint was rolled back at once after it."""

    key: int
    value: int
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    key: int
    values: tuple[int, ...]


@dataclass(slots=True)
class Transaction:
    """What one transaction of a session did; `number` counts those of the session."""

    session: int
    number: int
    operations: list[Append | Read] = field(default_factory=list)
    committed: bool = False

    def __str__(self) -> str:
        return f"transaction {self.number} of session {self.session}"

    def appended(self, key: int) -> tuple[int, ...]:
        """What it leaves in a list if it commits."""
        appends = (each for each in self.operations if isinstance(each, Append))
        return tuple(each.value for each in appends if each.key == key and not each.undone)

    def touched(self) -> set[int]:
        return {each.key for each in self.operations if isinstance(each, Append) and not each.undone}

    def reads(self) -> Iterator[tuple[Read, tuple[int, ...]]]:
        """Its reads, each with what it had appended to that list until then."""
        own: defaultdict[int, tuple[int, ...]] = defaultdict(tuple)
        for each in self.operations:
            if isinstance(each, Read):
                yield each, own[each.key]
            elif not each.undone:
                own[each.key] += (each.value,)

    def foreign(self) -> Iterator[tuple[Read, tuple[int, ...]]]:
        """Its reads without its own appends."""
        for read, own in self.reads():
            yield read, read.values[: len(read.values) - len(own)]


History = list[Transaction]  # of each session in their order


def anomalies(history: History, final: Lists, level: str) -> list[str]:
    """Everything that the level forbids and that a history shows. `final`: the lists at its end."""
    found = [*_writes(history, final), *_reads(history, final)]
    if found:  # the rest takes it that lists only grow
        return found
    found += _steps_back(history, final)
    if level != READ_COMMITTED:
        found += _changing_reads(history)
        found += _half_reads(history)
    return found + list(_circles(history, final, level))


def _writes(history: History, final: Lists) -> Iterator[str]:
    """Lost updates, and what was rolled back but is there."""
    written = {value for values in final.values() for value in values}
    for transaction in history:
        for key in transaction.touched():
            appended = transaction.appended(key)
            if transaction.committed and not _follow(appended, final[key]):
                yield f"{transaction} appended {appended} to {key}, which is not there in one piece"
        for each in transaction.operations:
            if isinstance(each, Append) and (each.undone or not transaction.committed) and each.value in written:
                yield f"{each.value}, which {transaction} took back, is there"
    for key, values in final.items():
        if len(set(values)) < len(values):
            yield f"list {key} has a value twice"


def _follow(part: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether a tuple is one piece of another."""
    if part[0] not in whole:
        return False
    start = whole.index(part[0])
    return whole[start : start + len(part)] == part


def _reads(history: History, final: Lists) -> Iterator[str]:
    """Dirty and intermediate reads, and own appends that are not seen."""
    ends = {values[-1] for each in history if each.committed for key in each.touched() if (values := each.appended(key))}
    for transaction in history:
        for read, own in transaction.reads():
            values = read.values
            others = values[: len(values) - len(own)]
            if values[len(others) :] != own:
                yield f"{transaction} does not see what it appended itself: {read} without {own} at its end"
            elif final[read.key][: len(others)] != others:
                yield f"{transaction} read what was never committed, or in another order: {read}"
            elif others and others[-1] not in ends:
                yield f"{transaction} read a transaction that was not over: {read}"


def _steps_back(history: History, final: Lists) -> Iterator[str]:
    """A session that sees less than it saw or wrote before."""
    known: defaultdict[tuple[int, int], int] = defaultdict(int)
    for transaction in history:
        for read, others in transaction.foreign():
            place = transaction.session, read.key
            if len(others) < known[place]:
                yield f"{transaction} sees less than its session knew: {read}"
            known[place] = len(others)
        if transaction.committed:
            for key in transaction.touched():
                known[transaction.session, key] = final[key].index(transaction.appended(key)[-1]) + 1


def _changing_reads(history: History) -> Iterator[str]:
    for transaction in history:
        first: dict[int, tuple[int, ...]] = {}
        for read, others in transaction.foreign():
            if first.setdefault(read.key, others) != others:
                yield f"{transaction} read list {read.key} as {first[read.key]}, then as {others}"


def _half_reads(history: History) -> Iterator[str]:
    """Reads of one list with, of another one without what a transaction appended to both."""
    writers = {value: each for each in history for key in each.touched() for value in each.appended(key)}
    for transaction in history:
        seen = {read.key: set(others) for read, others in transaction.foreign()}
        for one, other in combinations(seen, 2):
            for value in seen[one] ^ seen[other]:
                writer = writers[value]
                halves = [seen[key].issuperset(writer.appended(key)) for key in (one, other) if key in writer.touched()]
                if len(set(halves)) > 1:
                    yield f"{transaction} saw half of {writer}: lists {one} and {other}"


def _circles(history: History, final: Lists, level: str) -> Iterator[str]:
    dependent, against = _graph(history, final)
    if level == SERIALIZABLE:
        every = {each: dependent[each] | against[each] for each in dependent.keys() | against.keys()}
        yield from (f"a circle goes through {history[each]}" for each in every if each in _reachable(every, each))
        return
    yield from (
        f"a circle of ww and wr goes through {history[each]}" for each in dependent if each in _reachable(dependent, each)
    )
    if level == REPEATABLE_READ:
        for reader, writers in against.items():
            for writer in writers:
                if reader in _reachable(dependent, writer):
                    yield f"a circle with one rw goes from {history[reader]} to {history[writer]}"


Graph = defaultdict[int, set[int]]


def _graph(history: History, final: Lists) -> tuple[Graph, Graph]:
    """The ww and wr edges, and the rw edges, between places in the history."""
    places = {value: place for place, each in enumerate(history) for key in each.touched() for value in each.appended(key)}
    dependent: Graph = defaultdict(set)
    against: Graph = defaultdict(set)

    def add(graph: Graph, one: int, other: int) -> None:
        if one != other:
            graph[one].add(other)

    for values in final.values():
        for one, other in pairwise(values):
            add(dependent, places[one], places[other])
    for place, transaction in enumerate(history):
        for read, others in transaction.foreign() if transaction.committed else ():
            if others:
                add(dependent, places[others[-1]], place)
            if len(others) < len(final[read.key]):
                add(against, place, places[final[read.key][len(others)]])
    return dependent, against


def _reachable(graph: dict[int, set[int]], start: int) -> set[int]:
    """Where edges lead to from a place."""
    found: set[int] = set()
    pending = list(graph.get(start, ()))
    while pending:
        place = pending.pop()
        if place not in found:
            found.add(place)
            pending += graph.get(place, ())
    return found
