"""Function calls: plain functions, casts in function notation, aggregates, window functions (ParseFuncOrColumn).

A call becomes an Anonymous named by pg_proc.prosrc, an aggregate one named by its key in the table of implementations
("sum(int4)"). DISTINCT and ORDER BY of an aggregate stand around its arguments as exp.Distinct and exp.Order, FILTER
around the call as exp.Filter, OVER as exp.Window: where SQLite's printer expects them.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from translator import builtins, oids
from translator import sqlstate as codes
from translator.analyze import functions, polymorphic, routine, row_functions, sqlfunction, static_calls, windows
from translator.analyze.aggregate_levels import place_aggregate, place_grouping
from translator.analyze.coerce import Context, coerce, coerce_to, coerce_to_common, select_common_type
from translator.analyze.functions import Cast, Match
from translator.analyze.operators import SQL_LANGUAGE
from translator.analyze.scope import Scope
from translator.analyze.typenames import names_of
from translator.errors import SqlError, unsupported
from translator.rows import ProcRow
from translator.typed import call, expanded, location_of, string, type_of, typed

Node = dict[str, Any]

# Clauses in which window functions, set-returning functions may stand (transformWindowFuncCall, check_srf_call_placement).
_WINDOWS_ALLOWED = {"SELECT", "ORDER BY", "DISTINCT ON"}
_SETS_ALLOWED = {
    "SELECT",
    "ORDER BY",
    "GROUP BY",
    "DISTINCT ON",
    "functions in FROM",
    "window definitions",
    "VALUES of one row",
}


def function_call(scope: Scope, value: Node) -> exp.Expr:
    """A FuncCall node."""
    names = names_of(value["funcname"])
    location = value.get("location")
    last_set = scope.last_set
    arguments, argument_names = _arguments(scope, value)
    node = static_calls.transform(scope, names, arguments, value.get("location"))
    if node is not None:
        return node
    ordered = [_sort_item(scope, item) for item in value.get("agg_order", ())]
    within = bool(value.get("agg_within_group"))
    every = arguments + [item.this for item in ordered] if within else arguments
    try:
        resolved = functions.resolve(
            scope.analysis,
            names,
            [type_of(argument) for argument in every],
            argument_names,
            location,
            expand_variadic=not value.get("func_variadic"),
        )
    except SqlError as error:
        projection = (
            row_functions.projection(scope, value, names, every) if error.sqlstate == codes.UNDEFINED_FUNCTION else None
        )
        if projection is None:
            raise
        return projection
    if isinstance(resolved, Cast):
        return _as_cast(scope, value, names, resolved, arguments, location)
    proc = resolved.proc
    if proc.kind == "p":
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"{functions.signature(scope.analysis, names, [type_of(each) for each in every])} is a procedure",
            hint="To call a procedure, use CALL.",
            location=location,
        )
    _check_decorations(value, names, proc, location)
    if value.get("func_variadic"):
        _check_variadic(scope, proc, every[-1], location)
    types, result = _concrete_types(scope, resolved, every, location)
    coerced = _coerce_arguments(scope, resolved, every, types, location)
    if proc.kind in "aw" and scope.last_set is not last_set:
        kind = "aggregate" if proc.kind == "a" and not value.get("over") else "window"
        raise set_not_allowed(scope, f"{kind} function calls cannot contain set-returning function calls")
    if proc.kind == "a":
        return _aggregate(scope, value, proc, coerced, ordered, result, names)
    if proc.kind == "w":
        return _window_function(scope, value, proc, coerced, result, names)
    return _as_written(plain_call(scope, proc, coerced, result, location), value, resolved, argument_names)


def resolve_call(scope: Scope, value: Node) -> tuple[ProcRow, list[exp.Expr]]:
    """The procedure that CALL names, and its arguments. Raises 42883, 42809."""
    names = names_of(value["funcname"])
    location = value.get("location")
    arguments, argument_names = _arguments(scope, value)
    types = [type_of(argument) for argument in arguments]
    expand = not value.get("func_variadic")
    resolved = functions.resolve(scope.analysis, names, types, argument_names, location, expand_variadic=expand, procedure=True)
    if isinstance(resolved, Cast) or resolved.proc.kind != "p":
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"{functions.signature(scope.analysis, names, types)} is not a procedure",
            hint="To call a function, use SELECT.",
            location=location,
        )
    wanted, _ = _concrete_types(scope, resolved, arguments, location)
    return resolved.proc, _coerce_arguments(scope, resolved, arguments, wanted, location)


def _as_written(node: exp.Expr, value: Node, match: Match, names: list[str | None]) -> exp.Expr:
    """Note how the call was spelled, where its arguments do not tell: SQL syntax, defaults, names, VARIADIC "any"."""
    meta = node.meta.get("form", node).meta
    if value.get("funcformat") == "COERCE_SQL_SYNTAX":
        meta["construct"] = "SQL syntax"
    if match.order is not None or match.defaults:
        given = match.order if match.order is not None else range(len(names))
        meta["given"] = tuple(zip(given, [*[None] * (len(given) - len(names)), *names], strict=True))
    if value.get("func_variadic"):
        meta["variadic"] = True
    return node


def _check_variadic(scope: Scope, proc: ProcRow, last: exp.Expr, location: int | None) -> None:
    """VARIADIC "any" may be given an array of any type, but an array it must be. Raises 42804."""
    if proc.variadic != oids.ANY or type_of(last) == oids.UNKNOWN or scope.analysis.catalog.element(type_of(last)):
        return
    raise SqlError(codes.DATATYPE_MISMATCH, "VARIADIC argument must be an array", location=location_of(last) or location)


def _arguments(scope: Scope, value: Node) -> tuple[list[exp.Expr], list[str | None]]:
    from translator.analyze.expressions import transform

    nodes: list[exp.Expr] = []
    names: list[str | None] = []
    for argument in value.get("args", ()):
        named = argument.get("NamedArgExpr")
        if named is None and any(names):
            raise SqlError(
                codes.SYNTAX_ERROR,
                "positional argument cannot follow named argument",
                location=location_of(transform(scope, argument)),
            )
        if named is not None and named["name"] in names:
            raise SqlError(
                codes.SYNTAX_ERROR, f'argument name "{named["name"]}" used more than once', location=named.get("location")
            )
        node = transform(scope, named["arg"] if named is not None else argument)
        if isinstance(node, exp.Parameter) and type_of(node) == oids.VOID and not value.get("agg_within_group"):
            continue  # pgjdbc gives OUT parameters so (ParseFuncOrColumn)
        nodes.append(node)
        names.append(named["name"] if named is not None else None)
    return nodes, names


def _as_cast(
    scope: Scope, value: Node, names: list[str], cast: Cast, arguments: list[exp.Expr], location: int | None
) -> exp.Expr:
    for key, word in (("agg_distinct", "DISTINCT"), ("over", "OVER"), ("agg_filter", "FILTER"), ("agg_order", "ORDER BY")):
        if value.get(key):
            raise SqlError(
                codes.WRONG_OBJECT_TYPE, f"{word} specified, but {names[-1]} is not an aggregate function", location=location
            )
    result = coerce_to(scope.analysis, arguments[0], cast.target.oid, -1, Context.EXPLICIT, location)
    if result is None:
        raise AssertionError("a cast that resolution allowed")
    return result


def _check_decorations(value: Node, names: list[str], proc: ProcRow, location: int | None) -> None:
    """What may stand in and behind the parentheses depends on the kind of function. Raises 42809."""
    name = ".".join(names)

    def wrong(message: str) -> SqlError:
        return SqlError(codes.WRONG_OBJECT_TYPE, message, location=location)

    if proc.kind == "f":
        for key, word in (
            ("agg_star", f"{name}(*)"),
            ("agg_distinct", "DISTINCT"),
            ("agg_within_group", "WITHIN GROUP"),
            ("agg_order", "ORDER BY"),
            ("agg_filter", "FILTER"),
            ("over", "OVER"),
        ):
            if value.get(key):
                if key == "over":
                    raise wrong(f"OVER specified, but {name} is not a window function nor an aggregate function")
                raise wrong(f"{word} specified, but {name} is not an aggregate function")
    elif proc.kind == "w":
        if not value.get("over"):
            raise wrong(f"window function {name} requires an OVER clause")
        if value.get("agg_within_group"):
            raise wrong(f"window function {name} cannot have WITHIN GROUP")
    else:
        _check_aggregate(value, name, proc, wrong)


def _check_aggregate(value: Node, name: str, proc: ProcRow, wrong: Any) -> None:
    kind, _ = builtins.aggregates().get(proc.oid, ("n", 0))
    if kind == "n" and value.get("agg_within_group"):
        raise wrong(f"{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP")
    if kind != "n":
        if not value.get("agg_within_group"):
            raise wrong(f"WITHIN GROUP is required for ordered-set aggregate {name}")
        if value.get("over"):
            raise unsupported(f"OVER for ordered-set aggregate {name}", value.get("location"))
        if value.get("agg_distinct"):
            raise wrong("cannot use DISTINCT with WITHIN GROUP")


def _concrete_types(scope: Scope, match: Match, arguments: list[exp.Expr], location: int | None) -> tuple[list[int], int]:
    """The types that the arguments, in the declared order, must have, and the result type."""
    actual = [type_of(argument) for argument in arguments]
    declared = list(match.arguments)
    if match.order is not None:
        declared = [match.arguments[position] for position in match.order]
    try:
        return polymorphic.enforce(scope.analysis.catalog, actual, declared, match.proc.result)
    except SqlError as error:
        raise error.at(location) from None


def _coerce_arguments(
    scope: Scope, match: Match, arguments: list[exp.Expr], types: list[int], location: int | None
) -> list[exp.Expr]:
    analysis = scope.analysis
    coerced = [
        coerce(analysis, argument, target, -1, Context.IMPLICIT, location_of(argument))
        for argument, target in zip(arguments, types, strict=True)
    ]
    if match.order is not None:
        slots: list[exp.Expr | None] = [None] * len(match.arguments)
        for argument, position in zip(coerced, match.order, strict=True):
            slots[position] = argument
        if match.defaults:
            defaults = default_arguments(scope, match.proc)
            first = len(match.arguments) - match.proc.default_count
            slots = [slot if slot is not None else defaults[index - first] for index, slot in enumerate(slots)]
        coerced = [slot for slot in slots if slot is not None]
    elif match.defaults:
        coerced += default_arguments(scope, match.proc)[-match.defaults :]
    if match.variadic and match.proc.variadic != oids.ANY:
        element = types[-1]
        array_type = analysis.catalog.type(element).array
        kept = coerced[: len(coerced) - match.variadic]
        collected = typed(call("array:construct", *coerced[len(kept) :]), array_type)
        return [*kept, collected]
    # VARIADIC "any": an open literal is text, as for ROW fields
    kind, _ = builtins.aggregates().get(match.proc.oid, ("n", 0))
    if kind != "h" and (match.proc.variadic == oids.ANY or oids.ANY in match.arguments):
        coerced = [_any_argument(scope, argument) for argument in coerced]
    return coerced


def _any_argument(scope: Scope, node: exp.Expr) -> exp.Expr:
    """A literal that VARIADIC "any" leaves untyped is text to the function, but has no cast in the expression's text."""
    from translator.analyze.rows import resolve_unknown

    resolved = resolve_unknown(scope, node)
    if type_of(node) == oids.UNKNOWN:
        resolved.meta["construct"] = "unknown"
    return resolved


def default_arguments(scope: Scope, proc: ProcRow) -> list[exp.Expr]:
    """The default expressions of a function, of the declared types."""
    from translator.analyze.expressions import transform
    from translator.parser import parse_expressions

    nodes = parse_expressions(proc.defaults)
    targets = proc.arguments[-proc.default_count :]
    inner = Scope(scope.analysis)
    made = [transform(inner, node) for node in nodes]
    return [
        coerce_to(scope.analysis, node, target, -1, Context.ASSIGNMENT, None) or node
        for node, target in zip(made, targets, strict=True)
    ]


def plain_call(scope: Scope, proc: ProcRow, arguments: list[exp.Expr], result: int, location: int | None) -> exp.Expr:
    """The call node of an ordinary function; LANGUAGE sql functions are inlined."""
    if proc.returns_set:
        if scope.clause not in _SETS_ALLOWED:
            raise SqlError(
                codes.FEATURE_NOT_SUPPORTED,
                f"set-returning functions are not allowed in {scope.clause}",
                location=location,
            )
        scope.has_sets = scope.has_sets or scope.clause != "functions in FROM"
        scope.last_set = typed(exp.Null(), result, -1, location)
    if proc.language == SQL_LANGUAGE and not scope.analysis.only_form:
        if not sqlfunction.is_inlined(scope.analysis.catalog, proc):
            return routine.run_before(scope, proc, arguments, result, location)
        in_from = scope.clause == "functions in FROM"
        build = sqlfunction.rows if in_from else sqlfunction.values if proc.returns_set else sqlfunction.inline
        inlined = build(scope.analysis, proc, arguments, result, location)
        return expanded(inlined, call(proc.source, *arguments, proc=proc)) if scope.analysis.keeps_form else inlined
    if proc.volatility == "v":
        scope.analysis.volatile = True
    node = call(proc.source, *arguments, proc=proc)
    if proc.modes and result == oids.RECORD:
        node.meta["field_names"], node.meta["field_types"] = sqlfunction.out_fields(scope.analysis, proc, arguments)
    return typed(node, result, -1, location)


def set_not_allowed(scope: Scope, message: str) -> SqlError:
    """The error for the last set-returning call, where it would have to run for some rows only."""
    assert scope.last_set is not None
    return SqlError(
        codes.FEATURE_NOT_SUPPORTED,
        message,
        hint="You might be able to move the set-returning function into a LATERAL FROM item.",
        location=location_of(scope.last_set),
    )


def aggregate_key(scope: Scope, proc: ProcRow) -> str:
    """The aggregate's name in the table of implementations: name(argument typnames)."""
    names = [scope.analysis.catalog.type(oid).name for oid in proc.arguments]
    return f"{proc.name}({','.join(names)})"


def _sort_item(scope: Scope, item: Node) -> exp.Ordered:
    from translator.analyze.sorting import sort_expression

    return sort_expression(scope, item["SortBy"])


def _aggregate(
    scope: Scope,
    value: Node,
    proc: ProcRow,
    arguments: list[exp.Expr],
    ordered: list[exp.Ordered],
    result: int,
    names: list[str],
) -> exp.Expr:
    location = value.get("location")
    condition: exp.Expr | None = None
    if value.get("agg_filter"):
        from translator.analyze.expressions import transform_condition

        condition = transform_condition(scope, value["agg_filter"], "FILTER", "FILTER")
    level = scope
    if not value.get("over"):
        level = place_aggregate(scope, [*arguments, *ordered, *([condition] if condition is not None else ())], location)
    elif value.get("agg_distinct"):
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions", location=location)
    elif ordered:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED, "aggregate ORDER BY is not implemented for window functions", location=location
        )
    if not value.get("agg_star") and not arguments:
        raise SqlError(
            codes.WRONG_OBJECT_TYPE,
            f"{'.'.join(names)}(*) must be used to call a parameterless aggregate function",
            location=location,
        )
    if value.get("agg_distinct"):
        _check_distinct_order(arguments, ordered)
    if value.get("agg_within_group"):
        ordered = [_with(item, argument) for item, argument in zip(ordered, arguments[-len(ordered) :], strict=True)]
        if builtins.aggregates()[proc.oid][0] == "h":
            arguments = _hypothetical(scope, names, arguments, ordered, location)
    node: exp.Expr = call(
        aggregate_key(scope, proc), *_decorated(arguments, ordered, bool(value.get("agg_distinct"))), proc=proc
    )
    node.meta["aggregate"] = True
    node.meta["level"] = level.number
    node.meta["argument_types"] = tuple(type_of(argument) for argument in arguments)
    if value.get("agg_within_group"):
        node.meta["within_group"] = True
        node.meta["direct"] = len(arguments) - len(ordered)
    typed(node, result, -1, location)
    if condition is not None:
        node = typed(exp.Filter(this=node, expression=exp.Where(this=condition)), result, -1, location)
    if value.get("over"):
        return windows.over(scope, node, value["over"], result, location)
    return node


def _hypothetical(
    scope: Scope, names: list[str], arguments: list[exp.Expr], ordered: list[exp.Ordered], location: int | None
) -> list[exp.Expr]:
    """rank(v) WITHIN GROUP (ORDER BY c): v and c of one type; the first argument tells how each column is sorted."""
    count = len(ordered)
    direct, sorted_by = arguments[:-count], arguments[-count:]
    if len(direct) != count:
        shown = functions.signature(scope.analysis, names, [type_of(argument) for argument in arguments])
        raise SqlError(
            codes.UNDEFINED_FUNCTION,
            f"function {shown} does not exist",
            hint=f"To use the hypothetical-set aggregate {'.'.join(names)}, the number of hypothetical direct arguments"
            f" (here {len(direct)}) must match the number of ordering columns (here {count}).",
            location=location,
        )
    for place, (one, other) in enumerate(zip(direct, sorted_by, strict=True)):
        common = select_common_type(scope.analysis, [other, one], "WITHIN GROUP")
        direct[place] = coerce_to_common(scope.analysis, one, common, "WITHIN GROUP")
        sorted_by[place] = coerce_to_common(scope.analysis, other, common, "WITHIN GROUP")
        ordered[place].set("this", sorted_by[place].copy())
    order = "".join(
        ("d" if item.args.get("desc") else "a") + ("f" if item.args.get("nulls_first") else "l") for item in ordered
    )
    return [typed(string(order), oids.TEXT), *direct, *sorted_by]


def _check_distinct_order(arguments: list[exp.Expr], ordered: list[exp.Ordered]) -> None:
    """What DISTINCT values are sorted by must be among them (transformDistinctClause, is_agg). Raises 42P10."""
    bare = [_without_coercion(argument) for argument in arguments]
    for item in ordered:
        if _without_coercion(item.this) not in bare:
            raise SqlError(
                codes.INVALID_COLUMN_REFERENCE,
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                location=location_of(item.this),
            )


def _without_coercion(node: exp.Expr) -> tuple[exp.Expr, tuple[str, ...]]:
    """The expression without implicit coercions around it (strip_implicit_coercions), and the explicit relabellings."""
    while isinstance(node, exp.Anonymous) and node.meta.get("cast") == "implicit":
        node = node.expressions[0]
    return node, tuple(word for word, _, _ in node.meta.get("layers", ()) if word and word != "implicit")


def _with(item: exp.Ordered, argument: exp.Expr) -> exp.Ordered:
    item.set("this", argument.copy())
    return item


def _decorated(arguments: list[exp.Expr], ordered: list[exp.Ordered], distinct: bool) -> list[exp.Expr]:
    """The arguments with DISTINCT and ORDER BY around them, as SQLite writes them."""
    if not arguments:
        return [exp.Star()] if not ordered else []
    result = list(arguments)
    if distinct:
        result = [exp.Distinct(expressions=result)]
    if ordered:
        result[-1] = exp.Order(this=result[-1], expressions=ordered)
    return result


def _window_function(
    scope: Scope, value: Node, proc: ProcRow, arguments: list[exp.Expr], result: int, names: list[str]
) -> exp.Expr:
    location = value.get("location")
    for key, message in (
        ("agg_distinct", "DISTINCT is not implemented for window functions"),
        ("agg_order", "aggregate ORDER BY is not implemented for window functions"),
        ("agg_filter", "FILTER is not implemented for non-aggregate window functions"),
    ):
        if value.get(key):
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, message, location=location)
    node = typed(call(proc.source, *arguments, proc=proc), result, -1, location)
    return windows.over(scope, node, value["over"], result, location)


def check_window_clause(scope: Scope, location: int | None) -> None:
    """Window functions stand in the select list and ORDER BY only. Raises 42P20."""
    if scope.clause not in _WINDOWS_ALLOWED:
        raise SqlError(codes.WINDOWING_ERROR, f"window functions are not allowed in {scope.clause}", location=location)


_MAX_GROUPING = 31  # bits of the result


def grouping(scope: Scope, value: Node) -> exp.Expr:
    """GROUPING(…): the bit mask of the expressions that the current grouping set leaves out."""
    from translator.analyze.expressions import transform

    arguments = [transform(scope, argument) for argument in value["args"]]
    if len(arguments) > _MAX_GROUPING:
        raise SqlError(codes.TOO_MANY_ARGUMENTS, "GROUPING must have fewer than 32 arguments", location=value.get("location"))
    level = place_grouping(scope, arguments, value.get("location"))
    node = call("grouping:mask", *arguments)
    node.meta["level"] = level.number
    return typed(node, oids.INT4, -1, value.get("location"))
