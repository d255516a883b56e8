r"""PostgreSQL's regular expressions, read into a tree (manual, "Regular Expression Details"; regcomp.c, regc_lex.c).

All three flavours are read: advanced ones (the default), extended ones (option e) and basic ones (option b), besides literal strings
(option q, `***=`). The tree says what regexp_pattern.py needs to know: what captures, how wide a piece is, whether it prefers
long or short matches. Errors are REG_… codes in PostgreSQL's words, all of them 2201B.
"""

from __future__ import annotations

import re

from translator import sqlstate
from translator.errors import SqlError
from translator.functions.regexp_tree import (
    UNLIMITED,
    Alternation,
    Backreference,
    Group,
    Node,
    Options,
    Piece,
    Repeat,
    Sequence,
)

_MAX_COUNT = 255  # DUPMAX

# POSIX classes under C.UTF-8, as members of a set of the `regex` package.
_SPACE = r" \t-\r\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
CLASSES = {
    "alpha": r"\p{Alphabetic}[\p{Nd}--[0-9]]",
    "alnum": r"\p{Alphabetic}\p{Nd}",
    "blank": r" \t",
    "cntrl": r"\p{Cc}",
    "digit": "0-9",
    "graph": r"[^\p{Cc}\p{Cn}\p{Cs}" + _SPACE + "]",
    "lower": r"\p{Lowercase}\p{Lt}",
    "print": r"[^\p{Cc}\p{Cn}\p{Cs}\u2028\u2029]",
    "punct": r"[[\p{P}\p{S}\p{Mn}\p{Me}\p{No}\p{Co}\p{Cf}]--[\p{Alphabetic}]]",
    "space": _SPACE,
    "upper": r"\p{Uppercase}\p{Lt}",
    "xdigit": "0-9a-fA-F",
    "word": r"\p{Alphabetic}\p{Nd}_",
}
WORD = f"[{CLASSES['word']}]"

_SHORTHANDS = {"d": "digit", "s": "space", "w": "word"}
_CONTROLS = {"a": 7, "b": 8, "B": 0x5C, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_CONSTRAINTS = {
    "A": r"\A",
    "Z": r"\Z",
    "m": f"(?<!{WORD})(?={WORD})",
    "M": f"(?<={WORD})(?!{WORD})",
    "y": f"(?:(?<!{WORD})(?={WORD})|(?<={WORD})(?!{WORD}))",
    "Y": f"(?:(?<!{WORD})(?!{WORD})|(?<={WORD})(?={WORD}))",
}

# Names of collating elements that are not the character itself (the portable character set of POSIX).
_ELEMENTS = {
    "NUL": "\0", "alert": "\a", "backspace": "\b", "tab": "\t", "newline": "\n", "vertical-tab": "\v", "form-feed": "\f",
    "carriage-return": "\r", "space": " ", "exclamation-mark": "!", "quotation-mark": '"', "number-sign": "#",
    "dollar-sign": "$", "percent-sign": "%", "ampersand": "&", "apostrophe": "'", "left-parenthesis": "(",
    "right-parenthesis": ")", "asterisk": "*", "plus-sign": "+", "comma": ",", "hyphen": "-", "hyphen-minus": "-",
    "period": ".", "full-stop": ".", "slash": "/", "solidus": "/", "zero": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "colon": ":", "semicolon": ";",
    "less-than-sign": "<", "equals-sign": "=", "greater-than-sign": ">", "question-mark": "?", "commercial-at": "@",
    "left-square-bracket": "[", "backslash": "\\", "reverse-solidus": "\\", "right-square-bracket": "]", "circumflex": "^",
    "circumflex-accent": "^", "underscore": "_", "low-line": "_", "grave-accent": "`", "left-brace": "{",
    "left-curly-bracket": "{", "vertical-line": "|", "right-brace": "}", "right-curly-bracket": "}", "tilde": "~",
    "DEL": "\x7f",
}  # fmt: skip


def error(what: str) -> SqlError:
    return SqlError(sqlstate.INVALID_REGULAR_EXPRESSION, f"invalid regular expression: {what}")


def _bad_operand() -> SqlError:
    return error("quantifier operand invalid")


def _bad_escape() -> SqlError:
    return error("invalid escape \\ sequence")


def _unbalanced_brackets() -> SqlError:
    return error("brackets [] not balanced")


def literal(character: str) -> str:
    """A character that stands for itself, inside and outside of a set."""
    return character if character.isalnum() or character in " _" else "\\" + character if character.isascii() else character


class Parser:
    """One expression being read. `groups` counts the capturing ones, `closed` holds those a reference may name."""

    def __init__(self, text: str, options: Options) -> None:
        self.text = text
        self.options = options
        self.place = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.in_lookaround = 0

    def parse(self) -> Node:
        if self.options.flavour != "q":
            self._directors()
        if self.options.flavour == "q":
            return Sequence([Piece(literal(c), 1) for c in self.text[self.place :]], None)
        tree = self._alternation()
        if self.place < len(self.text):
            raise error("parentheses () not balanced")
        return tree

    def _directors(self) -> None:
        """prefixes(): `***` says the flavour, then `(?letters)` sets options, of advanced expressions only."""
        if self.text.startswith("***="):
            self.options.flavour = "q"
            self.place = 4
            return
        if self.text.startswith("***:"):
            self.options.flavour = "a"
            self.place = 4
        elif self.text.startswith("***"):
            raise _bad_operand()
        if self.options.flavour != "a":
            return
        match = re.compile(r"\(\?([a-zA-Z]+)(\)?)").match(self.text, self.place)
        if match is not None:
            if not match[2] or not all(self.options.set(letter) for letter in match[1]):
                raise error("invalid embedded option")
            self.place = match.end()

    def _next(self) -> str:
        return self.text[self.place : self.place + 1]

    def _skip_blanks(self) -> None:
        """Comments, and under option x white space and comments to the end of the line."""
        while self.options.flavour == "a":
            start = self.place
            if self.options.expanded:
                match = re.compile(r"(?:\s|#[^\n]*)*").match(self.text, self.place)
                self.place = match.end() if match else self.place
            if self.text.startswith("(?#", self.place):
                end = self.text.find(")", self.place)
                self.place = end + 1 if end >= 0 else len(self.text)
            if self.place == start:
                return

    def _alternation(self) -> Node:
        branches = [self._branch()]
        while self.options.flavour != "b" and self._next() == "|":
            self.place += 1
            branches.append(self._branch())
        if len(branches) == 1:
            return branches[0]
        widths = {branch.width for branch in branches}
        return Alternation(branches, widths.pop() if len(widths) == 1 else None)

    def _at_branch_end(self) -> bool:
        self._skip_blanks()
        if self.options.flavour == "b":
            return self.place >= len(self.text) or self.text.startswith("\\)", self.place)
        return self._next() in ("", "|", ")")

    def _branch(self) -> Node:
        items: list[Node] = []
        while not self._at_branch_end():
            items.append(self._quantified(self._atom(first=not items)))
        width: int | None = 0
        for item in items:
            width = None if width is None or item.width is None else width + item.width
        return items[0] if len(items) == 1 else Sequence(items, width)

    def _atom(self, *, first: bool) -> Node:
        character = self._next()
        self.place += 1
        match character:
            case "^" if self.options.flavour != "b" or first:
                return Piece("(?<![^\\n])" if self.options.newline_anchors else r"\A", 0)
            case "$" if self.options.flavour != "b" or self._at_branch_end():
                return Piece("(?![^\\n])" if self.options.newline_anchors else r"\Z", 0)
            case ".":
                return Piece("[^\\n]" if self.options.newline_stops else ".", 1)
            case "[":
                return self._brackets()
            case "\\":
                return self._escape()
            case "*" if self.options.flavour == "b" and first:
                return Piece(r"\*", 1)
            case "*" | "+" | "?" if self.options.flavour != "b" or character == "*":
                raise _bad_operand()
            case "{" if self.options.flavour != "b" and (self.options.flavour == "e" or self._next().isdigit()):
                raise _bad_operand()
            case "(" if self.options.flavour != "b":
                return self._group()
        return Piece(literal(character), 1)

    def _group(self) -> Node:
        opening = "("
        if self.options.flavour == "a" and self._next() == "?":
            match = re.compile(r"\?(?::|=|!|<=|<!)").match(self.text, self.place)
            if match is None:
                raise _bad_operand()
            opening = "(" + match[0]
            self.place = match.end()
        number = 0
        if opening == "(":
            if self.in_lookaround:
                opening = "(?:"
            else:
                self.groups += 1
                number = self.groups
        looks = opening not in ("(", "(?:")
        self.in_lookaround += looks
        inner = self._alternation()
        self.in_lookaround -= looks
        closing = "\\)" if self.options.flavour == "b" else ")"
        if not self.text.startswith(closing, self.place):
            raise error("parentheses () not balanced")
        self.place += len(closing)
        if number:
            self.closed.add(number)
        return Group(inner, opening, number, 0 if looks else inner.width)

    # Quantifiers

    def _quantified(self, atom: Node) -> Node:
        self._skip_blanks()
        start = self.place
        bounds = self._bounds()
        if bounds is None:
            return atom
        if (isinstance(atom, Piece) and atom.width == 0) or (isinstance(atom, Group) and atom.opening not in ("(", "(?:")):
            raise _bad_operand()
        low, high = bounds
        exact = low == high and "," not in self.text[start : self.place]
        lazy = self.options.flavour == "a" and self._next() == "?"
        self.place += lazy
        self._skip_blanks()
        if self.options.flavour != "b" and self._bounds() is not None:
            raise _bad_operand()
        width = atom.width * low if low == high and atom.width is not None else None
        return Repeat(atom, low, high, lazy, exact, width)

    def _bounds(self) -> tuple[int, int] | None:
        character = self._next()
        basic = self.options.flavour == "b"
        if character == "*":
            self.place += 1
            return 0, UNLIMITED
        if character in ("+", "?") and character and not basic:
            self.place += 1
            return (1, UNLIMITED) if character == "+" else (0, 1)
        if basic and self.text.startswith("\\{", self.place):
            self.place += 2
            return self._counts("\\}")
        if (
            not basic
            and character == "{"
            and (self.options.flavour == "e" or self.text[self.place + 1 : self.place + 2].isdigit())
        ):
            self.place += 1
            return self._counts("}")
        return None

    def _counts(self, closing: str) -> tuple[int, int]:
        match = re.compile(r"([0-9]*)(,?)([0-9]*)").match(self.text, self.place)
        assert match is not None  # everything in it is optional
        self.place = match.end()
        if self.place >= len(self.text):
            raise error("braces {} not balanced")
        low = int(match[1] or "256")
        high = low if not match[2] else int(match[3]) if match[3] else UNLIMITED
        if low > _MAX_COUNT or high > _MAX_COUNT or (high != UNLIMITED and low > high):
            raise error("invalid repetition count(s)")
        if not self.text.startswith(closing, self.place):
            raise error("invalid repetition count(s)")
        self.place += len(closing)
        return low, high

    # Escapes

    def _escape(self) -> Node:
        character = self._next()
        if not character:
            raise _bad_escape()
        if self.options.flavour == "b":
            return self._basic_escape(character)
        if self.options.flavour == "e" or not character.isascii() or not character.isalnum():
            self.place += 1
            return Piece(literal(character), 1)
        if character in _CONSTRAINTS:
            self.place += 1
            return Piece(_CONSTRAINTS[character], 0)
        name = _SHORTHANDS.get(character.lower())
        if name is not None:
            self.place += 1
            return self._shorthand(name, negated=character.isupper())
        number = self._back_reference()
        if number is not None:
            return Backreference(number)
        return Piece(literal(self._character_escape()), 1)

    def _basic_escape(self, character: str) -> Node:
        self.place += 1
        if character == "(":
            return self._group()
        if character in "<>":
            return Piece(_CONSTRAINTS["m" if character == "<" else "M"], 0)
        if character in "123456789":
            self._check_reference(int(character))
            return Backreference(int(character))
        return Piece(literal(character), 1)

    def _shorthand(self, name: str, *, negated: bool) -> Piece:
        newline = "\\n" if negated and self.options.newline_stops and name != "space" else ""
        return Piece(f"[{'^' if negated else ''}{CLASSES[name]}{newline}]", 1)

    def _check_reference(self, number: int) -> None:
        if number not in self.closed or self.in_lookaround:
            raise error("invalid backreference number")

    def _back_reference(self) -> int | None:
        r"""A single digit is a reference; more of them are one if there are that many groups, else an octal escape."""
        match = re.compile("[1-9][0-9]*").match(self.text, self.place)
        if match is None:
            return None
        number = int(match[0][:9])
        if len(match[0]) > 1 and number > self.groups:
            return None
        self._check_reference(number)
        self.place = match.end()
        return number

    def _character_escape(self) -> str:
        """An escape that stands for one character; the backslash has been read."""
        character = self._next()
        self.place += 1
        if character in _CONTROLS:
            return chr(_CONTROLS[character])
        if character == "c" and self._next():
            self.place += 1
            return chr(ord(self.text[self.place - 1]) & 0x1F)
        if character.isdigit():
            self.place -= 1
        form = {"u": "[0-9a-fA-F]{4}", "U": "[0-9a-fA-F]{8}", "x": "[0-9a-fA-F]{1,255}"}.get(character, "[0-7]{1,3}")
        match = re.compile(form).match(self.text, self.place)
        if match is None or (character.isalpha() and character not in "uUx"):
            raise _bad_escape()
        self.place = match.end()
        number = int(match[0], 8 if character.isdigit() else 16)
        if number > 0x10FFFF:
            raise _bad_escape()
        return chr(number)

    # Bracket expressions

    def _brackets(self) -> Node:
        for form, constraint in (("[:<:]]", "m"), ("[:>:]]", "M")):
            if self.text.startswith(form, self.place):
                self.place += len(form)
                return Piece(_CONSTRAINTS[constraint], 0)
        negated = self._next() == "^"
        self.place += negated
        members: list[str] = []
        first = True
        while first or self._next() != "]":
            if not self._next():
                raise _unbalanced_brackets()
            members.append(self._member(first=first))
            first = False
        self.place += 1
        if negated and self.options.newline_stops:
            members.append("\\n")
        return Piece(f"[{'^' if negated else ''}{''.join(members)}]", 1)

    def _member(self, *, first: bool) -> str:
        """One class, character or range, as members of a set."""
        if self._next() == "-" and not first and self.text[self.place + 1 : self.place + 2] not in ("]", "-"):
            raise error("invalid character range")
        start = self._set_element()
        if self._next() != "-" or self.text[self.place + 1 : self.place + 2] in ("]", ""):
            return start[1] if isinstance(start, tuple) else literal(start)
        self.place += 1
        end = self._set_element()
        if isinstance(start, tuple) or isinstance(end, tuple) or ord(start) > ord(end):
            raise error("invalid character range")
        return f"{literal(start)}-{literal(end)}"

    def _set_element(self) -> str | tuple[str, str]:
        """A character, or a class as (its name, its members)."""
        if self.text.startswith(("[:", "[.", "[="), self.place):
            return self._named_element(self.text[self.place + 1])
        character = self._next()
        self.place += 1
        if character != "\\" or self.options.flavour != "a":
            return character
        character = self._next()
        if not character:
            raise _bad_escape()
        name = _SHORTHANDS.get(character.lower())
        if name is not None:
            self.place += 1
            return name, f"[^{CLASSES[name]}]" if character.isupper() else CLASSES[name]
        if character in _CONSTRAINTS:
            raise _bad_escape()
        if character.isascii() and character.isalnum():
            return self._character_escape()
        self.place += 1
        return character

    def _named_element(self, kind: str) -> str | tuple[str, str]:
        end = self.text.find(kind + "]", self.place + 2)
        if end < 0:
            # A class that is not ended properly is read as far as its name goes.
            raise error("invalid character class") if kind == ":" and "]" in self.text[self.place :] else _unbalanced_brackets()
        name = self.text[self.place + 2 : end]
        self.place = end + 2
        if kind == ":":
            members = CLASSES.get(name)
            if members is None:
                raise error("invalid character class")
            if self.options.ignore_case and name in ("upper", "lower"):
                members = CLASSES["alpha"]
            return name, members
        element = name if len(name) == 1 else _ELEMENTS.get(name)
        if element is None:
            raise error("invalid collating element")
        return element if kind == "." else (name, literal(element))
