"""The rows of translator/data in the shapes that parse analysis wants, each built once a process and when first asked for."""

from collections import defaultdict
from functools import cache

from translator.data import load
from translator.rows import CastRow, OperatorRow, ProcRow, TypeRow

_NO_OID = 0


@cache
def types() -> dict[int, TypeRow]:
    """pg_type by OID."""
    columns = (
        "oid",
        "typname",
        "typnamespace",
        "typlen",
        "typtype",
        "typcategory",
        "typispreferred",
        "typelem",
        "typarray",
        "typbasetype",
        "typtypmod",
        "typnotnull",
        "typrelid",
        "typcollation",
        "typdelim",
        "typsubscript",
    )
    found = {}
    for oid, name, namespace, length, kind, category, preferred, element, array, base, *rest in load("pg_type").select(
        *columns
    ):
        base_typmod, not_null, relation, collation, delimiter, subscript = rest
        found[oid] = TypeRow(
            oid,
            name,
            namespace,
            length,
            kind,
            category,
            preferred,
            # name and point have an element type too, but only true arrays are arrays to analysis
            element if subscript == _array_subscript_handler() else _NO_OID,
            array,
            base,
            base_typmod,
            not_null,
            relation,
            collation,
            delimiter,
        )
    return found


@cache
def _array_subscript_handler() -> int:
    return next(int(oid) for oid, name in load("pg_proc").select("oid", "proname") if name == "array_subscript_handler")


@cache
def types_by_name() -> dict[str, TypeRow]:
    """The types of pg_catalog by name."""
    return {row.name: row for row in types().values() if row.namespace == 11}


@cache
def procs() -> dict[int, ProcRow]:
    """pg_proc by OID."""
    columns = (
        "oid",
        "proname",
        "pronamespace",
        "prokind",
        "proisstrict",
        "proretset",
        "provolatile",
        "prorettype",
        "proargtypes",
        "provariadic",
        "pronargdefaults",
        "proargdefaults",
        "proallargtypes",
        "proargmodes",
        "proargnames",
        "prosrc",
        "prolang",
        "prosqlbody",
    )
    found = {}
    for oid, name, namespace, kind, strict, returns_set, volatility, result, arguments, *rest in load("pg_proc").select(
        *columns
    ):
        variadic, default_count, defaults, all_types, modes, names, source, language, body = rest
        found[oid] = ProcRow(
            oid,
            name,
            namespace,
            kind,
            strict,
            returns_set,
            volatility,
            result,
            arguments,
            variadic,
            default_count,
            defaults or "",
            all_types or (),
            modes or (),
            names or (),
            source,
            language,
            body or "",
        )
    return found


@cache
def procs_by_name() -> dict[str, list[ProcRow]]:
    """pg_proc by name."""
    found = defaultdict(list)
    for row in procs().values():
        found[row.name].append(row)
    return found


@cache
def operators() -> dict[int, OperatorRow]:
    """pg_operator by OID."""
    columns = ("oid", "oprname", "oprnamespace", "oprleft", "oprright", "oprresult", "oprcode", "oprcom", "oprnegate")
    return {values[0]: OperatorRow(*values) for values in load("pg_operator").select(*columns)}


@cache
def operators_by_name() -> dict[str, list[OperatorRow]]:
    """pg_operator by name."""
    found = defaultdict(list)
    for row in operators().values():
        found[row.name].append(row)
    return found


@cache
def casts() -> dict[tuple[int, int], CastRow]:
    """pg_cast by (source, target)."""
    columns = ("castsource", "casttarget", "castfunc", "castcontext", "castmethod")
    return {(row.source, row.target): row for row in (CastRow(*values) for values in load("pg_cast").select(*columns))}


@cache
def ranges() -> dict[int, tuple[int, int]]:
    """Range type -> (subtype, multirange type)."""
    return {oid: (subtype, multi) for oid, subtype, multi in load("pg_range").select("rngtypid", "rngsubtype", "rngmultitypid")}


@cache
def multiranges() -> dict[int, int]:
    """Multirange type -> range type."""
    return {multi: oid for oid, (_, multi) in ranges().items()}


@cache
def aggregates() -> dict[int, tuple[str, int]]:
    """pg_aggregate: function OID -> (aggkind n/o/h, number of direct arguments)."""
    return {oid: (kind, direct) for oid, kind, direct in load("pg_aggregate").select("aggfnoid", "aggkind", "aggnumdirectargs")}


@cache
def equality_operators() -> dict[int, tuple[int, int]]:
    """Type OID -> (its btree `<` operator, its btree `=` operator), from the default operator classes of pg_opclass.

    A type that orders by another type's class (varchar by text) is found through its binary coercion by the caller.
    """
    btree, less, equal = 403, 1, 3
    classes = load("pg_opclass").select("opcmethod", "opcfamily", "opcintype", "opcdefault")
    families = {intype: family for method, family, intype, default in classes if method == btree and default}
    strategies = {
        (family, left, right, strategy): operator
        for family, left, right, strategy, operator, method in load("pg_amop").select(
            "amopfamily", "amoplefttype", "amoprighttype", "amopstrategy", "amopopr", "amopmethod"
        )
        if method == btree
    }
    return {
        oid: (strategies[family, oid, oid, less], strategies[family, oid, oid, equal])
        for oid, family in families.items()
        if (family, oid, oid, less) in strategies
    }


@cache
def text_volatility() -> dict[int, tuple[str, str]]:
    """Type OID -> (provolatile of its input function, of its output function)."""
    functions = procs()
    return {
        oid: (functions[read].volatility, functions[write].volatility)
        for oid, read, write in load("pg_type").select("oid", "typinput", "typoutput")
        if read in functions and write in functions
    }
