"""The authentication requests of a server: one type byte 'R', told apart by the Int32 that follows.

Not here, because PostgreSQL 18 never sends them: the requests of Kerberos V4, crypt and SCM credentials.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Self

from proxy.wire.buffer import UINT32, DecodeError, Reader, cstring, frame
from proxy.wire.message import Message


class AuthenticationRequest(Message):
    """A request without data; `decode` gives the subclass that the code names."""

    __slots__ = ()
    TYPE: ClassVar[bytes] = b"R"
    CODE: ClassVar[int]

    @classmethod
    def decode(cls, payload: bytes) -> "AuthenticationRequest":
        code = Reader(payload).uint32()
        if (kind := _BY_CODE.get(code)) is None:
            raise DecodeError(f"authentication method {code} not supported")
        return kind.decode_data(payload[4:])

    @classmethod
    def decode_data(cls, data: bytes) -> Self:
        Reader(data).end()
        return cls()

    def encode(self) -> bytes:
        return frame(self.TYPE, UINT32.pack(self.CODE) + self.encode_data())

    def encode_data(self) -> bytes:
        return b""


@dataclass(slots=True)
class AuthenticationOk(AuthenticationRequest):
    CODE: ClassVar[int] = 0


@dataclass(slots=True)
class AuthenticationKerberosV5(AuthenticationRequest):
    CODE: ClassVar[int] = 2


@dataclass(slots=True)
class AuthenticationCleartextPassword(AuthenticationRequest):
    CODE: ClassVar[int] = 3


@dataclass(slots=True)
class AuthenticationMD5Password(AuthenticationRequest):
    CODE: ClassVar[int] = 5
    salt: bytes

    @classmethod
    def decode_data(cls, data: bytes) -> Self:
        reader = Reader(data)
        salt = reader.take(4)
        reader.end()
        return cls(salt)

    def encode_data(self) -> bytes:
        return self.salt


@dataclass(slots=True)
class AuthenticationGSS(AuthenticationRequest):
    CODE: ClassVar[int] = 7


@dataclass(slots=True)
class AuthenticationSSPI(AuthenticationRequest):
    CODE: ClassVar[int] = 9


@dataclass(slots=True)
class AuthenticationSASL(AuthenticationRequest):
    """The mechanisms that the server accepts, the preferred one first."""

    CODE: ClassVar[int] = 10
    mechanisms: list[str]

    @classmethod
    def decode_data(cls, data: bytes) -> Self:
        reader = Reader(data)
        mechanisms = []
        while mechanism := reader.cstring():
            mechanisms.append(mechanism)
        reader.end()
        return cls(mechanisms)

    def encode_data(self) -> bytes:
        return b"".join(map(cstring, self.mechanisms)) + b"\0"


@dataclass(slots=True)
class _AuthenticationData(AuthenticationRequest):
    """A step of an exchange whose form is the mechanism's own."""

    data: bytes

    @classmethod
    def decode_data(cls, data: bytes) -> Self:
        return cls(data)

    def encode_data(self) -> bytes:
        return self.data


class AuthenticationGSSContinue(_AuthenticationData):
    __slots__ = ()
    CODE: ClassVar[int] = 8


class AuthenticationSASLContinue(_AuthenticationData):
    __slots__ = ()
    CODE: ClassVar[int] = 11


class AuthenticationSASLFinal(_AuthenticationData):
    __slots__ = ()
    CODE: ClassVar[int] = 12


_BY_CODE: Final[dict[int, type[AuthenticationRequest]]] = {
    kind.CODE: kind
    for kind in (
        *(AuthenticationOk, AuthenticationKerberosV5, AuthenticationCleartextPassword, AuthenticationMD5Password),
        *(AuthenticationGSS, AuthenticationGSSContinue, AuthenticationSSPI),
        *(AuthenticationSASL, AuthenticationSASLContinue, AuthenticationSASLFinal),
    )
}
