"""The transaction table, by enumeration, and along walks whose status bytes PostgreSQL gave."""

import json
from itertools import product
from pathlib import Path

import pytest

from proxy.session.transaction import TABLE, Action, Event, Modes, State, Transaction
from translator.errors import SqlError

WALKS = json.loads(Path(__file__).with_name("transaction_walks.json").read_text())


def test_every_pair_is_in_the_table():
    assert set(TABLE) == set(product(State, Event))


def test_a_refusal_leaves_the_state_as_it_is():
    for (state, _), (new_state, action) in TABLE.items():
        if action in {Action.REFUSE_FAILED, Action.REFUSE_NO_BLOCK}:
            assert new_state is state


def test_only_the_end_of_the_block_leaves_a_failed_one():
    leaving = {
        event for (state, event), (new_state, _) in TABLE.items() if state is State.FAILED and new_state is not State.FAILED
    }
    assert leaving == {Event.COMMIT, Event.COMMIT_AND_CHAIN, Event.ROLLBACK, Event.ROLLBACK_AND_CHAIN, Event.ROLLBACK_TO}


def test_a_failed_block_is_never_committed():
    actions = {action for (state, _), (_, action) in TABLE.items() if state is State.FAILED}
    assert actions.isdisjoint({Action.COMMIT, Action.COMMIT_AND_CHAIN, Action.COMMIT_WITH_WARNING})


def test_sync_ends_what_is_no_block():
    assert TABLE[State.IMPLICIT, Event.SYNC] == (State.IDLE, Action.COMMIT)
    assert TABLE[State.IN_BLOCK, Event.SYNC] == (State.IN_BLOCK, Action.NOTHING)


def step(transaction: Transaction, event: Event) -> None:
    """What actions.py does of an event, as far as it concerns the state; then the end of the simple query."""
    if event in {Event.RELEASE, Event.ROLLBACK_TO} and transaction.in_block:
        if event is Event.RELEASE and transaction.state is State.FAILED:
            transaction.apply(event)
        savepoint = transaction.find("a")
        transaction.apply(event)
        transaction.forget_after(savepoint, inclusive=event is Event.RELEASE)
    elif event is Event.ERROR:
        transaction.apply(Event.STATEMENT)
        raise SqlError("22012", "division by zero")
    else:
        action = transaction.apply(event, "it")
        if action is Action.SAVEPOINT:
            transaction.define("a")
        elif not transaction.in_block or action in {Action.COMMIT_AND_CHAIN, Action.ROLLBACK_AND_CHAIN}:
            transaction.savepoints.clear()
    transaction.apply(Event.SYNC)


@pytest.mark.parametrize("walk", WALKS, ids=range(len(WALKS)))
def test_walk(walk):
    transaction = Transaction()
    for event, sqlstate, status in walk:
        found = None
        try:
            step(transaction, Event[event])
        except SqlError as error:
            found = error.sqlstate
            transaction.apply(Event.ERROR)
        assert (found, transaction.status.decode()) == (sqlstate, status)


def test_savepoints_hide_each_other():
    transaction = Transaction()
    transaction.start(Modes(), 0)
    outer, inner = transaction.define("a"), transaction.define("a")
    assert transaction.find("a") is inner
    transaction.forget_after(inner, inclusive=True)
    assert transaction.find("a") is outer


def test_what_must_stand_alone():
    transaction = Transaction()
    transaction.prevent_block("VACUUM", alone=True)
    with pytest.raises(SqlError, match="25001: VACUUM cannot run inside a transaction block"):
        transaction.prevent_block("VACUUM", alone=False)
    transaction.apply(Event.BEGIN)
    with pytest.raises(SqlError, match="25001"):
        transaction.prevent_block("VACUUM", alone=True)


def test_what_needs_a_block():
    transaction = Transaction()
    with pytest.raises(SqlError, match="25P01: LOCK TABLE can only be used in transaction blocks"):
        transaction.require_block("LOCK TABLE", alone=True)
    transaction.require_block("LOCK TABLE", alone=False)
    transaction.apply(Event.BEGIN)
    transaction.require_block("LOCK TABLE", alone=True)
