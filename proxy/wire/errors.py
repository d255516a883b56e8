"""What can be wrong with received bytes, in PostgreSQL's words.

PostgreSQL knows two degrees, and so do we:

* the *frame* is wrong (unknown type byte, impossible length, bad startup packet): nobody knows where the next message
  starts, so the connection ends. That is a `ProtocolError`.
* the frame is right and the *body* is not (a string without its end, bytes that are not UTF-8): the next message is
  found all the same, so it is an ordinary ERROR of this one message. That is a `MalformedMessage`.

Both are values that `Protocol.next_message` returns. `DecodeError` is the exception by which a decoder gives up; it
does not leave the package unless a caller decodes a payload by hand.
"""

from dataclasses import dataclass
from enum import Enum

from proxy.wire.backend import ErrorResponse
from proxy.wire.buffer import DecodeError, invalid_utf8

__all__ = ["Answer", "DecodeError", "MalformedMessage", "ProtocolError", "invalid_utf8"]

# SocketBackend in postgres.c sets doing_extended_query_message for these; an error in one of them skips to Sync.
_EXTENDED_QUERY = b"PBDECH"


class Answer(Enum):
    """How a fatal error is told to the peer before the socket is closed."""

    ERROR_RESPONSE = "an ErrorResponse of severity FATAL"
    LEGACY = "the untagged text of protocol 2, for a client that speaks nothing newer"
    NONE = "nothing: PostgreSQL only logs it (level COMMERROR)"


@dataclass(frozen=True, slots=True)
class ProtocolError:
    """The peer broke the protocol; send what `encode` gives, then close."""

    message: str
    sqlstate: str = "08P01"
    detail: str | None = None
    answer: Answer = Answer.ERROR_RESPONSE

    def encode(self) -> bytes:
        if self.answer is Answer.NONE:
            return b""
        if self.answer is Answer.LEGACY:
            return b"EFATAL:  " + self.message.encode() + b"\n\0"
        return ErrorResponse(severity="FATAL", code=self.sqlstate, message=self.message, detail=self.detail).encode()


@dataclass(frozen=True, slots=True)
class MalformedMessage:
    """One message whose body cannot be read. The connection lives on.

    `type` is the message's type byte. A session in COPY or skipping to Sync treats it as it treats a good message of
    that type: in particular a malformed CopyFail outside COPY is ignored, and so is everything while skipping.
    """

    type: bytes
    sqlstate: str
    message: str
    where: str | None = None

    @property
    def skips_to_sync(self) -> bool:
        """Whether the error makes the server discard messages up to Sync; otherwise ReadyForQuery follows at once."""
        return self.type in _EXTENDED_QUERY
