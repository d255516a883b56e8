"""CREATE DOMAIN and ALTER DOMAIN (typecmds.c). Constraints of a domain are checked by the translator when it coerces to it."""

from collections.abc import Iterator
from typing import Any

from proxy.ddl import heap
from proxy.ddl.columns import column_collation
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import freeze, record_references
from proxy.ddl.initial_rights import initial_rights
from proxy.ddl.names import choose_constraint_name, find_column, quote, strings
from proxy.ddl.types import open_type, refuse_existing, type_namespace
from proxy.pg_catalog import classes
from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.stored_expressions import value_keyword, value_relation
from translator import compiler, oids, sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Relation
from translator.errors import SqlError
from translator.rows import TypeRow

_DOMAIN_IN, _DOMAIN_RECV = 2597, 2598
_COPIED = ("typlen", "typbyval", "typcategory", "typdelim", "typoutput", "typsend", "typanalyze", "typalign", "typstorage")


def create_domain(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE DOMAIN name AS type [DEFAULT …] [constraint …]."""
    names = strings(statement["domainname"])
    namespace = type_namespace(execution, names)
    name = names[-1]
    refuse_existing(execution, namespace, name)
    node = statement["typeName"]
    base, typmod = typenames.resolve(execution.catalog, execution.path, node)
    row = execution.catalog.type(base)
    if row.kind == "p":
        shown = typenames.display(execution.catalog, base)
        raise SqlError(
            sqlstate.DATATYPE_MISMATCH, f'"{shown}" is not a valid base type for a domain', location=node.get("location")
        )
    collation = column_collation(execution, base, statement.get("collClause"))
    oid = _insert_type(execution, name, namespace, row, typmod, collation, len(node.get("arrayBounds", ())))
    constraints = [item["Constraint"] for item in statement.get("constraints", ())]
    _check_nullability(constraints)
    for constraint in constraints:
        _add(execution, oid, constraint)
    return "CREATE DOMAIN"


def _check_nullability(constraints: list[dict[str, Any]]) -> None:
    """Of NULL and NOT NULL there is one."""
    said = ""
    for node in constraints:
        kind = node["contype"]
        if kind not in ("CONSTR_NULL", "CONSTR_NOTNULL"):
            continue
        if said and said != kind:
            message = "conflicting NULL/NOT NULL constraints"
            raise SqlError(sqlstate.SYNTAX_ERROR, message, location=node.get("location"))
        if said == kind == "CONSTR_NOTNULL":
            message = "redundant NOT NULL constraint definition"
            raise SqlError(sqlstate.INVALID_OBJECT_DEFINITION, message, location=node.get("location"))
        said = kind


def _insert_type(
    execution: Execution, name: str, namespace: int, base: TypeRow, typmod: int, collation: int, dimensions: int
) -> int:
    oid, array = execution.new_oid(), execution.new_oid()
    facts = record(execution.connection, "pg_type", base.oid)
    assert facts is not None
    execution.insert(
        "pg_type",
        oid,
        **{column: facts[column] for column in _COPIED},
        oid=oid,
        typname=name,
        typnamespace=namespace,
        typowner=execution.owner,
        typacl=initial_rights(execution, "T", namespace),
        typtype="d",
        typarray=array,
        typinput=_DOMAIN_IN,
        typreceive=_DOMAIN_RECV,
        typbasetype=base.oid,
        typtypmod=typmod,
        typndims=dimensions,
        typcollation=collation,
    )
    heap.insert_array_type(execution, array, oid, name, namespace, facts["typalign"], facts["typdelim"])
    address = Address(classes.PG_TYPE, oid)
    execution.depend(address, Address(classes.PG_NAMESPACE, namespace))
    execution.depend(address, Address(classes.PG_TYPE, base.oid))
    execution.changed()
    return oid


def _add(execution: Execution, oid: int, node: dict[str, Any]) -> None:
    row = execution.record("pg_type", oid, oid=oid)
    location = node.get("location")
    match node["contype"]:
        case "CONSTR_DEFAULT":
            if row["typdefaultbin"] is not None:
                raise SqlError(sqlstate.SYNTAX_ERROR, "multiple default expressions", location=location)
            _set_default(execution, row, node["raw_expr"])
        case "CONSTR_NOTNULL":
            if node.get("is_no_inherit"):
                message = "not-null constraints for domains cannot be marked NO INHERIT"
                raise SqlError(sqlstate.INVALID_OBJECT_DEFINITION, message, location=location)
            if not row["typnotnull"]:
                _set_not_null(execution, row, node.get("conname"))
        case "CONSTR_NULL":
            pass
        case "CONSTR_CHECK":
            if node.get("is_no_inherit"):
                message = "check constraints for domains cannot be marked NO INHERIT"
                raise SqlError(sqlstate.INVALID_OBJECT_DEFINITION, message, location=location)
            _add_check(execution, row, node)
        case "CONSTR_UNIQUE":
            raise SqlError(sqlstate.SYNTAX_ERROR, "unique constraints not possible for domains", location=location)
        case "CONSTR_PRIMARY":
            raise SqlError(sqlstate.SYNTAX_ERROR, "primary key constraints not possible for domains", location=location)
        case "CONSTR_FOREIGN":
            raise SqlError(sqlstate.SYNTAX_ERROR, "foreign key constraints not possible for domains", location=location)
        case "CONSTR_EXCLUSION":
            raise SqlError(sqlstate.SYNTAX_ERROR, "exclusion constraints not possible for domains", location=location)
        case "CONSTR_GENERATED" | "CONSTR_IDENTITY":
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, "specifying GENERATED not supported for domains", location=location)
        case _:
            message = "specifying constraint deferrability not supported for domains"
            raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message, location=location)
    execution.changed()


def _set_default(execution: Execution, row: dict[str, Any], node: Any) -> None:
    if node is None or node.get("A_Const", {}).get("isnull"):
        text = None
    else:
        compiled = compiler.compile_expression(
            node, execution.catalog, execution.settings, target=(row["typbasetype"], row["typtypmod"]), clause="DEFAULT"
        )
        text = freeze(execution, compiled.text)
    execution.update("pg_type", row["oid"], {"typdefaultbin": text, "typdefault": text}, oid=row["oid"])


def _set_not_null(execution: Execution, row: dict[str, Any], name: str | None) -> None:
    oid = row["oid"]
    _check_no_nulls(execution, oid)
    execution.update("pg_type", oid, {"typnotnull": True}, oid=oid)
    _insert_constraint(execution, row, "n", name or _choose(execution, row, "not_null"))


def _add_check(execution: Execution, row: dict[str, Any], node: dict[str, Any]) -> None:
    name = node.get("conname")
    if name is not None and execution.select("pg_constraint", row["oid"], "1", contypid=row["oid"], conname=name):
        raise SqlError(sqlstate.DUPLICATE_OBJECT, f'constraint "{name}" for domain "{row["typname"]}" already exists')
    compiled = compile_domain_check(execution, row, node["raw_expr"])
    text = value_keyword(freeze(execution, compiled.text))
    valid = not node.get("skip_validation")
    if valid:
        _check_stored(execution, row, compiled.sql, compiled.functions)
    oid = _insert_constraint(execution, row, "c", name or _choose(execution, row, "check"), conbin=text, convalidated=valid)
    record_references(execution, Address(classes.PG_CONSTRAINT, oid), text, node["raw_expr"])


def compile_domain_check(execution: Execution, row: dict[str, Any], node: Any) -> compiler.Expression:
    """A domain's CHECK, in which VALUE is the value."""
    relation = value_relation(row["typbasetype"], row["typtypmod"], row["typcollation"])
    return compiler.compile_expression(
        node, execution.catalog, execution.settings, relation=relation, target=(oids.BOOL, -1), clause="CHECK constraint"
    )


def _columns_of(execution: Execution, domain: int) -> Iterator[tuple[Relation, Column]]:
    """The columns of tables that are of the domain, or of one over it (get_rels_with_domain)."""
    for relation_oid, attnum in execution.select("pg_attribute", domain, "attrelid", "attnum", atttypid=domain):
        relation = execution.catalog.relation_by_oid(relation_oid)
        column = find_column(relation, attnum)
        if relation is not None and column is not None and relation.kind in "rm":
            yield relation, column
    for (derived,) in execution.select("pg_type", domain, "oid", typbasetype=domain, typtype="d"):
        yield from _columns_of(execution, derived)


def _check_no_nulls(execution: Execution, domain: int) -> None:
    """Values that columns already have obey NOT NULL (validateDomainNotNullConstraint)."""
    for relation, column in _columns_of(execution, domain):
        source = f"{relation.where}.{quote(relation.storage)} WHERE {quote(column.storage_name)} IS NULL"
        if execution.connection.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchone() is not None:
            message = f'column "{column.name}" of table "{relation.name}" contains null values'
            raise _in_column(sqlstate.NOT_NULL_VIOLATION, message, relation, column)


def _in_column(code: str, message: str, relation: Relation, column: Column) -> SqlError:
    return SqlError(code, message, schema=relation.schema, table=relation.name, column=column.name)


def _check_stored(execution: Execution, row: dict[str, Any], sql: str, functions: frozenset[str]) -> None:
    """Values that columns already have obey a new CHECK (validateDomainCheckConstraint)."""
    execution.connection.require(functions)
    for relation, column in _columns_of(execution, row["oid"]):
        source = f"SELECT {quote(column.storage_name)} AS value FROM {relation.where}.{quote(relation.storage)}"
        if execution.connection.execute(f"SELECT 1 FROM ({source}) WHERE NOT ({sql}) LIMIT 1").fetchone() is not None:
            message = f'column "{column.name}" of table "{relation.name}" contains values that violate the new constraint'
            raise _in_column(sqlstate.CHECK_VIOLATION, message, relation, column)


def _choose(execution: Execution, row: dict[str, Any], label: str) -> str:
    return choose_constraint_name(execution, row["typname"], None, label, row["typnamespace"])


def _insert_constraint(execution: Execution, row: dict[str, Any], kind: str, name: str, **values: Any) -> int:
    oid = execution.new_oid()
    execution.insert(
        "pg_constraint",
        row["oid"],
        oid=oid,
        conname=name,
        connamespace=row["typnamespace"],
        contype=kind,
        contypid=row["oid"],
        **values,
    )
    execution.depend(Address(classes.PG_CONSTRAINT, oid), Address(classes.PG_TYPE, row["oid"]), "a")
    return oid


def alter_domain(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER DOMAIN: subtype T default, N drop not null, O set not null, C add, X drop, V validate constraint."""
    names = strings(statement["typeName"])
    found = open_type(execution, names)
    if found.kind != "d":
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, f"{typenames.display(execution.catalog, found.oid)} is not a domain")
    row = execution.record("pg_type", found.oid, oid=found.oid)
    match statement["subtype"]:
        case "T" | "AD_AlterDefault":
            _set_default(execution, row, statement.get("def"))
        case "N" | "AD_DropNotNull":
            _drop_constraints(execution, row, contype="n")
            execution.update("pg_type", found.oid, {"typnotnull": False}, oid=found.oid)
        case "O" | "AD_SetNotNull":
            if not row["typnotnull"]:
                _set_not_null(execution, row, None)
        case "C" | "AD_AddConstraint":
            _add(execution, found.oid, statement["def"]["Constraint"])
        case "X" | "AD_DropConstraint":
            _drop_named(execution, row, statement)
        case "V" | "AD_ValidateConstraint":
            _validate(execution, row, statement["name"])
    execution.changed()
    return "ALTER DOMAIN"


def _drop_constraints(execution: Execution, row: dict[str, Any], **where: Any) -> bool:
    found = execution.select("pg_constraint", row["oid"], "oid", "contype", contypid=row["oid"], **where)
    for oid, kind in found:
        execution.delete("pg_constraint", row["oid"], oid=oid)
        execution.delete("pg_depend", row["oid"], classid=classes.PG_CONSTRAINT, objid=oid)
        if kind == "n":
            execution.update("pg_type", row["oid"], {"typnotnull": False}, oid=row["oid"])
    return bool(found)


def _drop_named(execution: Execution, row: dict[str, Any], statement: dict[str, Any]) -> None:
    if _drop_constraints(execution, row, conname=statement["name"]):
        return
    message = f'constraint "{statement["name"]}" of domain "{row["typname"]}" does not exist'
    if not statement.get("missing_ok"):
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    execution.note(f"{message}, skipping")


def _validate(execution: Execution, row: dict[str, Any], name: str) -> None:
    from proxy.ddl.expressions import parse_expression

    found = execution.select("pg_constraint", row["oid"], "oid", "conbin", contypid=row["oid"], conname=name)
    if not found:
        message = f'constraint "{name}" of domain "{row["typname"]}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    oid, text = found[0]
    compiled = compile_domain_check(execution, row, parse_expression(text))
    _check_stored(execution, row, compiled.sql, compiled.functions)
    execution.update("pg_constraint", row["oid"], {"convalidated": True}, oid=oid)
