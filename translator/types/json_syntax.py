"""Why a text is not JSON: PostgreSQL's messages.

The fast path of json and jsonb input is Python's C scanner. When that refuses a text, or may have accepted what PostgreSQL
does not, `check` reads it again as PostgreSQL's json_lex and pg_parse_json do and raises the error with PostgreSQL's
DETAIL and CONTEXT. It returns when the text is valid after all.

The text is handled as UTF-8 bytes, because PostgreSQL cuts the CONTEXT by bytes.
"""

from __future__ import annotations

import re
from typing import NoReturn

from translator import sqlstate as codes
from translator.errors import SqlError

_SPACE = re.compile(rb"[ \t\n\r]*")
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]*")
_NUMBER = re.compile(rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?+(?<!\.)(?:[eE][-+]?+[0-9]++)?+(?![A-Za-z0-9_\x80-\xff])")
_NUMBER_LIKE = re.compile(rb"-?[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]*)?[A-Za-z0-9_\x80-\xff]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = b"0123456789abcdefABCDEF"
_WORDS = {b"true", b"false", b"null"}
_CONTEXT_LENGTH = 50

_END = "end"


def check(text: str, *, escapes: bool) -> None:
    """Raise PostgreSQL's error if the text is not JSON. `escapes`: also if an escape has no character (jsonb, ->>)."""
    _Parser(text.encode("utf-8", "surrogatepass"), escapes).parse()


class _Parser:
    def __init__(self, data: bytes, escapes: bool) -> None:
        self.data = data
        self.escapes = escapes
        self.start = self.end = 0  # of the current token
        self.line = 1
        self.line_start = 0
        self.kind = ""

    def parse(self) -> None:
        """An explicit stack, since input may be nested deeper than Python can recurse."""
        stack: list[str] = []
        self.next()
        state = "value"
        while True:
            if state == "value":
                state = self.value(stack)
            if state == "closed":
                if not stack:
                    break
                state = self.after_member(stack)
        if self.kind != _END:
            self.fail("Expected end of input, but found")

    def value(self, stack: list[str]) -> str:
        kind = self.kind
        if kind == "[":
            self.next()
            if self.kind != "]":
                stack.append("[")
                return "value"
        elif kind == "{":
            self.next()
            if self.kind == "string":
                self.member_name()
                stack.append("{")
                return "value"
            if self.kind != "}":
                self.fail('Expected string or "}", but found')
        elif kind not in {"string", "number", "word"}:
            self.fail("Expected JSON value, but found")
        self.next()
        return "closed"

    def after_member(self, stack: list[str]) -> str:
        kind = stack[-1]
        if self.kind == ",":
            self.next()
            if kind == "{":
                if self.kind != "string":
                    self.fail("Expected string, but found")
                self.member_name()
            return "value"
        close = "]" if kind == "[" else "}"
        if self.kind != close:
            self.fail(f'Expected "," or "{close}", but found')
        stack.pop()
        self.next()
        return "closed"

    def member_name(self) -> None:
        self.next()
        if self.kind != ":":
            self.fail('Expected ":", but found')
        self.next()

    def next(self) -> None:
        """Lex the next token (json_lex)."""
        match = _SPACE.match(self.data, self.end)
        assert match is not None
        blank = match[0]
        if b"\n" in blank:
            self.line += blank.count(b"\n")
            self.line_start = self.end + blank.rindex(b"\n") + 1
        place = self.start = match.end()
        char = self.data[place : place + 1]
        if char == b"":
            self.kind, self.end = _END, place
        elif char in b"{}[],:":
            self.kind, self.end = char.decode(), place + 1
        elif char == b'"':
            self.kind = "string"
            self.string(place + 1)
        elif char in b"-0123456789":
            self.kind = "number"
            number = _NUMBER.match(self.data, place)
            if number is None:
                like = _NUMBER_LIKE.match(self.data, place)
                assert like is not None
                self.end = like.end()
                self.invalid_token()
            self.end = number.end()
        else:
            word = _WORD.match(self.data, place)
            assert word is not None
            self.kind = "word"
            self.end = word.end() or place + 1
            if word.end() == place:
                self.end = place + 1
            if word[0] not in _WORDS:
                self.invalid_token()

    def string(self, place: int) -> None:
        """Lex what follows an opening quote (json_lex_string)."""
        data = self.data
        high = False  # a high surrogate waits for its low one
        while True:
            plain = _PLAIN.match(data, place)
            assert plain is not None
            if high and plain[0]:
                self.escape_error(place, "Unicode low surrogate must follow a high surrogate.")
            place = plain.end()
            char = data[place : place + 1]
            if char == b'"':
                if high:
                    self.escape_error(place, "Unicode low surrogate must follow a high surrogate.")
                self.end = place + 1
                return
            if char == b"":
                self.end = place
                self.invalid_token()
            if char != b"\\":
                self.end = place
                self.error(f"Character with value 0x{char[0]:02x} must be escaped.")
            place += 1
            char = data[place : place + 1]
            if char == b"u":
                code = self.code_point(place + 1)
                place += 5
                if self.escapes:
                    high = self.surrogate(code, high, place - 1)
                continue
            if char == b"":
                self.end = place
                self.invalid_token()
            if self.escapes and high:
                self.escape_error(place, "Unicode low surrogate must follow a high surrogate.")
            if char not in b'"\\/bfnrt':
                self.start = place
                self.end = place + self.char_length(place)
                self.error(f'Escape sequence "\\{self.text()}" is invalid.')
            place += 1

    def code_point(self, place: int) -> int:
        for at in range(place, place + 4):
            char = self.data[at : at + 1]
            if char == b"":
                self.end = at
                self.invalid_token()
            if char not in _HEX:
                self.escape_error(at, '"\\u" must be followed by four hexadecimal digits.')
        return int(self.data[place : place + 4], 16)

    def surrogate(self, code: int, high: bool, place: int) -> bool:
        if 0xD800 <= code <= 0xDBFF:
            if high:
                self.escape_error(place, "Unicode high surrogate must not follow a high surrogate.")
            return True
        if 0xDC00 <= code <= 0xDFFF:
            if not high:
                self.escape_error(place, "Unicode low surrogate must follow a high surrogate.")
            return False
        if high:
            self.escape_error(place, "Unicode low surrogate must follow a high surrogate.")
        if code == 0:
            self.end = place + 1
            raise SqlError(
                codes.UNTRANSLATABLE_CHARACTER,
                "unsupported Unicode escape sequence",
                detail="\\u0000 cannot be converted to text.",
                where=self.context(),
            )
        return False

    def char_length(self, place: int) -> int:
        end = place + 1
        while end < len(self.data) and 0x80 <= self.data[end] < 0xC0:
            end += 1
        return end - place

    def text(self) -> str:
        return self.data[self.start : self.end].decode("utf-8", "replace")

    def fail(self, expected: str) -> NoReturn:
        if self.kind == _END:
            self.error("The input string ended unexpectedly.")
        self.error(f'{expected} "{self.text()}".')

    def invalid_token(self) -> NoReturn:
        self.error(f'Token "{self.text()}" is invalid.')

    def escape_error(self, place: int, detail: str) -> NoReturn:
        """An error at a character that the context still shows (FAIL_AT_CHAR_END)."""
        self.end = place + self.char_length(place)
        self.error(detail)

    def error(self, detail: str) -> NoReturn:
        raise SqlError(
            codes.INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json", detail=detail, where=self.context()
        )

    def context(self) -> str:
        """report_json_context: at most 50 bytes of the line, up to the end of the token."""
        data, end = self.data, self.end
        start = self.line_start
        while end - start >= _CONTEXT_LENGTH:
            start += self.char_length(start)
        if start - self.line_start <= 3:
            start = self.line_start
        prefix = "..." if start > self.line_start else ""
        more = self.kind != _END and end < len(data) and data[end : end + 1] not in {b"\n", b"\r"}
        excerpt = data[start:end].decode("utf-8", "replace")
        return f"JSON data, line {self.line}: {prefix}{excerpt}{'...' if more else ''}"
