"""INSERTs of many rows: from a text whose rows look alike to the plan of one row and the values of all.

Rule: it must not matter. A text that is not as regular as this file wants it, a row that cannot be compiled alone (translator/analyze/
rowwise.py), a value that a column does not take: each is left to the compiler, which takes the statement as a whole and
reports what PostgreSQL reports.

A text is split at its literals, or at its parameters. What stands between them must be the same for every row, so that two comparisons
of lists tell that a thousand rows have the form of the first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from proxy.session import rows as wire_rows
from proxy.session.copy_blocks import IRREGULAR, converter_of, rows_of
from proxy.session.plans import CompiledPlan, RowPlan, Section
from translator import compiler
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.session import Session
    from translator.settings import Settings

FEWEST_ROWS: Final = 8  # with fewer, one SQLite statement for all is as good

_FLOAT4: Final = 700
_FLOATS: Final = frozenset((_FLOAT4, wire_rows.FLOAT8))
_NUMBERS: Final = frozenset((wire_rows.INT2, wire_rows.INT4, wire_rows.INT8, wire_rows.NUMERIC, *_FLOATS))
_INTEGERS: Final = (wire_rows.INT2, wire_rows.INT4, wire_rows.INT8)  # from the narrowest to the widest

_NAME: Final = r'(?:"[^"]+"|[A-Za-z_][\w$]*)'
_HEAD: Final = re.compile(
    rf"\s*insert\s+into\s+{_NAME}(?:\s*\.\s*{_NAME})?\s*(?:\(\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\)\s*)?"
    r"(?:overriding\s+(?:user|system)\s+value\s+)?values\s*(?=\()",
    re.IGNORECASE,
)
# A constant, and a cast that stands right behind a string. Other forms (E'…', U&'…') leave something that is no separator.
_STRING: Final = r"'[^']*'(?:'[^']*')*(?:::\w+(?:\[\])?)?"
_NUMBER: Final = r'-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.$"])'
_WORD: Final = r"(?:[nN][uU][lL][lL]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])\b"
_CELL: Final = rf"({_STRING}|{_NUMBER}|{_WORD})"
_LITERAL: Final = re.compile(rf'(?<![\w.$"]){_CELL}')
_PARAMETER: Final = re.compile(r"\$([0-9]+)")
_CELLS: Final = r"(?:[A-Za-z_]\w*(?:\(\))?\s*,\s*)*"  # DEFAULT, CURRENT_DATE, now(): the same in all rows
_BEGIN: Final = re.compile(rf"\(\s*{_CELLS}")
_BETWEEN: Final = re.compile(rf"\s*,\s*{_CELLS}")
_NEXT_ROW: Final = re.compile(rf"(\s*(?:,\s*[A-Za-z_]\w*(?:\(\))?\s*)*\))(\s*,\s*)\(\s*{_CELLS}")

_SELECT_HEAD: Final = re.compile(rf"\s*insert\s[^']*\bfrom\s*\(\s*values\s*\(\s*{_CELLS}", re.IGNORECASE)
_MODIFIED: Final = r"(?:[^()]|\([0-9, ]*\))*"  # no parentheses but those of a type's modifier
_ROW_END: Final = re.compile(rf"({_MODIFIED}\))(\s*,\s*\(\s*{_CELLS})")
_COUNTER: Final = re.compile(r"(.*,\s*)0(\s*\))", re.DOTALL)
_ODD: Final = re.compile(r"""['"$]|--|/\*""")  # what could hide a parenthesis
# Parameters that are cells, or cast as a whole: an integer of another width is as good.
_CAST: Final = r"(?:::[\w. ]+(?:\([0-9, ]*\))?)?"
_PLAIN: Final = re.compile(rf"{_CAST}\s*,\s*{_CELLS}")
_PLAIN_END: Final = re.compile(rf"{_CAST}\s*(?:,\s*\w+(?:\(\))?\s*)*\)")
_OPEN: Final = frozenset((0, wire_rows.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a text: `row` is the statement of one row, with parameters; `columns` are the literals of each column.

    `counted`: the last cell counts the rows (rowwise.py). `plain`: every parameter is a cell, or cast as a whole.
    """

    row: str
    rows: int
    width: int
    columns: Sequence[Sequence[str]] = ()
    counted: bool = False
    plain: bool = True


# Literals


def insert_literals(session: Session, section: Section, text: str) -> tuple[CompiledPlan, tuple[Any, ...]] | None:
    """The plan of an INSERT with many rows of literals, and their stored values; None: compile it as it is."""
    grid = split_literals(text)
    if grid is None:
        return None
    settings = session.parameters.settings
    try:
        session.executor.enter(None)
        found = section.row_plan((grid.row,), lambda: _values_plan(section, grid.row, settings))
        if found is None or len(found.columns) != grid.width:
            return None
        session.executor.enter(found.compiled)  # 'now' and enum labels are read for this session and catalog
        values = _stored_rows(found, grid)
    except IRREGULAR:
        return None
    if values is None:
        return None
    return found.compiled.for_rows(text, grid.rows), tuple(chain.from_iterable(values))


def split_literals(text: str) -> Grid | None:
    """The rows of an INSERT … VALUES of literals."""
    head = _HEAD.match(text)
    first = None if head is None else _first_row(text, head.end())
    if head is None or first is None:
        return None
    *inner, between = first
    found: list[Any] = _row_pattern(tuple(inner)).findall(text, head.end())
    if len(found) < FEWEST_ROWS:
        return None
    cells: list[tuple[str, ...]] = found if len(inner) > 2 else [(cell,) for cell in found]
    form = "%s".join([piece.replace("%", "%%") for piece in inner])
    rows = between.join([form % row for row in cells])
    tail = text[head.end() + len(rows) :]
    if not text.startswith(rows, head.end()) or tail.lstrip().startswith(",") or "$" in tail:
        return None
    columns = list(zip(*cells, strict=True))
    casts = [_cast(column) for column in columns]
    if None in casts:
        return None
    parameters = tuple([f"${number}{cast}" for number, cast in enumerate(casts, 1)])
    return Grid(f"{text[: head.end()]}{form % parameters}{tail}", len(cells), len(columns), columns)


def _first_row(text: str, start: int) -> list[str] | None:
    """What stands before, between and behind the literals of the first row, and between it and the second."""
    pieces: list[str] = []
    end = start
    for literal in _LITERAL.finditer(text, start):
        piece = text[end : literal.start()]
        end = literal.end()
        following = _NEXT_ROW.fullmatch(piece)
        if following is not None and pieces:
            return [*pieces, *following.groups()]
        if (_BETWEEN if pieces else _BEGIN).fullmatch(piece) is None:
            return None
        pieces.append(piece)
    return None


@functools.lru_cache(256)
def _row_pattern(pieces: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_CELL.join(map(re.escape, pieces)))


def _cast(cells: Sequence[str]) -> str | None:
    """The cast behind the strings of a column, "" for none; None where they differ."""
    casts = {cell.rpartition("'")[2] for cell in cells if cell[0] == "'"}
    return None if len(casts) > 1 else casts.pop() if casts else ""


def _values_plan(section: Section, text: str, settings: Settings) -> RowPlan | None:
    statements = compiler.parse(text)
    made = compiler.compile_values(statements[0], section.catalog, settings) if len(statements) == 1 else None
    if made is None:
        return None
    converters = tuple(converter_of(column, section.catalog, settings, binary=False) for column in made.columns)
    return RowPlan(CompiledPlan(made.plan, statements[0], section), made.columns, converters)


def _stored_rows(plan: RowPlan, grid: Grid) -> list[tuple[Any, ...]] | None:
    fields = []
    for column, cells in zip(plan.columns, grid.columns, strict=True):
        texts = _fields(cells, column.type_oid)
        if texts is None:
            return None
        fields.append(texts)
    return rows_of(fields, plan.converters)


def _fields(cells: Sequence[str], type: int) -> Sequence[str | None] | None:
    """What the column's type is to read, for its literals; None where reading is not what PostgreSQL does with one."""
    kinds = {cell[0] for cell in cells}
    if kinds == {"'"}:
        end = cells[0].rindex("'")
        suffix = end - len(cells[0])
        texts = [cell[1:suffix] for cell in cells]
        return [text.replace("''", "'") for text in texts] if "'" in "".join(texts) else texts
    if kinds.isdisjoint("'nNtTfF"):
        return cells if _takes_numbers(cells, type) else None
    fields = [_field(cell) for cell in cells]
    words = {cell.lower() for cell in cells if cell[0] in "tTfF"}
    numbers = [cell for cell in cells if cell[0] in "-0123456789"]
    if (words and type != wire_rows.BOOL) or (numbers and not _takes_numbers(numbers, type)):
        return None
    return fields


def _field(cell: str) -> str | None:
    if cell[0] == "'":
        return cell[1 : cell.rindex("'")].replace("''", "'")
    return None if cell[0] in "nN" else cell.lower()


def _takes_numbers(cells: Sequence[str], type: int) -> bool:
    """Whether numbers are read by the column's type as they are cast to it: to integers only from integers, and -0 is 0."""
    if type in _FLOATS:
        return not any(cell.startswith("-0") for cell in cells)
    return type in _NUMBERS


# Parameters


def insert_parameters(session: Session, section: Section, text: str, types: tuple[int, ...]) -> CompiledPlan | None:
    """The plan of an INSERT with many rows of parameters, of which Parse declared these types; None: compile it as it is."""
    grid = split_parameters(text)
    if grid is None or len(types) > grid.rows * grid.width:
        return None
    width = grid.width
    given = (*types, *(0,) * (grid.rows * width - len(types)))
    row_types = tuple([_widest(set(given[index::width])) for index in range(width)])
    if -1 in row_types or (given != row_types * grid.rows and not grid.plain):
        return None
    settings = session.parameters.settings
    try:
        session.executor.enter(None)
        found = section.row_plan((grid.row, row_types), lambda: _row_plan(section, grid, row_types, settings))
    except SqlError:
        return None
    if found is None or len(found.compiled.plan.parameters) != width:
        return None
    resolved = zip(given, found.compiled.plan.parameters * grid.rows, strict=True)
    return found.compiled.for_rows(text, grid.rows, tuple([type if one in _OPEN else one for one, type in resolved]))


def split_parameters(text: str) -> Grid | None:
    """The rows of an INSERT whose parameters are $1, $2, … in the order of the text, the same number in each row."""
    pieces = _PARAMETER.split(text)
    between = pieces[2::2]
    if len(between) < FEWEST_ROWS or not _begins_values(pieces[0]):
        return None
    width, end = next(((index, end) for index, piece in enumerate(between, 1) if (end := _ROW_END.fullmatch(piece))), (0, None))
    if end is None or len(between) % width or len(between) // width < FEWEST_ROWS:
        return None
    rows = len(between) // width
    inner, (closing, opening) = between[: width - 1], end.groups()
    if _ODD.search("".join([*inner, closing, opening])) or pieces[1::2] != list(map(str, range(1, rows * width + 1))):
        return None
    closings = _closings(closing, [piece.removesuffix(opening) for piece in between[width - 1 : -1 : width]])
    if closings is None or not between[-1].startswith(closings[-1]):
        return None
    if between[:-1] != [piece for closing in closings for piece in (*inner, closing + opening)][:-1]:
        return None
    tail = closing + between[-1][len(closings[-1]) :]
    row = pieces[0] + "".join([f"${number}{piece}" for number, piece in enumerate([*inner, tail], 1)])
    plain = all(map(_PLAIN.fullmatch, inner)) and _PLAIN_END.fullmatch(closing) is not None
    return Grid(row, rows, width, counted=closings[-1] != closing, plain=plain)


def _begins_values(text: str) -> bool:
    """Whether the first row of a VALUES list has just begun, that of the INSERT or one it selects from."""
    head = _HEAD.match(text)
    if head is not None:
        return _BEGIN.fullmatch(text, head.end()) is not None
    return _SELECT_HEAD.fullmatch(text) is not None


def _closings(first: str, found: list[str]) -> list[str] | None:
    """How each row ends, for the first and those found of all but the last: all alike, or with a counter from 0."""
    if found.count(first) == len(found):
        return [first] * (len(found) + 1)
    counter = _COUNTER.fullmatch(first)
    if counter is None:
        return None
    before, after = counter.groups()
    return [f"{before}{number}{after}" for number in range(len(found) + 1)]


def _widest(types: set[int]) -> int:
    """The type of a parameter that stands for a column of parameters; -1 where they have none in common."""
    if len(types) == 1:
        return types.pop()
    return max(types, key=_INTEGERS.index) if types.issubset(_INTEGERS) else -1


def _row_plan(section: Section, grid: Grid, types: tuple[int, ...], settings: Settings) -> RowPlan | None:
    statements = compiler.parse(grid.row)
    if len(statements) != 1:
        return None
    plan = compiler.compile_row(statements[0], section.catalog, settings, types, counted=grid.counted)
    return None if plan is None else RowPlan(CompiledPlan(plan, statements[0], section))
