"""Opening sessions, with PostgreSQL's answers (recorded from PostgreSQL 18.4)."""

import pytest

from proxy.session.instance import open_instance
from proxy.wire import authentication, backend, frontend
from proxy.wire.scram import MECHANISM, ClientExchange
from tests.harness.conversation import Conversation, brief

REPORTS = {
    "in_hot_standby": "off",
    "integer_datetimes": "on",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "search_path": '"$user", public',
    "is_superuser": "on",
    "application_name": "",
    "default_transaction_read_only": "off",
    "scram_iterations": "4096",
    "DateStyle": "ISO, MDY",
    "standard_conforming_strings": "on",
    "session_authorization": "postgres",
    "client_encoding": "UTF8",
    "server_version": "18.4",
    "server_encoding": "UTF8",
}


@pytest.fixture
def client(loop, instance):
    conversation = Conversation(loop, instance)
    yield conversation
    if not conversation.ended:
        conversation.disconnect()


def test_messages_and_their_order(client):
    answers = client.start()
    assert isinstance(answers[0], authentication.AuthenticationOk)
    reports = answers[1:-2]
    assert [(each.name, each.value) for each in reports] == list(REPORTS.items())
    key, ready = answers[-2:]
    assert len(key.secret_key) == 4
    assert ready == backend.ReadyForQuery("I")


def test_protocol_3_2(client):
    answers = client.start(frontend.PROTOCOL_3_2)
    assert len(answers[-2].secret_key) == 32


def test_newer_versions_and_options_are_negotiated(client):
    answers = client.start(3 << 16 | 15, **{"_pq_.foo": "1"})
    assert answers[0] == backend.NegotiateProtocolVersion(frontend.PROTOCOL_3_2, ["_pq_.foo"])
    assert answers[-1] == backend.ReadyForQuery("I")


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"user": ""}, "28000", "no PostgreSQL user name specified in startup packet"),
        ({"database": "nodb"}, "3D000", 'database "nodb" does not exist'),
        ({"foo": "bar"}, "42704", 'unrecognized configuration parameter "foo"'),
        ({"DateStyle": "xx"}, "22023", 'invalid value for parameter "DateStyle": "xx"'),
        ({"options": "-c a=1"}, "42704", 'unrecognized configuration parameter "a"'),
        ({"options": "-z"}, "42601", "invalid command-line argument for server process: -z"),
        ({"options": "-c"}, "42601", "invalid command-line argument for server process: -c"),
        ({"replication": "database"}, "0A000", "replication connections are not supported"),
    ],
)
def test_refusals_are_fatal(client, instance, parameters, code, message):
    client.feed(frontend.StartupMessage(frontend.PROTOCOL_3_0, {"user": "postgres", **parameters}).encode())
    [error] = client.answers()
    assert (error.severity, error.code, error.message) == ("FATAL", code, message)
    assert client.transport.closing
    assert not instance.sessions


def test_options_and_settings(client):
    client.start(options="-c work_mem=8MB --geqo=off -c application_name=a\\ b", TimeZone="Europe/Berlin")
    for name, value in (("work_mem", "8MB"), ("geqo", "off"), ("application_name", "a b"), ("timezone", "Europe/Berlin")):
        assert brief(client.query(f"SHOW {name}"))[1] == f"({value})"
    client.query("SET work_mem = '1MB'")
    client.query("RESET work_mem")
    assert brief(client.query("SHOW work_mem"))[1] == "(8MB)"


def test_a_user_without_a_database_gets_the_default_one(client):
    client.feed(frontend.StartupMessage(frontend.PROTOCOL_3_0, {"user": "somebody"}).encode())
    client.answers()
    assert brief(client.query("SELECT current_user, current_database()"))[1] == "(somebody,postgres)"


def test_too_many(client, instance):
    instance.max_connections = 0
    [error] = client.start()
    assert (error.severity, error.code, error.message) == ("FATAL", "53300", "sorry, too many clients already")


@pytest.mark.parametrize(("password", "ok"), [("secret", True), ("wrong", False)])
def test_scram(tmp_path, loop, password, ok):
    instance = open_instance(tmp_path / "locked", "secret")
    client = Conversation(loop, instance)
    [request] = client.start()
    assert isinstance(request, authentication.AuthenticationSASL)
    assert request.mechanisms == [MECHANISM]
    exchange = ClientExchange(password)
    [challenge] = client.send(frontend.SASLInitialResponse(MECHANISM, exchange.first()))
    assert isinstance(challenge, authentication.AuthenticationSASLContinue)
    answers = client.send(frontend.SASLResponse(exchange.respond(challenge.data)))
    if ok:
        assert isinstance(answers[0], authentication.AuthenticationSASLFinal)
        exchange.verify(answers[0].data)
        assert isinstance(answers[1], authentication.AuthenticationOk)
        client.disconnect()
    else:
        [error] = answers
        assert isinstance(error, backend.ErrorResponse)
        assert (error.code, error.message) == ("28P01", 'password authentication failed for user "postgres"')

    async def close() -> None:
        instance.close()

    loop.run_until_complete(close())
