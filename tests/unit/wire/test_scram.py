"""SCRAM-SHA-256: the vectors of RFC 7677, both of our sides against each other, and what PostgreSQL 18 says to bad input."""

from __future__ import annotations

import base64

import pytest

from proxy.wire.scram import ClientExchange, ScramError, ServerExchange, Verifier, prepare_password

# RFC 7677, section 3
NONCE = b"rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

VERIFIER = Verifier.build("pencil", SALT)
NO_PROOF = b"p=" + base64.b64encode(bytes(32))


def error_of(exchange: ServerExchange, *messages: bytes) -> tuple[str, str | None, str]:
    with pytest.raises(ScramError) as caught:
        for message, receive in zip(messages, (exchange.begin, exchange.finish), strict=False):
            receive(message)
    return caught.value.message, caught.value.detail, caught.value.sqlstate


def test_the_vectors_of_the_rfc() -> None:
    client = ClientExchange("pencil", "user", NONCE)
    server = ServerExchange(VERIFIER, SERVER_NONCE)
    assert client.first() == CLIENT_FIRST
    assert server.begin(CLIENT_FIRST) == SERVER_FIRST
    assert client.respond(SERVER_FIRST) == CLIENT_FINAL
    assert server.finish(CLIENT_FINAL) == SERVER_FINAL
    client.verify(SERVER_FINAL)


@pytest.mark.parametrize("password", ["pencil", "", "pässword", "\u2168\u00ad", "\udcff", "\u0627\u0031"])
def test_both_sides_agree_on_a_password(password: str) -> None:
    client = ClientExchange(password)
    server = ServerExchange(Verifier.build(password, iterations=10))
    final = server.finish(client.respond(server.begin(client.first())))
    assert final is not None
    client.verify(final)


def test_a_wrong_password() -> None:
    client = ClientExchange("wrong")
    server = ServerExchange(VERIFIER)
    assert server.finish(client.respond(server.begin(client.first()))) is None


def test_a_verifier_as_text() -> None:
    text = str(VERIFIER)
    assert text == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert Verifier.parse(text) == VERIFIER
    assert Verifier.build("pencil") != Verifier.build("pencil")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pencil",
        "md5904192996559b40c32046faef1f00988",
        str(VERIFIER).replace("4096", "x"),
        str(VERIFIER).replace("4096", "\u0664"),
        str(VERIFIER).replace("W22Z", "!"),
        str(VERIFIER) + ":",
        "SCRAM-SHA-256$1:YQ==$YQ==:YQ==",
    ],
)
def test_what_is_no_verifier(text: str) -> None:
    assert Verifier.parse(text) is None


MALFORMED_FIRST = [
    (b"", "The message is empty."),
    (b"n,,n=,r=ab\0c", "Message length does not match input length."),
    (b"x", "Unexpected channel-binding flag \"'x'\"."),
    (b"\x01", 'Unexpected channel-binding flag "0x01".'),
    (b"n", 'Comma expected, but found character "0x00".'),
    (b"y", 'Comma expected, but found character "0x00".'),
    (b"nn", "Comma expected, but found character \"'n'\"."),
    (b"n,x,n=,r=abc", "Unexpected attribute \"'x'\" in client-first-message."),
    (b"n,,", 'Expected attribute "n" but found "0x00".'),
    (b"n,,n=", 'Expected attribute "r" but found "0x00".'),
    (b"n,,r=abc", 'Expected attribute "n" but found "\'r\'".'),
    (b"n,,n,r=abc", 'Expected character "=" for attribute "n".'),
    (b"n,,n=a,b=abc", 'Expected attribute "r" but found "\'b\'".'),
    (b"n,,n=,r=abc,1=x", "Attribute expected, but found invalid character \"'1'\"."),
    (b"n,,n=,r=abc,xy=1", 'Expected character "=" for attribute "x".'),
    (
        b"p=tls-server-end-point,,n=,r=abc",
        "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
    ),
]


@pytest.mark.parametrize(("message", "detail"), MALFORMED_FIRST)
def test_a_malformed_first_message(message: bytes, detail: str) -> None:
    assert error_of(ServerExchange(VERIFIER), message) == ("malformed SCRAM message", detail, "08P01")


@pytest.mark.parametrize(
    ("message", "text", "sqlstate"),
    [
        (b"n,a=foo,n=,r=abc", "client uses authorization identity, but it is not supported", "0A000"),
        (b"n,,m=ext,n=,r=abc", "client requires an unsupported SCRAM extension", "0A000"),
        (b"n,,n=,r=a b", "non-printable characters in SCRAM nonce", "08P01"),
        (b"n,,n=,r=a\x7fb", "non-printable characters in SCRAM nonce", "08P01"),
    ],
)
def test_a_first_message_that_asks_too_much(message: bytes, text: str, sqlstate: str) -> None:
    assert error_of(ServerExchange(VERIFIER), message) == (text, None, sqlstate)


@pytest.mark.parametrize("message", [b"y,,n=,r=abc", b"n,,n=,r=", b"n,,n=,r=abc,x=y", b"n,,n=,r=abc,", b"n,,n=\xff,r=abc"])
def test_a_first_message_that_is_good_enough(message: bytes) -> None:
    assert ServerExchange(VERIFIER, b"NONCE").begin(message).endswith(b"NONCE,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")


@pytest.mark.parametrize(
    ("message", "text", "detail"),
    [
        (b"", "malformed SCRAM message", "The message is empty."),
        (b"c=biws,r=abcN\0," + NO_PROOF, "malformed SCRAM message", "Message length does not match input length."),
        (b"r=abcN," + NO_PROOF, "malformed SCRAM message", 'Expected attribute "c" but found "\'r\'".'),
        (b"c=biws," + NO_PROOF, "malformed SCRAM message", 'Expected attribute "r" but found "\'p\'".'),
        (b"c=biws,r=abcN", "malformed SCRAM message", "Attribute expected, but found end of string."),
        (
            b"c=biws,r=abcN,1=2," + NO_PROOF,
            "malformed SCRAM message",
            "Attribute expected, but found invalid character \"'1'\".",
        ),
        (b"c=biws,r=abcN,p=YQ==", "malformed SCRAM message", "Malformed proof in client-final-message."),
        (b"c=biws,r=abcN,p=!!!", "malformed SCRAM message", "Malformed proof in client-final-message."),
        (
            b"c=biws,r=abcN," + NO_PROOF + b",x=a",
            "malformed SCRAM message",
            "Garbage found at the end of client-final-message.",
        ),
        (b"c=biws,r=abcNx," + NO_PROOF, "invalid SCRAM response", "Nonce does not match."),
        (b"c=biws,r=abc," + NO_PROOF, "invalid SCRAM response", "Nonce does not match."),
        (b"c=eSws,r=abcN," + NO_PROOF, "unexpected SCRAM channel-binding attribute in client-final-message", None),
    ],
)
def test_a_bad_final_message(message: bytes, text: str, detail: str | None) -> None:
    assert error_of(ServerExchange(VERIFIER, b"N"), b"n,,n=,r=abc", message) == (text, detail, "08P01")


def test_a_wrong_proof_is_no_error() -> None:
    server = ServerExchange(VERIFIER, b"N")
    server.begin(b"n,,n=,r=abc")
    assert server.finish(b"c=biws,r=abcN,x=extension," + NO_PROOF) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"r=other,s=YQ==,i=1", "invalid SCRAM response"),
        (b"r=abcN,s=!,i=1", "malformed SCRAM message"),
        (b"r=abcN,s=YQ==,i=x", "malformed SCRAM message"),
        (b"r=abcN,s=YQ==,i=0", "malformed SCRAM message"),
        (b"r=abcN,s=YQ==,i=99999999999", "malformed SCRAM message"),
        (b"s=YQ==", "malformed SCRAM message"),
    ],
)
def test_a_client_refuses_a_bad_challenge(message: bytes, text: str) -> None:
    with pytest.raises(ScramError, match=text):
        ClientExchange("x", nonce=b"abc").respond(message)


def test_a_client_checks_the_server() -> None:
    client = ClientExchange("pencil", "user", NONCE)
    client.respond(SERVER_FIRST)
    for message in (b"v=" + base64.b64encode(bytes(32)), b"v=!", b"v="):
        with pytest.raises(ScramError, match="incorrect server signature"):
            client.verify(message)
    with pytest.raises(ScramError, match="error received from server in SCRAM exchange: other-error"):
        client.verify(b"e=other-error")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("pencil\x07", b"pencil\x07"),  # ASCII is left alone, as pg_saslprep does
        ("I\u00adX", b"IX"),  # RFC 4013, section 3, examples 1, 4 and 5
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        ("a\u00a0\u00e9", "a é".encode()),
        ("\u0627\u0031", "\u0627\u0031".encode()),  # prohibited: text from right to left has to end as it begins
        ("\u0627\u0061\u0627", "\u0627\u0061\u0627".encode()),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628".encode()),
        ("\u2060\u00e9\ue000", "\u2060\u00e9\ue000".encode()),  # private use is prohibited, so nothing is mapped either
        ("\u00ad", "\u00ad".encode()),  # nothing is left
        ("\udcff", b"\xff"),
    ],
)
def test_saslprep(password: str, prepared: bytes) -> None:
    assert prepare_password(password) == prepared
