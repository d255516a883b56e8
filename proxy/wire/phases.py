"""What the peer may send in each phase of a connection, as data.

A phase says which message each type byte stands for, how long a message may be, and what PostgreSQL's server (for what
a client sends) or libpq (for what a server sends) says about anything else. `Protocol` walks from phase to phase.
Startup packets and the one-byte answer to SSLRequest have no type byte; they are read in `Protocol` itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.wire import authentication, backend, frontend
from proxy.wire.errors import Answer, ProtocolError
from proxy.wire.message import Message

# Limits as PostgreSQL has them. A length counts its own four bytes.
LARGE_MESSAGE_LIMIT: Final = 0x3FFFFFFE  # PQ_LARGE_MESSAGE_LIMIT: what palloc can give, less one
SMALL_MESSAGE_LIMIT: Final = 10_000  # PQ_SMALL_MESSAGE_LIMIT
STARTUP_PACKET_LIMIT: Final = 10_004  # MAX_STARTUP_PACKET_LENGTH, which does not count the length, and four
PASSWORD_LIMIT: Final = 65_535  # PG_MAX_AUTH_TOKEN_LENGTH: passwords and GSSAPI tokens
SASL_LIMIT: Final = 1_024  # PG_MAX_SASL_MESSAGE_LENGTH
BACKEND_SMALL_LIMIT: Final = 30_000  # what libpq believes of a message that is never long

_INVALID_LENGTH: Final = ProtocolError("invalid message length", answer=Answer.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`unexpected` and the message of `invalid_length` are formatted with code, letter, length and user."""

    types: Mapping[int, type[Message]]
    unexpected: str
    invalid_length: ProtocolError = _INVALID_LENGTH
    small_limit: int
    large_types: frozenset[int] = field(default=frozenset())  # these alone may be longer
    one_message: bool = False  # after it the word is with this end
    recoverable: bool = False  # a wrong body is an error of the message, not of the connection
    known: Mapping[bytes, Message] = field(default_factory=dict)  # whole messages that come all the time


def _answer_to_request(kind: type[Message], name: str, limit: int) -> Phase:
    return Phase(
        types={kind.TYPE[0]: kind},
        unexpected=f"expected {name} response, got message type {{code}}",
        small_limit=limit,
        one_message=True,
    )


def _sasl(kind: type[Message]) -> Phase:
    """PostgreSQL reports a bad length of a SASL message as a failed login (CheckSASLAuth gives STATUS_EOF)."""
    failed = ProtocolError('password authentication failed for user "{user}"', sqlstate="28P01")
    return replace(_answer_to_request(kind, "SASL", SASL_LIMIT), invalid_length=failed)


PASSWORD: Final = _answer_to_request(frontend.PasswordMessage, "password", PASSWORD_LIMIT)
GSS: Final = _answer_to_request(frontend.GSSResponse, "GSS", PASSWORD_LIMIT)
SASL_INITIAL: Final = _sasl(frontend.SASLInitialResponse)
SASL: Final = _sasl(frontend.SASLResponse)

SERVER_ESTABLISHED: Final = Phase(
    types=frontend.BY_TYPE,
    unexpected="invalid frontend message type {code}",
    small_limit=SMALL_MESSAGE_LIMIT,
    large_types=frozenset(b"QPBFd"),  # SocketBackend in postgres.c
    recoverable=True,
    known={message.encode(): message for message in (frontend.Describe("P", ""), frontend.Execute("", 0), frontend.Sync())},
)

CLIENT_AUTHENTICATING: Final = Phase(
    types=backend.BEFORE_AUTHENTICATION,
    unexpected="expected authentication request from server, but received {letter}",
    invalid_length=ProtocolError("received invalid authentication request"),
    small_limit=BACKEND_SMALL_LIMIT,
)

CLIENT_ESTABLISHED: Final = Phase(
    types=backend.BY_TYPE,
    unexpected='unexpected response from server; first received character was "{letter}"',
    invalid_length=ProtocolError('lost synchronization with server: got message type "{letter}", length {length}'),
    small_limit=BACKEND_SMALL_LIMIT,
    # VALID_LONG_MESSAGE_TYPE in libpq, and ParameterDescription: 65,535 parameters need 262,150 bytes.
    large_types=frozenset(b"TDdVENAt"),
)

# The message that begins a phase. It is always one that this end sends, except that a client is established by what
# it receives.
BEGUN_BY_SENDING: Final[Mapping[type[Message], Phase]] = {
    authentication.AuthenticationCleartextPassword: PASSWORD,
    authentication.AuthenticationMD5Password: PASSWORD,
    authentication.AuthenticationSASL: SASL_INITIAL,
    authentication.AuthenticationSASLContinue: SASL,
    authentication.AuthenticationGSS: GSS,
    authentication.AuthenticationGSSContinue: GSS,
    authentication.AuthenticationSSPI: GSS,
    authentication.AuthenticationOk: SERVER_ESTABLISHED,
    frontend.StartupMessage: CLIENT_AUTHENTICATING,
}
