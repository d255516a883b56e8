"""Function calls: which pg_proc row a call means (FuncnameGetCandidates and func_get_detail of PostgreSQL).

`resolve` gives a Resolved with the arguments put into the declared order, defaults and VARIADIC filled in; building the
call node and what is special about aggregates and window functions is `calls`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from translator import oids
from translator import sqlstate as codes
from translator.analyze import candidates
from translator.analyze.analysis import Analysis
from translator.analyze.coerce import Context, find_pathway
from translator.errors import SqlError
from translator.rows import ProcRow, TypeRow


@dataclass(frozen=True, slots=True)
class Match:
    """A function as this call would use it (FuncCandidateList).

    `arguments`: the declared types of the call's effective arguments (VARIADIC expanded, defaults cut off).
    `order`: which declared position each given argument takes (named notation), None for plain order.
    `variadic`: number of given arguments that the VARIADIC parameter collects. `defaults`: how many are filled in.
    """

    proc: ProcRow
    arguments: tuple[int, ...]
    order: tuple[int, ...] | None = None
    variadic: int = 0
    defaults: int = 0


@dataclass(frozen=True, slots=True)
class Cast:
    """`typename(expression)`: function notation for a cast."""

    target: TypeRow


def resolve(
    analysis: Analysis,
    names: Sequence[str],
    actual: Sequence[int],
    argument_names: Sequence[str | None],
    location: int | None,
    *,
    expand_variadic: bool,
    procedure: bool = False,
) -> Match | Cast:
    """What the call means; with `procedure` that of CALL, which gives output parameters an argument, too.

    Raises 42883 when nothing fits, 42725 when several do equally well.
    """
    shape = (tuple(names), tuple(actual), tuple(argument_names), expand_variadic, tuple(analysis.path), procedure)
    known: Match | Cast | None = analysis.catalog.resolutions.get(shape)
    if known is None:
        known = _resolve(analysis, names, actual, argument_names, location, expand_variadic, procedure)
        analysis.catalog.resolutions[shape] = known
    return known


def _resolve(
    analysis: Analysis,
    names: Sequence[str],
    actual: Sequence[int],
    argument_names: Sequence[str | None],
    location: int | None,
    expand_variadic: bool,
    procedure: bool,
) -> Match | Cast:
    found = _visible(analysis, names, actual, argument_names, expand_variadic, procedure)
    for candidate in found:
        if candidate.arguments == tuple(_in_order(actual, candidate)):
            return candidate
    cast = _as_cast(analysis, names, actual, argument_names)
    if cast is not None:
        return cast
    matching = [c for c in found if candidates.match(analysis.catalog, _in_order(actual, c), [c])]
    if len(matching) == 1:
        return matching[0]
    word = "procedure" if procedure else "function"
    if not matching:
        raise SqlError(
            codes.UNDEFINED_FUNCTION,
            f"{word} {signature(analysis, names, actual, argument_names)} does not exist",
            hint=f"No {word} matches the given name and argument types. You might need to add explicit type casts.",
            location=location,
        )
    best = candidates.select(analysis.catalog, actual, matching)
    if best is None:
        raise SqlError(
            codes.AMBIGUOUS_FUNCTION,
            f"{word} {signature(analysis, names, actual, argument_names)} is not unique",
            hint=f"Could not choose a best candidate {word}. You might need to add explicit type casts.",
            location=location,
        )
    return best


def signature(
    analysis: Analysis, names: Sequence[str], actual: Sequence[int], argument_names: Sequence[str | None] = ()
) -> str:
    """The call for messages: "foo(integer, b => text)" (funcname_signature_string)."""
    labels = [*argument_names, *[None] * (len(actual) - len(argument_names))]
    types = [
        f"{label} => {analysis.type_name(oid)}" if label else analysis.type_name(oid)
        for oid, label in zip(actual, labels, strict=True)
    ]
    return f"{'.'.join(names)}({', '.join(types)})"


def _in_order(actual: Sequence[int], candidate: Match) -> list[int]:
    """The actual types in the declared order (named notation may permute them); gaps are left to the defaults."""
    if candidate.order is None:
        return list(actual)
    ordered = list(candidate.arguments)
    for given, position in zip(actual, candidate.order, strict=True):
        ordered[position] = given
    return ordered


def _visible(
    analysis: Analysis,
    names: Sequence[str],
    actual: Sequence[int],
    argument_names: Sequence[str | None],
    expand: bool,
    procedure: bool,
) -> list[Match]:
    if len(names) > 1:
        namespace = analysis.catalog.namespace(names[-2])
        if namespace is None:
            raise SqlError(codes.INVALID_SCHEMA_NAME, f'schema "{names[-2]}" does not exist')
        path = [namespace]
    else:
        path = analysis.path
    chosen: dict[tuple[int, ...], tuple[tuple[int, int], Match]] = {}
    for row in analysis.catalog.procs(names[-1]):
        if row.namespace not in path:
            continue
        given_all = procedure and row.kind == "p" and row.modes
        proc = replace(row, arguments=row.all_types, modes=("i",) * len(row.modes)) if given_all else row
        for candidate in _uses(analysis, proc, len(actual), argument_names, expand):
            # a nearer schema hides the same signature; then not VARIADIC hides VARIADIC
            rank = (path.index(proc.namespace), 1 if candidate.variadic else 0)
            known = chosen.get(candidate.arguments)
            if known is None or rank < known[0]:
                chosen[candidate.arguments] = (rank, candidate)
    return [candidate for _, candidate in chosen.values()]


def _uses(analysis: Analysis, proc: ProcRow, given: int, argument_names: Sequence[str | None], expand: bool) -> list[Match]:
    """How this function could take so many arguments: plainly, with defaults, with VARIADIC expanded."""
    declared = len(proc.arguments)
    if any(argument_names):
        found = _named(proc, given, argument_names)
        return [found] if found is not None else []
    if proc.variadic and expand:
        fixed = declared - 1
        if given >= declared:
            element = proc.variadic
            extra = given - fixed
            return [Match(proc, proc.arguments[:fixed] + (element,) * extra, variadic=extra)]
        if given < fixed:
            return _with_defaults(proc, given)
        return _with_defaults(proc, given)
    if given == declared:
        return [Match(proc, proc.arguments)]
    return _with_defaults(proc, given)


def _with_defaults(proc: ProcRow, given: int) -> list[Match]:
    missing = len(proc.arguments) - given
    if 0 < missing <= proc.default_count:
        return [Match(proc, proc.arguments[:given], defaults=missing)]
    return []


def _named(proc: ProcRow, given: int, argument_names: Sequence[str | None]) -> Match | None:
    """Match named arguments to parameters (MatchNamedCall)."""
    declared = len(proc.arguments)
    if given > declared or not proc.names:
        return None
    modes = proc.modes or ("i",) * declared
    inputs = [name for name, mode in zip(proc.names, modes, strict=False) if mode in ("i", "b", "v")]
    order: list[int] = []
    for position, name in enumerate([*[None] * (given - len(argument_names)), *argument_names]):
        index = position if name is None else next((i for i, known in enumerate(inputs) if known == name), -1)
        if index < 0 or index in order:
            return None
        order.append(index)
    missing = [index for index in range(declared) if index not in order]
    if any(index < declared - proc.default_count for index in missing):
        return None
    return Match(proc, proc.arguments, order=tuple(order), defaults=len(missing))


def _as_cast(
    analysis: Analysis, names: Sequence[str], actual: Sequence[int], argument_names: Sequence[str | None]
) -> Cast | None:
    """`typename(x)` with one argument: a cast if no function call is needed for it (the rule in func_get_detail)."""
    from translator.analyze.typenames import lookup

    if len(actual) != 1 or any(argument_names):
        return None
    target = lookup(analysis.catalog, analysis.path, list(names))
    if target is None or target.element:
        return None
    source = actual[0]
    if source == oids.UNKNOWN:
        return Cast(target)
    pathway = find_pathway(analysis.catalog, source, target.oid, Context.EXPLICIT)
    if pathway is None or pathway[0] not in ("relabel", "io"):
        return None
    if pathway[0] == "io":
        composite = source == oids.RECORD or analysis.catalog.type(source).kind == "c"
        if composite and analysis.catalog.type(target.oid).category == "S":
            return None
    return Cast(target)
