"""The checker of histories finds every kind of anomaly, and none where there is none."""

from typing import Any

import pytest

from tests.harness.history import READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE, Append, Read, Transaction, anomalies


def done(session, *operations, number=0):
    return Transaction(session, number, list(operations), committed=True)


def undone(session, *operations):
    return Transaction(session, 0, list(operations))


FORBIDDEN: dict[str, tuple[Any, Any, Any]] = {
    "lost update": (READ_COMMITTED, [done(1, Append(0, 1)), done(2, Append(0, 2))], {0: (2,)}),
    "dirty write": (READ_COMMITTED, [done(1, Append(0, 1), Append(0, 2)), done(2, Append(0, 3))], {0: (1, 3, 2)}),
    "what was rolled back is there": (READ_COMMITTED, [undone(1, Append(0, 1))], {0: (1,)}),
    "a savepoint's work is there": (READ_COMMITTED, [done(1, Append(0, 1, undone=True))], {0: (1,)}),
    "written twice": (READ_COMMITTED, [done(1, Append(0, 1))], {0: (1, 1)}),
    "dirty read": (READ_COMMITTED, [undone(1, Append(0, 1)), done(2, Read(0, (1,)))], {0: ()}),
    "intermediate read": (READ_COMMITTED, [done(1, Append(0, 1), Append(0, 2)), done(2, Read(0, (1,)))], {0: (1, 2)}),
    "own write is not seen": (READ_COMMITTED, [done(1, Append(0, 1), Read(0, ()))], {0: (1,)}),
    "another order": (READ_COMMITTED, [done(1, Append(0, 1)), done(2, Append(0, 2)), done(3, Read(0, (2, 1)))], {0: (1, 2)}),
    "step back": (
        READ_COMMITTED,
        [done(1, Append(0, 1)), done(2, Read(0, (1,))), done(2, Read(0, ()), number=1)],
        {0: (1,)},
    ),
    "own commit is not seen": (READ_COMMITTED, [done(1, Append(0, 1)), done(1, Read(0, ()), number=1)], {0: (1,)}),
    "circular flow": (
        READ_COMMITTED,
        [done(1, Append(0, 1), Read(1, (2,))), done(2, Append(1, 2), Read(0, (1,)))],
        {0: (1,), 1: (2,)},
    ),
    "changing read": (REPEATABLE_READ, [done(1, Append(0, 1)), done(2, Read(0, ()), Read(0, (1,)))], {0: (1,)}),
    "half a transaction": (
        REPEATABLE_READ,
        [done(1, Append(0, 1), Append(1, 2)), done(2, Read(0, (1,)), Read(1, ()))],
        {0: (1,), 1: (2,)},
    ),
    "lost update from a snapshot": (
        REPEATABLE_READ,
        [done(1, Append(0, 1)), done(2, Append(1, 2), Read(0, (1,))), done(3, Read(0, ()), Read(1, (2,)))],
        {0: (1,), 1: (2,)},
    ),
    "write skew": (
        SERIALIZABLE,
        [done(1, Read(0, ()), Append(1, 1)), done(2, Read(1, ()), Append(0, 2))],
        {0: (2,), 1: (1,)},
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_anomalies_are_found(name):
    level, history, final = FORBIDDEN[name]
    assert anomalies(history, final, level)


ALLOWED = {
    "changing read": READ_COMMITTED,
    "half a transaction": READ_COMMITTED,
    "lost update from a snapshot": READ_COMMITTED,
    "write skew": REPEATABLE_READ,
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_weaker_level_allows_them(name):
    _, history, final = FORBIDDEN[name]
    assert anomalies(history, final, ALLOWED[name]) == []


def test_a_serial_history_has_none():
    history = [
        done(1, Append(0, 1), Read(0, (1,)), Append(0, 2)),
        undone(2, Read(0, (1, 2)), Append(0, 3), Read(0, (1, 2, 3))),
        done(2, Append(0, 4, undone=True), Append(1, 5), number=1),
        done(3, Read(0, (1, 2)), Read(1, (5,))),
    ]
    assert anomalies(history, {0: (1, 2), 1: (5,)}, SERIALIZABLE) == []
