"""Notifications from processes that opened the files beside the server, to those who listen at the server."""

import os

import pytest

from proxy.session import foreign_notifications
from proxy.session.instance import join_instance
from tests.harness.conversation import Conversation, brief


@pytest.fixture
def direct(loop, instance, monkeypatch):
    """A session of another process; that it is another one is pretended."""
    joined = join_instance(instance.cluster.path)
    conversation = Conversation(loop, joined)
    conversation.start()
    own = os.getpid()
    leave = foreign_notifications.leave

    def leave_as_another(connection, queued):
        monkeypatch.setattr(os, "getpid", lambda: own + 1)
        leave(connection, queued)
        monkeypatch.setattr(os, "getpid", lambda: own)

    monkeypatch.setattr(foreign_notifications, "leave", leave_as_another)
    yield conversation
    conversation.disconnect()
    conversation.settle()
    conversation.on_loop(joined.close)


def heard(listener):
    listener.wait_for(lambda: bool(listener.transport.written))
    return [each.payload for each in listener.answers()]


def test_they_come_with_the_commit(session, direct):
    session.query("LISTEN c; CREATE TABLE t (a int)")
    direct.query("BEGIN; INSERT INTO t VALUES (1); NOTIFY c, 'first'; NOTIFY d, 'unheard'; NOTIFY c, 'second'")
    session.query("SELECT 1")
    assert session.answers() == []
    direct.query("COMMIT")
    assert heard(session) == ["first", "second"]
    direct.query("BEGIN; NOTIFY c, 'undone'; ROLLBACK; NOTIFY c, 'alone'")
    assert heard(session) == ["alone"]


def test_they_keep_the_order_of_commits(session, talk, direct):
    other = talk()
    session.query("LISTEN c")
    for number in range(4):
        (direct if number % 2 else other).query(f"NOTIFY c, '{number}'")
    other.query("NOTIFY c, 'last'")
    assert [each.payload for each in session.answers()] == ["0", "1", "2", "3", "last"]


def test_only_what_comes_after_listen(session, direct):
    direct.query("NOTIFY c, 'early'")
    session.query("LISTEN c")
    direct.query("NOTIFY c, 'late'")
    assert heard(session) == ["late"]
    session.query("UNLISTEN *")
    direct.query("NOTIFY c, 'too late'")
    session.query("LISTEN c")
    direct.query("NOTIFY c, 'again'")
    assert heard(session) == ["again"]


def test_old_ones_are_deleted_but_for_the_newest(direct, monkeypatch):
    monkeypatch.setattr(foreign_notifications, "_KEPT", -1.0)
    for number in range(3):
        direct.query(f"NOTIFY c, '{number}'")
    database = direct.connection.session.database
    reader = database.take_reader()
    assert reader.execute('SELECT id, payload FROM "litephant.notification"').fetchall() == [(3, "2")]
    database.give_reader(reader)


def test_a_process_hears_its_own_once(direct, monkeypatch):
    monkeypatch.undo()
    direct.query("LISTEN c")
    assert brief(direct.query("NOTIFY c, 'x'")) == ["NOTIFY", "NotificationResponse", "I"]
    assert brief(direct.query("SELECT pg_sleep(0.15)"))[-2:] == ["SELECT 1", "I"]
    assert direct.answers() == []
