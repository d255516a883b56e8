"""Case files: reading them, and writing back what PostgreSQL answered.

A case is a directive line, input up to `----`, and expected text up to a blank line:

    query rowsort
    SELECT a, b FROM t
    ----
    a:int4|b:text
    1|x

Directives: `statement`, `query`, `error`, and in wire/ `send` and `until`. Words after the directive are options:

    rowsort    the order of rows does not matter
    simple     always sent as a simple query (several statements, or what the extended protocol cannot do)
    lift       the answer is the same with literals as parameters; recording finds that out
    text       results are always asked for as text (a setting changes text output only)
    on NAME    runs on another session, opened when first named

What litephant does differently on purpose follows PostgreSQL's text, and is what our server is held to:

    divergence <reason>
    <our expected text>

Lines that begin with `#` between cases are comments. A blank line ends a case, so no expected line is blank.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DIRECTIVES: Final = frozenset({"statement", "query", "error", "send", "until"})
OPTIONS: Final = frozenset({"rowsort", "simple", "lift", "text", "on"})
SEPARATOR: Final = "----"


@dataclass(slots=True)
class Divergence:
    reason: str
    expected: list[str]


@dataclass(slots=True, kw_only=True)
class Answered:
    """Something to run that stands in a file, and what PostgreSQL did."""

    path: Path
    line: int
    expected: list[str]
    divergence: Divergence | None = None

    @property
    def where(self) -> str:
        return f"{self.path.name}:{self.line}"

    def expected_of(self, target: str) -> list[str]:
        """What `target`, "postgres" or "litephant", must answer."""
        if target == "litephant" and self.divergence is not None:
            return self.divergence.expected
        return self.expected


@dataclass(slots=True, kw_only=True)
class Case(Answered):
    directive: str
    options: frozenset[str]
    session: str
    input: str


@dataclass(slots=True)
class CaseFile:
    """The cases of one file, and the file's text in pieces, so that all that is not expected text survives recording."""

    path: Path
    pieces: list[str | Case] = field(default_factory=list)

    @property
    def cases(self) -> list[Case]:
        return [piece for piece in self.pieces if isinstance(piece, Case)]

    def write(self) -> None:
        text = "".join(piece if isinstance(piece, str) else format_case(piece) for piece in self.pieces)
        self.path.write_text(text)


class CaseFileError(Exception):
    """A case file that cannot be read; the message names file and line."""


def read(path: Path) -> CaseFile:
    lines = path.read_text().split("\n")
    result = CaseFile(path)
    number = 0
    while number < len(lines):
        line = lines[number]
        if not line.strip() or line.startswith("#"):
            last = number == len(lines) - 1
            result.pieces.append(line if last else line + "\n")
            number += 1
            continue
        case, number = _read_case(path, lines, number)
        result.pieces.append(case)
    return result


def _read_case(path: Path, lines: list[str], start: int) -> tuple[Case, int]:
    directive, options, session = _read_directive(path, start, lines[start])
    number = start + 1
    while number < len(lines) and lines[number] != SEPARATOR:
        if not lines[number] and (number + 1 == len(lines) or lines[number + 1].split(" ")[0] in DIRECTIVES):
            raise CaseFileError(f"{path}:{start + 1}: no {SEPARATOR} after the input")
        number += 1
    if number == len(lines):
        raise CaseFileError(f"{path}:{start + 1}: no {SEPARATOR} after the input")
    text = "\n".join(lines[start + 1 : number])
    case = Case(path=path, line=start + 1, expected=[], directive=directive, options=options, session=session, input=text)
    number += 1
    target = case.expected
    while number < len(lines) and lines[number]:
        if lines[number].startswith("divergence "):
            case.divergence = Divergence(lines[number].removeprefix("divergence ").strip(), [])
            target = case.divergence.expected
        else:
            target.append(lines[number])
        number += 1
    return case, number


def _read_directive(path: Path, number: int, line: str) -> tuple[str, frozenset[str], str]:
    directive, *words = line.split()
    session = ""
    if "on" in words:
        position = words.index("on")
        session = words[position + 1] if position + 1 < len(words) else ""
        words[position : position + 2] = []
    if directive not in DIRECTIVES or not OPTIONS.issuperset(words):
        raise CaseFileError(f"{path}:{number + 1}: unknown directive or option: {line}")
    return directive, frozenset(words), session


def format_case(case: Case) -> str:
    words = [case.directive, *sorted(case.options)]
    if case.session:
        words += ["on", case.session]
    lines = [" ".join(words), case.input, SEPARATOR, *case.expected]
    if case.divergence is not None:
        lines += [f"divergence {case.divergence.reason}", *case.divergence.expected]
    return "\n".join(lines) + "\n"
