"""SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's and the client's side, as PostgreSQL speaks it.

    server: ServerExchange(verifier).begin(client_first) -> server_first, .finish(client_final) -> server_final or None
    client: ClientExchange(password).first(), .respond(server_first), .verify(server_final)

An exchange is a plain object that takes and gives bytes; who carries them is not known here. What auth-scram.c refuses
is a `ScramError` with its text. A wrong password is no such error: `finish` gives None, and the caller answers 28P01.

Left out: channel binding (SCRAM-SHA-256-PLUS), which needs TLS. The user name inside the exchange is ignored, as
PostgreSQL does: the one of the startup message counts.
"""

import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata
from dataclasses import dataclass
from typing import Final, Self

MECHANISM: Final = "SCRAM-SHA-256"
DEFAULT_ITERATIONS: Final = 4096  # scram_iterations
_KEY_LENGTH: Final = 32
_SALT_LENGTH: Final = 16  # SCRAM_DEFAULT_SALT_LEN
_NONCE_LENGTH: Final = 18  # SCRAM_RAW_NONCE_LEN; 24 characters in base64
_GS2_HEADER: Final = b"n,,"


class ScramError(Exception):
    """The other side broke the rules of the exchange."""

    def __init__(self, message: str, detail: str | None = None, sqlstate: str = "08P01") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.sqlstate = sqlstate


def _malformed(detail: str) -> ScramError:
    return ScramError("malformed SCRAM message", detail)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server stores instead of a password: rolpassword of pg_authid. It proves a password, and is none."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def build(cls, password: str, salt: bytes | None = None, iterations: int = DEFAULT_ITERATIONS) -> Self:
        """Derive the keys. That is meant to be slow: some milliseconds."""
        salt = os.urandom(_SALT_LENGTH) if salt is None else salt
        salted = _salted_password(password, salt, iterations)
        return cls(iterations, salt, _hash(_hmac(salted, b"Client Key")), _hmac(salted, b"Server Key"))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read PostgreSQL's form, SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey; None if it is something else."""
        mechanism, *parts = text.replace(":", "$").split("$")
        if mechanism != MECHANISM or len(parts) != 4 or not (parts[0].isascii() and parts[0].isdigit()):
            return None
        salt, stored_key, server_key = (_decode(part.encode()) for part in parts[1:])
        if salt is None or stored_key is None or server_key is None:
            return None
        if len(stored_key) != _KEY_LENGTH or len(server_key) != _KEY_LENGTH:
            return None
        return cls(int(parts[0]), salt, stored_key, server_key)

    def __str__(self) -> str:
        salt, stored_key, server_key = (_encode(part).decode() for part in (self.salt, self.stored_key, self.server_key))
        return f"{MECHANISM}${self.iterations}:{salt}${stored_key}:{server_key}"


class ServerExchange:
    """The server's side of one login."""

    __slots__ = ("_bare", "_binding", "_nonce", "_server_first", "_verifier")

    def __init__(self, verifier: Verifier, nonce: bytes | None = None) -> None:
        self._verifier = verifier
        self._nonce = _new_nonce() if nonce is None else nonce
        self._binding = b""
        self._bare = b""
        self._server_first = b""

    def begin(self, client_first: bytes) -> bytes:
        """Answer client-first-message with server-first-message."""
        attributes = _Attributes(client_first)
        self._binding = _encode(_read_gs2_header(attributes))
        self._bare = attributes.rest()
        if attributes.peek() == "m":
            raise ScramError("client requires an unsupported SCRAM extension", sqlstate="0A000")
        attributes.read("n")
        client_nonce = attributes.read("r")
        if not all(0x21 <= byte <= 0x7E for byte in client_nonce):
            raise ScramError("non-printable characters in SCRAM nonce")
        while attributes.rest():
            attributes.read_any()
        self._nonce = client_nonce + self._nonce
        verifier = self._verifier
        self._server_first = b"r=%b,s=%b,i=%d" % (self._nonce, _encode(verifier.salt), verifier.iterations)
        return self._server_first

    def finish(self, client_final: bytes) -> bytes | None:
        """Answer client-final-message with server-final-message, or with None if the proof is wrong."""
        attributes = _Attributes(client_final)
        if attributes.read("c") != self._binding:
            raise ScramError("unexpected SCRAM channel-binding attribute in client-final-message")
        nonce = attributes.read("r")
        name = ""
        while name != "p":
            without_proof = client_final[: len(client_final) - len(attributes.rest()) - 1]
            name, text = attributes.read_any()
        proof = _decode(text)
        if proof is None or len(proof) != _KEY_LENGTH:
            raise _malformed("Malformed proof in client-final-message.")
        if attributes.rest():
            raise _malformed("Garbage found at the end of client-final-message.")
        if not hmac.compare_digest(nonce, self._nonce):
            raise ScramError("invalid SCRAM response", "Nonce does not match.")
        signed = b",".join((self._bare, self._server_first, without_proof))
        client_key = _xor(proof, _hmac(self._verifier.stored_key, signed))
        if not hmac.compare_digest(_hash(client_key), self._verifier.stored_key):
            return None
        return b"v=" + _encode(_hmac(self._verifier.server_key, signed))


class ClientExchange:
    """The client's side of one login. PostgreSQL takes the user from the startup message, so it may be empty here."""

    __slots__ = ("_bare", "_nonce", "_password", "_server_signature")

    def __init__(self, password: str, user: str = "", nonce: bytes | None = None) -> None:
        self._password = password
        self._nonce = _new_nonce() if nonce is None else nonce
        self._bare = b"n=%b,r=%b" % (user.replace("=", "=3D").replace(",", "=2C").encode(), self._nonce)
        self._server_signature = b""

    def first(self) -> bytes:
        return _GS2_HEADER + self._bare

    def respond(self, server_first: bytes) -> bytes:
        """Answer server-first-message with client-final-message."""
        attributes = _Attributes(server_first)
        nonce = attributes.read("r")
        salt = _decode(attributes.read("s"))
        iterations = attributes.read("i")
        if not nonce.startswith(self._nonce):
            raise ScramError("invalid SCRAM response", "Nonce does not match.")
        if not salt or not iterations.isdigit() or not 0 < int(iterations[:10]) < 2**31:
            raise _malformed("Invalid salt or iteration count in server-first-message.")
        salted = _salted_password(self._password, salt, int(iterations[:10]))
        final = b"c=%b,r=%b" % (_encode(_GS2_HEADER), nonce)
        signed = b",".join((self._bare, server_first, final))
        client_key = _hmac(salted, b"Client Key")
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), signed)
        return final + b",p=" + _encode(_xor(client_key, _hmac(_hash(client_key), signed)))

    def verify(self, server_final: bytes) -> None:
        """Check that the server knows the password too."""
        attributes = _Attributes(server_final)
        if attributes.peek() == "e":
            reason = attributes.read("e").decode("utf-8", "replace")
            raise ScramError(f"error received from server in SCRAM exchange: {reason}", sqlstate="28P01")
        if not hmac.compare_digest(_decode(attributes.read("v")) or b"", self._server_signature):
            raise ScramError("incorrect server signature", sqlstate="28P01")


def prepare_password(password: str) -> bytes:
    """SASLprep (RFC 4013). What it prohibits, PostgreSQL takes as it is (pg_saslprep), and so do we."""
    raw = password.encode("utf-8", "surrogateescape")
    if password.isascii():
        return raw
    mapped = "".join(" " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char))
    prepared = unicodedata.normalize("NFKC", mapped)
    return prepared.encode() if prepared and _is_allowed(prepared) else raw


_PROHIBITED: Final = (
    *(stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4),
    *(stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8),
    *(stringprep.in_table_c9, stringprep.in_table_a1),
)


def _is_allowed(text: str) -> bool:
    if any(prohibited(char) for char in text for prohibited in _PROHIBITED):
        return False
    right_to_left = [stringprep.in_table_d1(char) for char in text]
    if not any(right_to_left):
        return True
    return right_to_left[0] and right_to_left[-1] and not any(map(stringprep.in_table_d2, text))


def _read_gs2_header(attributes: "_Attributes") -> bytes:
    """The header before client-first-message-bare: whether the client could bind to a TLS channel; no authzid."""
    flag = attributes.peek()
    if flag == "p":
        raise _malformed(
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data."
        )
    if flag not in ("n", "y"):
        raise _malformed(f'Unexpected channel-binding flag "{_shown(flag)}".')
    attributes.skip()
    if (comma := attributes.peek()) != ",":
        raise _malformed(f'Comma expected, but found character "{_shown(comma)}".')
    attributes.skip()
    if (identity := attributes.peek()) == "a":
        raise ScramError("client uses authorization identity, but it is not supported", sqlstate="0A000")
    if identity != ",":
        raise _malformed(f'Unexpected attribute "{_shown(identity)}" in client-first-message.')
    attributes.skip()
    return f"{flag},,".encode()


class _Attributes:
    """A message of the exchange, read from left to right: `a=value,b=value`."""

    __slots__ = ("_message", "_position")

    def __init__(self, message: bytes) -> None:
        if not message:
            raise _malformed("The message is empty.")
        if b"\0" in message:
            raise _malformed("Message length does not match input length.")
        self._message = message
        self._position = 0

    def peek(self) -> str:
        """The next character; the empty string at the end."""
        return self._message[self._position : self._position + 1].decode("latin-1")

    def skip(self) -> None:
        self._position += 1

    def rest(self) -> bytes:
        return self._message[self._position :]

    def read(self, name: str) -> bytes:
        """The value of the attribute that has to come next (read_attr_value)."""
        if (found := self.peek()) != name:
            raise _malformed(f'Expected attribute "{name}" but found "{_shown(found)}".')
        return self._value(name)

    def read_any(self) -> tuple[str, bytes]:
        """Name and value of the next attribute, whatever it is (read_any_attr)."""
        name = self.peek()
        if not name:
            raise _malformed("Attribute expected, but found end of string.")
        if not (name.isascii() and name.isalpha()):
            raise _malformed(f'Attribute expected, but found invalid character "{_shown(name)}".')
        return name, self._value(name)

    def _value(self, name: str) -> bytes:
        self.skip()
        if self.peek() != "=":
            raise _malformed(f'Expected character "=" for attribute "{name}".')
        value, comma, _ = self._message[self._position + 1 :].partition(b",")
        self._position += 1 + len(value) + len(comma)
        return value


def _shown(char: str) -> str:
    """A character as sanitize_char gives it; the end of the string is C's zero byte."""
    code = ord(char or "\0")
    return f"'{char}'" if 0x21 <= code <= 0x7E else f"0x{code:02x}"


def _new_nonce() -> bytes:
    return _encode(os.urandom(_NONCE_LENGTH))


def _salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", prepare_password(password), salt, iterations)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _encode(raw: bytes) -> bytes:
    return base64.b64encode(raw)


def _decode(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
