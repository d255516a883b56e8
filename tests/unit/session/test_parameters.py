"""Run-time parameters: values, texts and errors as PostgreSQL 18 gives them (recorded by hand from a session with it)."""

import pytest

from proxy.session import parameters
from proxy.session.settings import RunTimeParameters
from proxy.session.transaction import Modes, State, Transaction
from translator.errors import SqlError


@pytest.fixture
def session() -> RunTimeParameters:
    return RunTimeParameters(Transaction(), {"TimeZone": "UTC", "client_encoding": "UTF8"})


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("work_mem", "8MB", "8MB"),
        ("work_mem", "100", "100kB"),
        ("work_mem", "8.5MB", "8704kB"),
        ("work_mem", "1GB", "1GB"),
        ("statement_timeout", "1500", "1500ms"),
        ("statement_timeout", "1.5min", "90s"),
        ("statement_timeout", "2d", "2d"),
        ("statement_timeout", "0", "0"),
        ("statement_timeout", "1us", "0"),
        ("enable_seqscan", "1", "on"),
        ("enable_seqscan", "of", "off"),
        ("synchronous_commit", "true", "on"),
        ("seq_page_cost", "1e3", "1000"),
        ("random_page_cost", "1.5", "1.5"),
        ("client_min_messages", "info", "info"),
        ("DATESTYLE", "german", "German, DMY"),
        ("datestyle", "sql,dmy", "SQL, DMY"),
        ("datestyle", "us", "ISO, MDY"),
        ("timezone", "europe/berlin", "Europe/Berlin"),
        ("timezone", "+3", "<+03>-03"),
        ("timezone", "-7.5", "<-07:30>+07:30"),
        ("timezone", "INTERVAL '-08:00'", "<-08>+08"),
        ("client_encoding", "unicode", "UTF8"),
        ("application_name", "aéb", "a\\xc3\\xa9b"),
        ("default_text_search_config", "english", "pg_catalog.english"),
        ("a.b", "x y", "x y"),
        ("search_path", 'a, "B c"', 'a, "B c"'),
    ],
)
def test_set_and_show(session, name, text, shown):
    session.set(name, text)
    assert session.show(name) == shown


@pytest.mark.parametrize(
    ("name", "text", "error", "more"),
    [
        ("work_mem", "x", '22023: invalid value for parameter "work_mem": "x"', None),
        ("work_mem", "1", '22023: 1 kB is outside the valid range for parameter "work_mem" (64 kB .. 2147483647 kB)', None),
        ("work_mem", "8XB", '22023: invalid value for parameter "work_mem": "8XB"', "Valid units for this parameter are"),
        (
            "lock_timeout",
            "2147483648",
            '22023: invalid value for parameter "lock_timeout": "2147483648"',
            "Value exceeds integer range.",
        ),
        ("enable_seqscan", "o", '22023: parameter "enable_seqscan" requires a Boolean value', None),
        ("geqo_seed", "2", '22023: 2 is outside the valid range for parameter "geqo_seed" (0 .. 1)', None),
        ("bytea_output", "xx", '22023: invalid value for parameter "bytea_output": "xx"', "Available values: escape, hex."),
        (
            "datestyle",
            "iso,mdy,dmy",
            '22023: invalid value for parameter "DateStyle": "iso,mdy,dmy"',
            'Conflicting "DateStyle" specifications.',
        ),
        ("datestyle", "xx", '22023: invalid value for parameter "DateStyle": "xx"', 'Unrecognized key word: "xx".'),
        ("timezone", "nosuch", '22023: invalid value for parameter "TimeZone": "nosuch"', None),
        ("search_path", 'a, "B', '22023: invalid value for parameter "search_path": "a, "B"', "List syntax is invalid."),
        ("nosuch", "1", '42704: unrecognized configuration parameter "nosuch"', None),
        ("a.b-c", "1", '42602: invalid configuration parameter name "a.b-c"', "Custom parameter names must be"),
        ("server_version", "1", '55P02: parameter "server_version" cannot be changed', None),
        ("max_connections", "5", '55P02: parameter "max_connections" cannot be changed without restarting the server', None),
        ("fsync", "off", '55P02: parameter "fsync" cannot be changed now', None),
        ("log_connections", "on", '55P02: parameter "log_connections" cannot be set after connection start', None),
        ("role", "nosuch", '22023: role "nosuch" does not exist', None),
        ("standard_conforming_strings", "off", "0A000", None),
        ("client_encoding", "latin1", "0A000: conversion between LATIN1 and UTF8 is not supported", None),
    ],
)
def test_refused(session, name, text, error, more):
    with pytest.raises(SqlError) as raised:
        session.set(name, text)
    assert str(raised.value).startswith(error)
    if more is not None:
        assert more in (raised.value.detail or raised.value.hint)


def test_settings_reach_the_translator(session):
    session.set("search_path", 'A, "B"')
    session.set("timezone", "Asia/Tokyo")
    session.set("datestyle", "sql, dmy")
    settings = session.settings
    assert settings.search_path == ("a", "B")
    assert (settings.timezone_name, settings.date_style, settings.date_order) == ("Asia/Tokyo", "SQL", "DMY")


def zone(session: RunTimeParameters) -> str:
    return session.show("timezone")


def test_rollback_gives_values_back(session):
    session.begin()
    session.set("timezone", "Asia/Tokyo")
    session.abort()
    assert zone(session) == "UTC"


def test_set_stays_after_set_local(session):
    session.begin()
    session.set("timezone", "Asia/Tokyo")
    session.set("timezone", "Europe/Paris", local=True)
    assert zone(session) == "Europe/Paris"
    session.commit()
    assert zone(session) == "Asia/Tokyo"


def test_set_after_set_local_stays(session):
    session.begin()
    session.set("timezone", "Europe/Rome", local=True)
    session.set("timezone", "Europe/Oslo")
    session.commit()
    assert zone(session) == "Europe/Oslo"


def test_savepoints(session):
    session.begin()
    session.savepoint()
    session.set("timezone", "Asia/Tokyo")
    session.rollback_to(1)
    assert zone(session) == "UTC"
    session.set("timezone", "Europe/Rome", local=True)
    session.release(1)
    assert zone(session) == "Europe/Rome"
    session.commit()
    assert zone(session) == "UTC"


def test_a_released_savepoint_goes_with_its_transaction(session):
    session.begin()
    session.savepoint()
    session.set("timezone", "Asia/Tokyo")
    session.release(1)
    session.abort()
    assert zone(session) == "UTC"


def test_reset_returns_to_the_startup_packet(session):
    session.set_at_start("timezone", "Europe/Berlin")
    session.set("timezone", "UTC")
    session.set_default("timezone")
    assert zone(session) == "Europe/Berlin"


def test_custom_parameters_are_empty_after_reset(session):
    session.set("a.b", "1")
    session.set_default("a.b")
    assert session.show("a.b") == ""
    with pytest.raises(SqlError, match="42704"):
        session.show("a.c")


def test_reports_are_made_once(session):
    assert [name for name, _ in session.reports()] == list(parameters.REPORTED)
    assert session.reports() == []
    session.set("timezone", "Asia/Tokyo")
    session.set("work_mem", "8MB")
    assert session.reports() == [("TimeZone", "Asia/Tokyo")]
    session.set("timezone", "UTC")
    session.set("timezone", "Asia/Tokyo")
    assert session.reports() == []


def test_modes_of_the_transaction(session):
    transaction = session._transaction
    assert session.show("transaction_isolation") == "read committed"
    transaction.state = State.IN_BLOCK
    transaction.start(Modes(), 0)
    session.set("transaction_isolation", "serializable")
    assert session.show("transaction_isolation") == "serializable"
    session.set("transaction_read_only", "on")
    transaction.queried = True
    with pytest.raises(SqlError, match="25001: SET TRANSACTION ISOLATION LEVEL must be called before any query"):
        session.set("transaction_isolation", "read committed")
    with pytest.raises(SqlError, match="25001: transaction read-write mode must be set before any query"):
        session.set("transaction_read_only", "off")


def test_every_listed_parameter_shows(session):
    rows = list(session.rows())
    assert len(rows) > 380
    for parameter, value, _, _ in rows:
        assert isinstance(parameter.show(value), str)
        assert isinstance(parameter.setting(value), str)
