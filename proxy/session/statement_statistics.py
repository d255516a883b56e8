"""How often and how long statements ran: what pg_stat_statements shows (pg_stat_statements.c).

Statements that differ in constants only are one entry, told apart by libpg_query's fingerprint, which stands for PostgreSQL's
query jumble. A plan keeps its entry, so that counting an execution costs a method call and no look-up.

Times are microseconds. Percentiles come from a histogram with four steps an octave: they are right to an eighth.
Statements that fail are not counted. A statement's time is that on the server, waits included, until its last row is encoded.
"""

from __future__ import annotations

import time
from collections import Counter
from heapq import nsmallest
from math import sqrt
from operator import mul
from typing import TYPE_CHECKING, Final

from pglast.parser import ParseError, fingerprint, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.storage.database import Database

MOST_ENTRIES: Final = 5_000  # pg_stat_statements.max
_DROPPED: Final = MOST_ENTRIES // 20  # at once, when there are more (USAGE_DEALLOC_PERCENT)
_NOTED: Final = 256  # executions
_FINE: Final = 8  # shorter times have a place each in the histogram


class StatementCounts:
    """One entry. Executions are noted as they come, and added up some hundred at a time."""

    __slots__ = (
        *("calls", "database", "longest", "places", "query", "query_id", "rows", "shortest", "since", "squares", "times"),
        *("total", "user"),
    )

    def __init__(self, database: Database, user: str, query_id: int, query: str) -> None:
        self.database = database
        self.user = user
        self.query_id = query_id
        self.query = query
        self.reset()

    def reset(self) -> None:
        """Begin to count anew."""
        self.calls = self.rows = self.total = self.squares = self.longest = 0
        self.shortest = 1 << 62
        self.places: Counter[int] = Counter()
        self.times: list[int] = []
        self.since = time.time_ns() // 1000

    def add(self, elapsed: int, rows: int) -> None:
        """Count an execution; it is called for every statement."""
        self.rows += rows
        self.times.append(elapsed)
        if len(self.times) >= _NOTED:
            self._add_up()

    def copy(self) -> StatementCounts:
        """The entry as it is now, added up; it can be asked for in any thread."""
        copy = StatementCounts(self.database, self.user, self.query_id, self.query)
        copy.since, copy.rows = self.since, self.rows
        copy.calls, copy.total, copy.squares = self.calls, self.total, self.squares
        copy.shortest, copy.longest = self.shortest, self.longest
        copy.places, copy.times = self.places.copy(), self.times.copy()
        copy._add_up()
        return copy

    def _add_up(self) -> None:
        times, self.times = self.times, []
        if not times:
            return
        self.calls += len(times)
        self.total += sum(times)
        self.squares += sum(map(mul, times, times))
        self.shortest = min(self.shortest, *times)
        self.longest = max(self.longest, *times)
        for elapsed, count in Counter(times).items():
            self.places[_place(elapsed)] += count

    @property
    def deviation(self) -> float:
        """The standard deviation of all executions, in microseconds."""
        mean = self.total / self.calls
        return sqrt(max(self.squares / self.calls - mean * mean, 0.0))

    def percentile(self, share: float) -> float:
        """The time, in microseconds, that this share of the executions did not exceed."""
        left = self.calls * share
        for place, count in sorted(self.places.items()):
            left -= count
            if left <= 0:
                return min(max(_middle(place), self.shortest), self.longest)
        return float(self.longest)


def _place(elapsed: int) -> int:
    """Where a time belongs in the histogram."""
    if elapsed < _FINE:
        return elapsed
    bits = elapsed.bit_length()
    return (bits << 2) + (elapsed >> bits - 3) - 12


def _middle(place: int) -> float:
    """The middle of the times that belong to a place in the histogram."""
    if place < _FINE:
        return place
    bits = (place + 8) >> 2
    width = 1 << bits - 3
    return (place + 12 - (bits << 2)) * width + (width - 1) / 2


class StatementStatistics:
    """The entries of all databases of an instance."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Database, str, int], StatementCounts] = {}
        self.dropped = 0  # how often there were too many
        self.since = time.time_ns() // 1000

    def __iter__(self) -> Iterator[StatementCounts]:
        copies = (entry.copy() for entry in list(self._entries.values()))
        return (entry for entry in copies if entry.calls)

    def entry(self, database: Database, user: str, text: str) -> StatementCounts:
        """The entry of a statement, for its plan to keep."""
        query_id, query = _identify(text)
        key = database, user, query_id
        found = self._entries.get(key)
        if found is None:
            if len(self._entries) >= MOST_ENTRIES:
                self._make_room()
            found = self._entries[key] = StatementCounts(database, user, query_id, query)
        return found

    def reset(self, user: str | None, database: str | None, query_id: int) -> None:
        """Begin anew with the entries of a user, a database and a query, where they are given."""
        for entry in self._entries.values():
            if user in (None, entry.user) and database in (None, entry.database.name) and query_id in (0, entry.query_id):
                entry.reset()
        if user is None and database is None and not query_id:
            self.since, self.dropped = time.time_ns() // 1000, 0

    def forget(self, database: Database) -> None:
        """The database is gone."""
        self._entries = {key: entry for key, entry in self._entries.items() if key[0] is not database}

    def _make_room(self) -> None:
        self.dropped += 1
        for key in nsmallest(_DROPPED, self._entries, key=lambda key: self._entries[key].copy().calls):
            del self._entries[key]


def _identify(text: str) -> tuple[int, str]:
    """A number that equal statements share, and the text with `$1` for constants."""
    try:
        number = int(fingerprint(text), 16)
        query = normalize(text)
    except ParseError:  # the part of a text that stands for the whole
        return hash(text), text.strip()
    return number - (1 << 64) if number >> 63 else number, query.strip()
