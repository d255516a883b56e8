"""A writer that idles is ended when somebody waits for it, and only then."""

import logging

import pytest

from proxy.session import idle_writers
from proxy.wire import frontend
from tests.harness.conversation import brief

INSERT = "INSERT INTO t VALUES (1)"


@pytest.fixture
def pair(talk):
    first, second = talk(), talk()
    first.query("CREATE TABLE t (a int)")
    return first, second


def wait(conversation):
    """Insert, which has to wait."""
    conversation.feed(frontend.Query(INSERT).encode())
    conversation.wait_for(lambda: conversation.connection.session.connections.waiting is not None)


def test_an_idle_writer_is_ended(pair):
    first, second = pair
    first.query(f"SET litephant.idle_writer_timeout = '30ms'; BEGIN; {INSERT}")
    wait(second)
    second.settle()
    assert brief(second.answers()) == ["INSERT 0 1", "I"]
    [error] = first.answers()
    assert (error.severity, error.code) == ("FATAL", "25P03")
    assert error.message == "terminating connection due to idle-writer timeout"
    assert brief(second.query("SELECT count(*) FROM t"))[1] == "(1)"


def test_a_writer_that_nobody_waits_for_may_idle(pair):
    first, second = pair
    first.query(f"SET litephant.idle_writer_timeout = '1ms'; BEGIN; {INSERT}")
    second.query("SELECT pg_sleep(0.05)")
    assert brief(first.query("COMMIT")) == ["COMMIT", "I"]


def test_a_busy_writer_is_left_alone(pair):
    first, second = pair
    first.query(f"SET litephant.idle_writer_timeout = '10ms'; BEGIN; {INSERT}")
    first.feed(frontend.Query("SELECT pg_sleep(0.1); COMMIT").encode())
    wait(second)
    second.settle()
    assert brief(second.answers()) == ["INSERT 0 1", "I"]
    first.settle()
    assert brief(first.answers())[-2:] == ["COMMIT", "I"]


def test_a_pipeline_idles_from_its_last_message_on(pair):
    """It has met no ReadyForQuery that its idleness could be counted from."""
    first, second = pair
    pipeline = (frontend.Parse("", INSERT), frontend.Bind("", "", (), []), frontend.Execute("", 0), frontend.Flush())
    first.send(*pipeline)
    wait(second)
    assert brief(first.send(frontend.Sync())) == ["I"]
    second.settle()
    assert brief(second.answers()) == ["INSERT 0 1", "I"]


def test_an_idle_writer_is_logged_once(pair, monkeypatch, caplog):
    first, second = pair
    monkeypatch.setattr(idle_writers, "_LOGGED_AFTER", 0.01)
    first.query(f"SET litephant.idle_writer_timeout = '80ms'; BEGIN; {INSERT}")
    with caplog.at_level(logging.WARNING):
        wait(second)
        second.settle()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is idle in its transaction, and 1 sessions wait for it" in caplog.text
    assert INSERT in caplog.text


def test_no_timeout(pair, monkeypatch, caplog):
    first, second = pair
    monkeypatch.setattr(idle_writers, "_LOGGED_AFTER", 0.01)
    first.query(f"SET litephant.idle_writer_timeout = 0; BEGIN; {INSERT}")
    wait(second)
    second.wait_for(lambda: "is idle" in caplog.text)
    assert brief(first.query("COMMIT")) == ["COMMIT", "I"]
    second.settle()
    assert brief(second.answers()) == ["INSERT 0 1", "I"]
