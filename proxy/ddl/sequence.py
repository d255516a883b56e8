"""CREATE, ALTER and owning of sequences (sequence.c); their values are in sequence_values.py."""

from dataclasses import dataclass
from typing import Any

from proxy.ddl import heap
from proxy.ddl.columns import ColumnSpec
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import (
    choose_relation_name,
    column_named,
    creation_namespace,
    find_relation,
    open_relation,
    range_var_of,
    strings,
)
from proxy.pg_catalog import classes
from proxy.pg_catalog.rows import schema_of
from translator import oids, sqlstate
from translator.analyze import typenames
from translator.catalog import Relation
from translator.errors import SqlError

_RANGES = {oids.INT2: (-(2**15), 2**15 - 1), oids.INT4: (-(2**31), 2**31 - 1), oids.INT8: (-(2**63), 2**63 - 1)}
_COLUMNS = (("last_value", oids.INT8), ("log_cnt", oids.INT8), ("is_called", oids.BOOL))


@dataclass
class Parameters:
    """pg_sequence's columns. None: not said, so what CREATE SEQUENCE takes by default."""

    type_oid: int = oids.INT8
    start: int | None = None
    increment: int = 1
    minimum: int | None = None
    maximum: int | None = None
    cache: int = 1
    cycle: bool = False
    restart: int | None = None  # ALTER … RESTART [WITH n]
    restarts: bool = False
    owned_by: list[str] | None = None
    name: list[str] | None = None


def create_sequence(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE SEQUENCE."""
    range_var = statement["sequence"]
    name = range_var["relname"]
    persistence = range_var.get("relpersistence", "p")
    namespace = heap_namespace(execution, range_var)
    if execution.catalog.relation(namespace, name) is not None:
        if statement.get("if_not_exists"):
            execution.note(f'relation "{name}" already exists, skipping', sqlstate.DUPLICATE_TABLE)
            return "CREATE SEQUENCE"
        raise SqlError(sqlstate.DUPLICATE_TABLE, f'relation "{name}" already exists')
    parameters = read_options(execution, statement.get("options", ()), Parameters())
    oid = insert_sequence(execution, name, namespace, parameters, persistence)
    if parameters.owned_by is not None:
        own(execution, execution.relation(oid), parameters.owned_by)
    return "CREATE SEQUENCE"


def heap_namespace(execution: Execution, range_var: dict[str, Any]) -> int:
    """The schema of a new relation: the temporary one if it is temporary."""
    from proxy.ddl.temporary import temporary_namespace

    schema = range_var.get("schemaname")
    if range_var.get("relpersistence") == "t":
        if schema not in (None, "pg_temp"):
            message = "cannot create temporary relation in non-temporary schema"
            raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
        return temporary_namespace(execution)
    if schema == "pg_temp":
        if range_var.get("relpersistence") == "u":
            message = "only temporary relations may be created in temporary schemas"
            raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message, location=range_var.get("location"))
        range_var["relpersistence"] = "t"
        return temporary_namespace(execution)
    return creation_namespace(execution, schema, range_var["relname"], range_var.get("location"))


def insert_sequence(execution: Execution, name: str, namespace: int, parameters: Parameters, persistence: str = "p") -> int:
    """Write the rows of a new sequence."""
    complete(parameters)
    columns = [ColumnSpec(column, type_oid, not_null=True) for column, type_oid in _COLUMNS]
    oid = heap.create_relation(execution, name, namespace, "S", columns, persistence=persistence)
    execution.insert("pg_sequence", oid, seqrelid=oid, **_row(parameters))
    _insert_value(execution, oid, parameters.start or 0)
    return oid


def _row(parameters: Parameters) -> dict[str, Any]:
    return {
        "seqtypid": parameters.type_oid,
        "seqstart": parameters.start,
        "seqincrement": parameters.increment,
        "seqmax": parameters.maximum,
        "seqmin": parameters.minimum,
        "seqcache": parameters.cache,
        "seqcycle": parameters.cycle,
    }


def _insert_value(execution: Execution, oid: int, value: int, is_called: bool = False) -> None:
    sql = f'INSERT OR REPLACE INTO {schema_of(oid)}."litephant.sequence" VALUES (?, ?, ?)'
    execution.connection.execute(sql, (oid, value, int(is_called)))
    forget_value(execution, oid)


def forget_value(execution: Execution, oid: int) -> None:
    """Make the server read the sequence again."""
    if execution.session is not None:
        execution.session.sequences.forget(oid)


# ---------------------------------------------------------------------- options


def read_options(execution: Execution, options: Any, parameters: Parameters) -> Parameters:
    """The options of CREATE and ALTER SEQUENCE and of identity columns (init_params)."""
    seen: set[str] = set()
    for option in options:
        element = option["DefElem"]
        key, location = element["defname"], element.get("location")
        if key in seen:
            raise SqlError(sqlstate.SYNTAX_ERROR, "conflicting or redundant options", location=location)
        seen.add(key)
        _read_option(execution, parameters, key, element.get("arg"))
    return parameters


def _read_option(execution: Execution, parameters: Parameters, key: str, argument: Any) -> None:
    match key:
        case "as":
            old = parameters.type_oid
            parameters.type_oid, _ = typenames.resolve(execution.catalog, execution.path, argument["TypeName"])
            if parameters.type_oid not in _RANGES:
                message = "sequence type must be smallint, integer, or bigint"
                raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
            low, high = _RANGES[old]
            # A bound that was the old type's is the new type's now.
            parameters.maximum = None if parameters.maximum == high else parameters.maximum
            parameters.minimum = None if parameters.minimum == low else parameters.minimum
        case "increment":
            parameters.increment = _integer(argument)
            if parameters.increment == 0:
                raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, "INCREMENT must not be zero")
        case "start":
            parameters.start = _integer(argument)
        case "restart":
            parameters.restarts = True
            parameters.restart = None if argument is None else _integer(argument)
        case "maxvalue":
            parameters.maximum = None if argument is None else _integer(argument)
        case "minvalue":
            parameters.minimum = None if argument is None else _integer(argument)
        case "cache":
            parameters.cache = _integer(argument)
            if parameters.cache <= 0:
                message = f"CACHE ({parameters.cache}) must be greater than zero"
                raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
        case "cycle":
            parameters.cycle = bool(argument["Boolean"].get("boolval"))
        case "owned_by":
            parameters.owned_by = strings(argument["List"]["items"])
        case "sequence_name":
            parameters.name = strings(argument["List"]["items"])
        case "logged" | "unlogged":
            pass  # every sequence is written ahead


def _integer(argument: Any) -> int:
    if "Integer" in argument:
        return int(argument["Integer"].get("ival", 0))
    text = argument["Float"]["fval"]
    value = int(text) if text.lstrip("+-").isdigit() else None
    if value is None or not -(2**63) <= value < 2**63:
        message = f'invalid input syntax for type bigint: "{text}"'
        if value is not None:
            message = f'value "{text}" is out of range for type bigint'
            raise SqlError(sqlstate.NUMERIC_VALUE_OUT_OF_RANGE, message)
        raise SqlError(sqlstate.INVALID_TEXT_REPRESENTATION, message)
    return value


def complete(parameters: Parameters) -> None:
    """Fill in what was not said, and see that it fits together."""
    low, high = _RANGES[parameters.type_oid]
    ascending = parameters.increment > 0
    type_name = {oids.INT2: "smallint", oids.INT4: "integer", oids.INT8: "bigint"}[parameters.type_oid]
    if parameters.maximum is None:
        parameters.maximum = high if ascending else -1
    if parameters.minimum is None:
        parameters.minimum = 1 if ascending else low
    for word, value in (("MAXVALUE", parameters.maximum), ("MINVALUE", parameters.minimum)):
        if not low <= value <= high:
            raise _invalid(f"{word} ({value}) is out of range for sequence data type {type_name}")
    if parameters.minimum >= parameters.maximum:
        raise _invalid(f"MINVALUE ({parameters.minimum}) must be less than MAXVALUE ({parameters.maximum})")
    if parameters.start is None:
        parameters.start = parameters.minimum if ascending else parameters.maximum
    _check_bounds("START", parameters.start, parameters)


def _check_bounds(word: str, value: int, parameters: Parameters) -> None:
    assert parameters.minimum is not None
    assert parameters.maximum is not None
    if value < parameters.minimum:
        raise _invalid(f"{word} value ({value}) cannot be less than MINVALUE ({parameters.minimum})")
    if value > parameters.maximum:
        raise _invalid(f"{word} value ({value}) cannot be greater than MAXVALUE ({parameters.maximum})")


def _invalid(message: str) -> SqlError:
    return SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)


# ---------------------------------------------------------------------- ALTER SEQUENCE


def alter_sequence(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER SEQUENCE."""
    range_var = statement["sequence"]
    relation = find_relation(execution, range_var)
    if relation is None:
        if statement.get("missing_ok"):
            execution.note(f'relation "{range_var["relname"]}" does not exist, skipping')
            return "ALTER SEQUENCE"
        relation = open_relation(execution, range_var)
    if relation.kind != "S":
        raise SqlError(
            sqlstate.WRONG_OBJECT_TYPE,
            f'cannot open relation "{relation.name}"',
            detail="This operation is not supported for tables.",
        )
    change_sequence(execution, relation, statement.get("options", ()))
    return "ALTER SEQUENCE"


def change_sequence(execution: Execution, relation: Relation, options: Any) -> None:
    """Change parameters of a sequence, and its value where RESTART says so."""
    oid = relation.oid
    row = execution.record("pg_sequence", oid, seqrelid=oid)
    parameters = Parameters(
        row["seqtypid"],
        row["seqstart"],
        row["seqincrement"],
        row["seqmin"],
        row["seqmax"],
        row["seqcache"],
        bool(row["seqcycle"]),
    )
    read_options(execution, options, parameters)
    complete(parameters)
    value, called = current_value(execution, oid)
    if parameters.restarts:
        restart = parameters.start if parameters.restart is None else parameters.restart
        assert restart is not None
        value, called = restart, False
    _check_bounds("RESTART", value, parameters)
    execution.update("pg_sequence", oid, _row(parameters), seqrelid=oid)
    _insert_value(execution, oid, value, called)
    if parameters.owned_by is not None:
        own(execution, relation, parameters.owned_by)


def current_value(execution: Execution, oid: int) -> tuple[int, bool]:
    """(last_value, is_called) as sessions see it, not as the file has it."""
    if execution.session is not None:
        found = execution.session.sequences.known(oid).get(oid)
        if found is not None:
            return found.last_value, found.is_called
    sql = f'SELECT last_value, is_called FROM {schema_of(oid)}."litephant.sequence" WHERE oid = ?'
    value, called = execution.connection.execute(sql, (oid,)).fetchone()
    return value, bool(called)


def own(execution: Execution, sequence: Relation, names: list[str]) -> None:
    """OWNED BY table.column or NONE (process_owned_by)."""
    previous = {"classid": classes.PG_CLASS, "objid": sequence.oid, "objsubid": 0, "refclassid": classes.PG_CLASS}
    for (table_oid,) in execution.select("pg_depend", sequence.oid, "refobjid", **previous, deptype="i"):
        owner = execution.catalog.relation_by_oid(table_oid)
        if owner is not None:
            detail = f'Sequence "{sequence.name}" is linked to table "{owner.name}".'
            message = "cannot change ownership of identity sequence"
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message, detail=detail)
    execution.delete("pg_depend", sequence.oid, **previous, deptype="a")
    if names == ["none"]:
        return
    if len(names) == 1:
        message = "invalid OWNED BY option"
        raise SqlError(sqlstate.SYNTAX_ERROR, message, hint="Specify OWNED BY table.column or OWNED BY NONE.")
    table = open_relation(execution, range_var_of(names[:-1]))
    if table.kind not in "rvfp":
        message = f'sequence cannot be owned by relation "{table.name}"'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message)
    if table.namespace != sequence.namespace:
        message = "sequence must be in same schema as table it is linked to"
        raise SqlError(sqlstate.OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    link(execution, sequence.oid, table.oid, column_named(table, names[-1]).attnum, "a")


def link(execution: Execution, sequence: int, table: int, attnum: int, kind: str) -> None:
    """Make a sequence part of a column: 'a' for serial and OWNED BY, 'i' for identity."""
    execution.depend(Address(classes.PG_CLASS, sequence), Address(classes.PG_CLASS, table, attnum), kind)


def owned_sequence(execution: Execution, table: int, attnum: int, kinds: str = "ai") -> int | None:
    """The sequence that belongs to a column."""
    found = execution.select(
        "pg_depend",
        table,
        "objid",
        "deptype",
        classid=classes.PG_CLASS,
        refclassid=classes.PG_CLASS,
        refobjid=table,
        refobjsubid=attnum,
    )
    for oid, kind in found:
        if kind in kinds and execution.select("pg_sequence", table, "1", seqrelid=oid):
            return int(oid)
    return None


def choose_name(execution: Execution, table: str, column: str, namespace: int) -> str:
    """t_a_seq."""
    return choose_relation_name(execution, table, column, "seq", namespace)
