"""One end of a connection as a state machine over bytes, without I/O.

    protocol.receive_data(data)
    while (item := protocol.next_message()) is not None:
        ...                        # a message, a MalformedMessage or, as the last one, a ProtocolError
        protocol.send(answer)
    transport.write(protocol.data_to_send())

Rule 1: no sequence of bytes raises anything. A wrong body is a MalformedMessage, a wrong frame a ProtocolError, after
which `next_message` gives None for ever. `send(error)` queues what PostgreSQL would tell the peer about the latter.
Rule 2: nothing is kept but the one message that is still incomplete, and its length is checked before it is awaited.
Rule 3: which messages may come next follows from those already received and sent: `send(AuthenticationSASL(...))` says
that 'p' is a SASLInitialResponse, `send(AuthenticationOk())` ends the phase of small messages. Nobody sets a phase.

While a server makes up its mind about a startup message or a password, nothing is read; the caller pauses reading from
the socket meanwhile, as it does for any answer that has to wait.

Not judged here, because it depends on the session: whether a message fits the moment (Query during COPY), whether the
startup message names a user, and all that needs a statement, such as the number of parameters.
"""

from dataclasses import replace
from enum import Enum
from struct import Struct
from typing import TYPE_CHECKING, Final, TypeAlias

from proxy.wire import phases
from proxy.wire.authentication import AuthenticationOk
from proxy.wire.backend import EncryptionResponse
from proxy.wire.buffer import UINT32, DecodeError
from proxy.wire.errors import Answer, MalformedMessage, ProtocolError
from proxy.wire.frontend import (
    CANCEL_REQUEST_CODE,
    GSSENC_REQUEST_CODE,
    PROTOCOL_3_0,
    SSL_REQUEST_CODE,
    CancelRequest,
    GSSENCRequest,
    SSLRequest,
    StartupMessage,
)
from proxy.wire.message import Message
from proxy.wire.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

Item: TypeAlias = Message | MalformedMessage | ProtocolError

_read_header: Final = Struct("!Bi").unpack_from
_MAN_IN_THE_MIDDLE: Final = "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."


class Role(Enum):
    SERVER = "server"
    CLIENT = "client"


class Protocol:
    """The server's or the client's end of one connection.

    `max_message_length` bounds the messages that may be large at all: Query, Parse, Bind, FunctionCall, CopyData.
    """

    def __init__(self, role: Role, max_message_length: int = phases.LARGE_MESSAGE_LIMIT) -> None:
        self._role = role
        self._large_limit = max_message_length
        self._phase = phases.SERVER_ESTABLISHED if role is Role.SERVER else phases.CLIENT_ESTABLISHED
        self._established = False
        self._closed = False
        # The state is the method that reads what comes next.
        self._read: Callable[[], Item | None] = self._read_startup_packet if role is Role.SERVER else self._read_nothing
        # Each may be asked for once; after that it is as unknown as any version number (ProcessStartupPacket).
        self._encryption_requests: dict[int, type[Message]] = {
            SSL_REQUEST_CODE: SSLRequest,
            GSSENC_REQUEST_CODE: GSSENCRequest,
        }
        self._encryption = ""
        self._user = ""
        # Received bytes from _offset on are unread. A message that is incomplete moves to _partial, a bytearray, since
        # appending a gigabyte in pieces to bytes would copy it as often as there are pieces.
        self._buffer = b""
        self._offset = 0
        self._partial = bytearray()
        self._awaited = 0
        self._outgoing: list[bytes] = []
        # Queues messages that are encoded already. Not those of the start-up: they begin a phase.
        self.send_bytes: Callable[[bytes], None] = self._outgoing.append

    # Receiving

    def receive_data(self, data: bytes) -> None:
        """Take what the socket gave."""
        if self._partial:
            self._partial += data
            if len(self._partial) < self._awaited:
                return
            self._buffer = bytes(self._partial)
            self._partial.clear()
        elif self._closed:
            return
        elif self._offset == len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._offset :] + data
        self._offset = 0

    @property
    def unread(self) -> int:
        """How many bytes were received and not yet made a message."""
        return len(self._buffer) - self._offset + len(self._partial)

    def next_message(self) -> Item | None:
        """The next message, what is wrong with it, or None if more data is needed."""
        return self._read()

    # Sending

    def send(self, message: Message | ProtocolError) -> None:
        """Queue a message, and note what it allows the peer to send next."""
        self._outgoing.append(message.encode())
        if not self._established:
            self._note_sent(message)

    def data_to_send(self) -> bytes:
        """All that was queued since the last call."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    # The phases

    def _note_sent(self, message: Message | ProtocolError) -> None:
        match message:
            case EncryptionResponse():
                # What came before the answer was not encrypted, and an eavesdropper may have put it there.
                early = self._offset < len(self._buffer)
                self._read = self._reject_early_data if early else self._read_startup_packet
            case SSLRequest() | GSSENCRequest():
                self._read = self._read_encryption_response
            case Message() if (phase := phases.BEGUN_BY_SENDING.get(type(message))) is not None:
                self._begin(phase)

    def _begin(self, phase: Phase) -> None:
        self._phase = phase
        self._established = phase is phases.SERVER_ESTABLISHED or phase is phases.CLIENT_ESTABLISHED
        self._read = self._read_message

    def _note_received(self, message: Message) -> None:
        if self._phase.one_message:
            self._read = self._read_nothing
        elif type(message) is AuthenticationOk:
            self._begin(phases.CLIENT_ESTABLISHED)

    # Reading

    def _read_nothing(self) -> Item | None:
        """Wait: the next move is this end's, or there is none any more."""
        return None

    def _read_message(self) -> Item | None:
        """Read a message with a type byte. This runs for every message of a session."""
        buffer, offset, phase = self._buffer, self._offset, self._phase
        size = len(buffer)
        if size - offset < 5:
            if offset == size:
                return None
            if buffer[offset] not in phase.types:
                return self._close(self._describe(ProtocolError(phase.unexpected), buffer[offset]))
            return self._await(5)
        code, length = _read_header(buffer, offset)
        if length < 10 and (known := phase.known.get(buffer[offset : offset + 1 + length])) is not None:
            self._offset = offset + 1 + length
            return known
        kind = phase.types.get(code)
        if kind is None:
            return self._close(self._describe(ProtocolError(phase.unexpected), code))
        if not 4 <= length <= phase.small_limit and not self._may_be_large(code, length):
            return self._close(self._describe(phase.invalid_length, code, length))
        end = offset + 1 + length
        if end > size:
            return self._await(1 + length)
        self._offset = end
        try:
            message = kind.decode(buffer[offset + 5 : end])
        except DecodeError as error:
            if phase.recoverable:
                return MalformedMessage(kind.TYPE, error.sqlstate, error.message, error.where)
            return self._close(ProtocolError(error.message, error.sqlstate))
        if not self._established:
            self._note_received(message)
        return message

    def _may_be_large(self, code: int, length: int) -> bool:
        return code in self._phase.large_types and 4 <= length <= self._large_limit

    def _describe(self, error: ProtocolError, code: int, length: int = 0) -> ProtocolError:
        message = error.message.format(code=code, letter=chr(code), length=length, user=self._user)
        return replace(error, message=message)

    def _read_startup_packet(self) -> Item | None:
        buffer, offset = self._buffer, self._offset
        if len(buffer) - offset < 4:
            return self._await(4)
        (length,) = UINT32.unpack_from(buffer, offset)
        if not 8 <= length <= phases.STARTUP_PACKET_LIMIT:  # an HTTP request and a TLS hello end here
            return self._close(ProtocolError("invalid length of startup packet", answer=Answer.NONE))
        if len(buffer) - offset < length:
            return self._await(length)
        self._offset = offset + length
        try:
            return self._startup_packet(buffer[offset + 4 : self._offset])
        except DecodeError as error:
            return self._close(ProtocolError(error.message, error.sqlstate))

    def _startup_packet(self, payload: bytes) -> Item:
        (code,) = UINT32.unpack_from(payload)
        if code == CANCEL_REQUEST_CODE:
            return self._cancel_request(payload)
        if (kind := self._encryption_requests.pop(code, None)) is not None:
            self._encryption = "SSL" if kind is SSLRequest else "GSSAPI encryption"
            self._read = self._read_nothing
            return kind.decode(payload)
        if code >> 16 != 3:
            return self._close(_unsupported_version(code))
        message = StartupMessage.decode(payload)
        self._user = message.parameters.get("user", "")
        self._read = self._read_nothing
        return message

    def _cancel_request(self, payload: bytes) -> Item:
        """Nothing follows a cancel request, and nothing answers it, be it good or bad."""
        self._stop()
        try:
            return CancelRequest.decode(payload)
        except DecodeError as error:
            return ProtocolError(error.message, answer=Answer.NONE)

    def _reject_early_data(self) -> Item:
        message = f"received unencrypted data after {self._encryption} request"
        return self._close(ProtocolError(message, detail=_MAN_IN_THE_MIDDLE))

    def _read_encryption_response(self) -> Item | None:
        answer = self._buffer[self._offset : self._offset + 1]
        if not answer:
            return None
        if answer == b"E":  # a server that cannot serve at all sends an error instead
            self._begin(phases.CLIENT_AUTHENTICATING)
            return self._read_message()
        self._offset += 1
        self._read = self._read_nothing
        try:
            response = EncryptionResponse.decode(answer)
        except DecodeError as error:
            return self._close(ProtocolError(error.message))
        if self._offset < len(self._buffer):
            return self._close(ProtocolError("received unencrypted data after encryption response"))
        return response

    # Waiting and ending

    def _await(self, size: int) -> Item | None:
        """Set aside what there is of a message until `size` bytes of it have come."""
        if self._offset < len(self._buffer):
            self._partial += self._buffer[self._offset :]
            self._awaited = size
        self._buffer = b""
        self._offset = 0
        return None

    def _close(self, error: ProtocolError) -> ProtocolError:
        self._stop()
        return error if self._role is Role.SERVER else replace(error, answer=Answer.NONE)

    def _stop(self) -> None:
        self._closed = True
        self._read = self._read_nothing
        self._buffer = b""
        self._offset = 0


def _unsupported_version(code: int) -> ProtocolError:
    """A client of protocol 2 or older gets the answer in a form that it can read (send_message_to_frontend)."""
    message = f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.2"
    answer = Answer.LEGACY if 0 < code < PROTOCOL_3_0 else Answer.ERROR_RESPONSE
    return ProtocolError(message, sqlstate="0A000", answer=answer)
