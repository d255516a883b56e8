"""What the user may have meant by a column name that is not there (searchRangeTableForCol, errorMissingColumn)."""

from __future__ import annotations

from translator import sqlstate as codes
from translator.analyze.scope import Entry, Scope
from translator.errors import SqlError

MAX_DISTANCE = 3  # MAX_FUZZY_DISTANCE in parse_relation.c


def missing_column(scope: Scope, qualifier: str | None, name: str, location: int | None) -> SqlError:
    """42703, with up to two near names as a hint."""
    full = f"{qualifier}.{name}" if qualifier else f'"{name}"'
    error = SqlError(codes.UNDEFINED_COLUMN, f"column {full} does not exist", location=location)
    found = _search(scope, qualifier, name)
    if len(found) == 1 and found[0][1] == name:
        table = found[0][0]
        error.detail = (
            f'There is a column named "{name}" in table "{table}", but it cannot be referenced from this part of the query.'
        )
    elif found:
        references = [f'the column "{table}.{column}"' for table, column in found]
        error.hint = f"Perhaps you meant to reference {' or '.join(references)}."
    return error


def _search(scope: Scope, qualifier: str | None, name: str) -> list[tuple[str, str]]:
    """The nearest (table, column) names: none, one, or two at the same distance."""
    best = MAX_DISTANCE + 1
    found: list[tuple[str, str]] = []
    level: Scope | None = scope
    while level is not None:
        for item in level.items:
            if item.entry.kind == "join":
                continue
            penalty = distance(qualifier, item.entry.name) if qualifier else 0
            best, found = _nearer(item.entry, name, penalty, best, found)
        level = level.parent
    return found if len(found) < 3 else []


def _nearer(
    entry: Entry, name: str, penalty: int, best: int, found: list[tuple[str, str]]
) -> tuple[int, list[tuple[str, str]]]:
    for column in entry.columns:
        away = distance(column.name, name)
        if away > len(name.encode()) // 2:
            continue
        away += penalty
        if away < best:
            best, found = away, [(entry.name, column.name)]
        elif away == best <= MAX_DISTANCE:
            found = [*found, (entry.name, column.name)]
    return best, found


def distance(one: str, two: str) -> int:
    """Levenshtein's distance."""
    previous = list(range(len(two) + 1))
    for row, char in enumerate(one, 1):
        current = [row]
        for place, other in enumerate(two, 1):
            current.append(min(previous[place] + 1, current[-1] + 1, previous[place - 1] + (char != other)))
        previous = current
    return previous[-1]
