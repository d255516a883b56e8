"""The operations on tasks, on litephant and on PostgreSQL."""

from collections.abc import Callable
from typing import Any

import pytest

from clients.postgres.connection import Connection
from clients.postgres.errors import DatabaseError
from clients.tasks import claims, contexts, dependencies, editing, history, listing, migrations
from clients.tasks.errors import ClaimedByAnother, ClaimLost, TaskBlocked, TaskNotFound, TaskRefused, UndoConflict
from clients.tasks.model import Actor, NewTask
from tests.harness.client import Address
from tests.unit.clients.conftest import connect

ME, YOU = Actor("me", "s1"), Actor("you")


def add(connection: Connection, *tasks: NewTask) -> list[str]:
    return [task.id for task in connection.run(editing.add(ME, tasks))]


def state(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that the log covers."""
    tables = ("public.tasks", "public.task_dependencies", "public.context_slices", "astro.tags")
    rows = {table: connection.execute(f"SELECT to_jsonb(t) - 'updated_at' FROM {table} t ORDER BY 1").rows for table in tables}
    return dict(rows)


def test_migrations_run_once(empty: Address) -> None:
    with connect(empty) as one, connect(empty) as two:
        assert one.run(migrations.version()) == 0
        assert one.run(migrations.migrate()) == ["0001_astrotask", "0002_claims"]
        assert two.run(migrations.migrate()) == []
        assert two.run(migrations.version()) == migrations.LATEST


def test_a_newer_database_is_refused(tasks: Connection) -> None:
    tasks.execute("INSERT INTO astro.migrations VALUES (999, 'future')")
    with pytest.raises(TaskRefused, match="schema version 999"):
        tasks.run(migrations.migrate())


def test_add_gives_ids_in_sequence(tasks: Connection) -> None:
    first = NewTask("New  feature\n", description="text", priority=80, tags=("ui", "ui", "api"))
    assert add(tasks, first, NewTask("Second", parent=0, depends_on=(0,))) == ["TASK-1", "TASK-2"]
    [third] = tasks.run(editing.add(ME, [NewTask("Bug", parent="task-1")], prefix="BUG"))
    assert (third.id, third.parent_id) == ("BUG-1", "TASK-1")
    task = tasks.run(listing.get("TASK-1"))
    assert (task.title, task.tags, task.priority_score, task.parent_id) == ("New feature", ["api", "ui"], 80.0, None)
    assert tasks.run(listing.get("TASK-2")).blocked_by == ["TASK-1"]


def test_an_id_that_is_taken_is_passed_over(tasks: Connection) -> None:
    assert add(tasks, NewTask("imported", id="TASK-1"), NewTask("next")) == ["TASK-1", "TASK-2"]


@pytest.mark.parametrize(
    "wrong", [NewTask("  "), NewTask("x", status="weird"), NewTask("x", parent=3), NewTask("x", parent="NO")]
)
def test_nothing_is_added_when_one_is_wrong(tasks: Connection, wrong: NewTask) -> None:
    with pytest.raises((TaskRefused, TaskNotFound)):
        add(tasks, NewTask("good"), wrong)
    assert tasks.run(listing.list_tasks()) == []
    assert tasks.run(history.last()) == 0


def test_a_missing_task_names_those_that_are_like_it(tasks: Connection) -> None:
    add(tasks, NewTask("one"), NewTask("two"))
    with pytest.raises(TaskNotFound) as found:
        tasks.run(listing.get("TASK1"))
    assert found.value.similar == ["TASK-2", "TASK-1"] or found.value.similar == ["TASK-1", "TASK-2"]


def test_update_sets_fields_and_tags(tasks: Connection) -> None:
    add(tasks, NewTask("one", tags=("old",)), NewTask("two"))
    changes = {"title": "ONE", "description": "more", "priority_score": 12.5, "parent_id": "TASK-2"}
    task = tasks.run(editing.update(ME, "TASK-1", changes, add_tags=["new"], remove_tags=["old"]))
    assert (task.title, task.description, task.priority_score, task.parent_id) == ("ONE", "more", 12.5, "TASK-2")
    assert task.tags == ["new"]
    with pytest.raises(TaskRefused, match="below"):
        tasks.run(editing.update(ME, "TASK-2", {"parent_id": "TASK-1"}))
    with pytest.raises(TaskRefused, match="no color"):
        tasks.run(editing.update(ME, "TASK-2", {"color": "red"}))


def test_nobody_finishes_what_waits_or_has_open_tasks_below(tasks: Connection) -> None:
    add(tasks, NewTask("first"), NewTask("second", depends_on=(0,)), NewTask("child", parent=0))
    with pytest.raises(TaskBlocked, match="TASK-2 waits for TASK-1"):
        tasks.run(editing.set_status(ME, ["TASK-2"], "in-progress"))
    with pytest.raises(TaskBlocked, match="TASK-1 has tasks below it: TASK-3"):
        tasks.run(editing.set_status(ME, ["TASK-1"], "done"))
    done = tasks.run(editing.set_status(ME, ["TASK-1"], "done", cascade=True))
    assert {task.id: task.status for task in done} == {"TASK-1": "done", "TASK-3": "done"}
    assert [task.id for task in tasks.run(listing.ready())] == ["TASK-2"]


def test_ready_holds_back_what_is_below_what_waits(tasks: Connection) -> None:
    add(
        tasks, NewTask("first"), NewTask("second", depends_on=(0,)), NewTask("child", parent=1), NewTask("grandchild", parent=2)
    )
    assert [task.id for task in tasks.run(listing.ready())] == ["TASK-1"]
    tasks.run(editing.set_status(ME, ["TASK-1"], "done"))
    assert [task.id for task in tasks.run(listing.ready())] == ["TASK-4"]
    tasks.run(editing.set_status(ME, ["TASK-2"], "blocked"))
    assert tasks.run(listing.ready()) == []


def test_dependencies_make_no_cycle(tasks: Connection) -> None:
    add(tasks, NewTask("a"), NewTask("b"), NewTask("c"))
    tasks.run(dependencies.add(ME, "TASK-1", ["TASK-2"]))
    tasks.run(dependencies.add(ME, "TASK-2", ["TASK-3"]))
    with pytest.raises(TaskRefused, match="for ever"):
        tasks.run(dependencies.add(ME, "TASK-3", ["TASK-1"]))
    assert tasks.run(dependencies.cycles()) == []
    tasks.execute("INSERT INTO task_dependencies VALUES ('x', 'TASK-3', 'TASK-1')")
    assert tasks.run(dependencies.cycles()) == [["TASK-1", "TASK-2", "TASK-3"]]
    tasks.run(dependencies.remove(ME, "TASK-3", ["TASK-1"]))
    assert len(tasks.run(dependencies.every())) == 2


def test_a_claim_holds_until_its_lease_ends(tasks: Connection) -> None:
    add(tasks, NewTask("one", priority=90), NewTask("two"))
    claim = tasks.run(claims.claim_next(ME, lease=60))
    assert claim is not None
    assert (claim.id, claim.token, tasks.run(listing.get("TASK-1")).status) == ("TASK-1", 1, "in-progress")
    with pytest.raises(ClaimedByAnother, match="TASK-1 is claimed by me"):
        tasks.run(claims.claim(YOU, "TASK-1"))
    with pytest.raises(ClaimedByAnother):
        tasks.run(editing.set_status(YOU, ["TASK-1"], "done"))
    tasks.run(claims.heartbeat("TASK-1", 1, lease=-1))
    again = tasks.run(claims.claim_next(YOU))
    assert again is not None
    assert (again.id, again.token) == ("TASK-1", 2)
    with pytest.raises(ClaimLost):
        tasks.run(claims.heartbeat("TASK-1", 1))
    with pytest.raises(ClaimLost):
        tasks.run(editing.set_status(YOU, ["TASK-1"], "done", token=1))
    tasks.run(editing.set_status(YOU, ["TASK-1"], "done", token=2))
    with pytest.raises(ClaimLost):
        tasks.run(claims.release("TASK-1", 2))


def test_a_released_task_is_ready_again(tasks: Connection) -> None:
    add(tasks, NewTask("one"))
    claim = tasks.run(claims.claim(ME, "TASK-1"))
    assert tasks.run(claims.claim_next(YOU)) is None
    tasks.run(claims.release("TASK-1", claim.token))
    assert [task.id for task in tasks.run(listing.ready())] == ["TASK-1"]


def test_what_cannot_be_claimed_says_why(tasks: Connection) -> None:
    add(tasks, NewTask("one"), NewTask("two", depends_on=(0,)), NewTask("three", parent=1))
    with pytest.raises(TaskBlocked, match="TASK-2 waits for TASK-1"):
        tasks.run(claims.claim(ME, "TASK-2"))
    with pytest.raises(TaskBlocked, match="TASK-3 waits for TASK-2"):
        tasks.run(claims.claim(ME, "TASK-3"))
    tasks.run(editing.set_status(ME, ["TASK-1"], "done"))
    with pytest.raises(TaskRefused, match="TASK-1 is done"):
        tasks.run(claims.claim(ME, "TASK-1"))


def test_search_looks_everywhere(tasks: Connection) -> None:
    add(tasks, NewTask("50% faster", description="the Parser"), NewTask("other", tags=("parser",)), NewTask("third"))
    tasks.run(contexts.add(ME, "TASK-3", "About the parser", "long text"))
    assert {task.id for task in tasks.run(listing.search("PARSER"))} == {"TASK-1", "TASK-2", "TASK-3"}
    assert [task.id for task in tasks.run(listing.search("50% parser"))] == ["TASK-1"]
    assert tasks.run(listing.search("50_")) == []


def test_every_operation_can_be_undone(tasks: Connection) -> None:
    add(tasks, NewTask("one", tags=("t",)), NewTask("two", parent=0, depends_on=()), NewTask("three", depends_on=(1,)))
    operations: list[Callable[[], Any]] = [
        lambda: editing.add(ME, [NewTask("four", tags=("x",), depends_on=("TASK-1",))]),
        lambda: editing.update(ME, "TASK-1", {"title": "ONE", "priority_score": 1.5}, add_tags=["n"], remove_tags=["t"]),
        lambda: editing.set_status(ME, ["TASK-1"], "done", cascade=True),
        lambda: editing.delete(ME, ["TASK-1"], cascade=True),
        lambda: dependencies.add(ME, "TASK-1", ["TASK-3"]),
        lambda: dependencies.remove(ME, "TASK-3", ["TASK-2"]),
        lambda: contexts.add(ME, "TASK-1", "note"),
        lambda: claims.claim(ME, "TASK-2"),
    ]
    for operation in operations:
        before = state(tasks)
        tasks.run(operation())
        assert state(tasks) != before
        tasks.run(history.undo(YOU))
        assert state(tasks) == before


def test_undo_refuses_what_was_changed_since(tasks: Connection) -> None:
    add(tasks, NewTask("one"))
    tasks.run(editing.update(ME, "TASK-1", {"title": "mine"}))
    tasks.execute("UPDATE tasks SET title = 'theirs' WHERE id = 'TASK-1'")
    with pytest.raises(UndoConflict):
        tasks.run(history.undo(ME))
    assert tasks.run(listing.get("TASK-1")).title == "theirs"


def test_the_log_says_who_did_what(tasks: Connection) -> None:
    add(tasks, NewTask("one"))
    tasks.run(editing.update(YOU, "TASK-1", {"title": "two"}))
    tasks.run(editing.update(YOU, "TASK-1", {"title": "two"}))
    newest, oldest = tasks.run(history.log(task_id="TASK-1"))
    assert (oldest.agent, oldest.session, oldest.operation) == ("me", "s1", "add")
    assert (newest.agent, newest.fields) == ("you", {"title": ("one", "two")})
    assert [change.id for change in tasks.run(history.since(1))] == [2]
    assert tasks.run(history.log(agent="you", seconds=60)) == [newest]
    with pytest.raises(TaskRefused):
        tasks.run(history.undo(ME, batch=7))


def test_listeners_hear_of_changes(empty: Address) -> None:
    with connect(empty) as watcher, connect(empty) as writer:
        writer.run(migrations.migrate())
        watcher.execute("LISTEN astro")
        add(writer, NewTask("one"))
        writer.run(claims.claim_next(ME))
        heard = watcher.notifications(timeout=10)
        assert [next(heard), next(heard)] == [("astro", "1"), ("astro", "2")]


def test_an_error_inside_rolls_back(tasks: Connection) -> None:
    add(tasks, NewTask("one"))
    with pytest.raises(DatabaseError, match="duplicate key"):
        tasks.run(editing.add(ME, [NewTask("two"), NewTask("again", id="TASK-1")]))
    assert [task.id for task in tasks.run(listing.list_tasks())] == ["TASK-1"]
    assert tasks.conversation.status == "I"
