"""Choosing among functions or operators of one name: func_match_argtypes and func_select_candidate (parse_func.c).

The steps are those of the manual, "Type Conversion": drop what cannot accept the arguments, prefer exact matches, then
preferred types, then let the categories of the candidates decide what unknown literals are taken for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from translator import oids
from translator.analyze.coerce import Context, can_coerce
from translator.catalog import Catalog


class Candidate(Protocol):
    """Anything with argument types to match."""

    @property
    def arguments(self) -> tuple[int, ...]: ...


C = TypeVar("C", bound=Candidate)


def match(catalog: Catalog, actual: Sequence[int], candidates: Sequence[C]) -> list[C]:
    """The candidates whose arguments the actual types can become implicitly."""
    return [candidate for candidate in candidates if can_coerce(catalog, actual, candidate.arguments, Context.IMPLICIT)]


def select(catalog: Catalog, actual: Sequence[int], candidates: Sequence[C]) -> C | None:
    """The best of several matching candidates, or None if the call is ambiguous."""
    given = [type_oid if type_oid == oids.UNKNOWN else catalog.base_type(type_oid) for type_oid in actual]
    remaining = _best(candidates, lambda c: sum(g != oids.UNKNOWN and g == d for g, d in zip(given, c.arguments, strict=False)))
    if len(remaining) == 1:
        return remaining[0]

    def exact_or_preferred(candidate: C) -> int:
        return sum(
            g != oids.UNKNOWN and (g == d or _preferred(catalog, _category(catalog, g), d))
            for g, d in zip(given, candidate.arguments, strict=False)
        )

    remaining = _best(remaining, exact_or_preferred)
    if len(remaining) == 1:
        return remaining[0]
    if oids.UNKNOWN not in given:
        return None
    remaining = _by_category(catalog, given, remaining)
    if len(remaining) == 1:
        return remaining[0]
    return _last_gasp(catalog, given, remaining)


def _best(candidates: Sequence[C], score: object) -> list[C]:
    scores = [score(candidate) for candidate in candidates]  # type: ignore[operator]
    best = max(scores)
    return [candidate for candidate, value in zip(candidates, scores, strict=True) if value == best]


def _category(catalog: Catalog, oid: int) -> str:
    row = catalog.type_by_oid(oid)
    return row.category if row is not None else "X"


def _preferred(catalog: Catalog, category: str, oid: int) -> bool:
    """IsPreferredType: preferred within that category."""
    row = catalog.type_by_oid(oid)
    return row is not None and row.preferred and row.category == category


def _by_category(catalog: Catalog, given: Sequence[int], candidates: Sequence[C]) -> list[C]:
    """Take each unknown argument for the category its candidates agree on; string wins where they do not."""
    categories: list[str | None] = []
    wants_preferred: list[bool] = []
    for position, type_oid in enumerate(given):
        if type_oid != oids.UNKNOWN:
            categories.append(None)
            wants_preferred.append(False)
            continue
        accepted = [candidate.arguments[position] for candidate in candidates]
        found = {_category(catalog, oid) for oid in accepted}
        category = "S" if "S" in found else found.pop() if len(found) == 1 else None
        if category is None:
            return list(candidates)
        categories.append(category)
        wants_preferred.append(any(_preferred(catalog, category, oid) for oid in accepted))
    fitting = [
        candidate
        for candidate in candidates
        if all(
            category is None or (_category(catalog, oid) == category and (not preferred or _preferred(catalog, category, oid)))
            for category, preferred, oid in zip(categories, wants_preferred, candidate.arguments, strict=False)
        )
    ]
    return fitting or list(candidates)


def _last_gasp(catalog: Catalog, given: Sequence[int], candidates: Sequence[C]) -> C | None:
    """If all known arguments have one type, try the unknown ones as that type too."""
    known = {type_oid for type_oid in given if type_oid != oids.UNKNOWN}
    if len(known) != 1:
        return None
    assumed = [known.pop()] * len(given)
    fitting = [c for c in candidates if can_coerce(catalog, assumed, c.arguments, Context.IMPLICIT)]
    return fitting[0] if len(fitting) == 1 else None
