"""ALTER TABLE: its subcommands, in PostgreSQL's passes (tablecmds.c): what is dropped goes first, constraints come last.

A subcommand changes catalog rows and then brings the SQLite table in line: mostly by writing its new text
(sqlite_schema.rewrite_table), by SQLite's own ADD and DROP COLUMN, or by a rebuild where the rows are stored otherwise.
"""

from collections.abc import Callable
from typing import Any

from proxy.ddl import (
    alter_column,
    alter_identity,
    alter_options,
    alter_type,
    constraints,
    defaults,
    index_copy,
    rebuild,
    sqlite_schema,
    verify,
)
from proxy.ddl.columns import ConstraintSpec, constraint_spec
from proxy.ddl.dependency import perform_deletion
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import recompile
from proxy.ddl.names import column_named, find_relation, forbid_system, strings, undefined_relation
from proxy.ddl.table import add_constraints
from proxy.pg_catalog import classes
from proxy.pg_catalog.types import physical
from translator import sqlstate
from translator.analyze import typenames
from translator.catalog import Column, Constraint, Relation
from translator.errors import SqlError, unsupported

_Command = Callable[[Execution, Relation, dict[str, Any]], None]

# Pass in which a subcommand is carried out; those not listed are in the last.
_PASSES = {"AT_DropColumn": 0, "AT_DropConstraint": 0, "AT_AlterColumnType": 1, "AT_AddColumn": 2, "AT_SetExpression": 3}
_LAST_PASS = 4

_TAGS = {
    "OBJECT_VIEW": "ALTER VIEW",
    "OBJECT_MATVIEW": "ALTER MATERIALIZED VIEW",
    "OBJECT_INDEX": "ALTER INDEX",
    "OBJECT_SEQUENCE": "ALTER SEQUENCE",
    "OBJECT_TYPE": "ALTER TYPE",
}
_KIND_WORDS = {"v": "views", "m": "materialized views", "S": "sequences", "i": "indexes", "c": "composite types"}


def alter_table(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER TABLE, and the forms of ALTER INDEX, VIEW, SEQUENCE and TYPE that the grammar gives the same shape."""
    tag = _TAGS.get(statement.get("objtype", ""), "ALTER TABLE")
    range_var = statement["relation"]
    relation = find_relation(execution, range_var)
    if relation is None:
        if not statement.get("missing_ok"):
            raise undefined_relation(range_var)
        execution.note(f'relation "{range_var["relname"]}" does not exist, skipping')
        return tag
    forbid_system(relation)
    verify.not_in_use(execution, relation, tag)
    commands = [item["AlterTableCmd"] for item in statement["cmds"]]
    for command in commands:
        _check(relation, command)
    for command in sorted(commands, key=lambda each: _PASSES.get(each["subtype"], _LAST_PASS)):
        _COMMANDS[command["subtype"]](execution, execution.relation(relation.oid), command)
        execution.changed()
    return tag


def _check(relation: Relation, command: dict[str, Any]) -> None:
    subtype = command["subtype"]
    if subtype not in _COMMANDS:
        raise unsupported(f"ALTER TABLE {_words(subtype)}")
    allowed = _ALLOWED.get(subtype, "rm")
    if relation.kind not in allowed:
        raise SqlError(
            sqlstate.WRONG_OBJECT_TYPE,
            f'ALTER action {_words(subtype)} cannot be performed on relation "{relation.name}"',
            detail=f"This operation is not supported for {_KIND_WORDS.get(relation.kind, 'relations of this kind')}.",
        )


def _words(subtype: str) -> str:
    """AT_AddColumn -> ADD COLUMN (alter_table_type_to_string)."""
    special = {
        "AT_ColumnDefault": "ALTER COLUMN ... SET DEFAULT",
        "AT_SetNotNull": "ALTER COLUMN ... SET NOT NULL",
        "AT_DropNotNull": "ALTER COLUMN ... DROP NOT NULL",
        "AT_AlterColumnType": "ALTER COLUMN ... SET DATA TYPE",
        "AT_ChangeOwner": "OWNER TO",
        "AT_SetRelOptions": "SET",
        "AT_ResetRelOptions": "RESET",
        "AT_DisableTrigAll": "DISABLE TRIGGER ALL",
        "AT_EnableTrigAll": "ENABLE TRIGGER ALL",
        "AT_DisableTrigUser": "DISABLE TRIGGER USER",
        "AT_EnableTrigUser": "ENABLE TRIGGER USER",
        "AT_EnableRowSecurity": "ENABLE ROW SECURITY",
        "AT_DisableRowSecurity": "DISABLE ROW SECURITY",
        "AT_ForceRowSecurity": "FORCE ROW SECURITY",
    }
    if subtype in special:
        return special[subtype]
    letters = subtype.removeprefix("AT_")
    return "".join(f" {c}" if c.isupper() and place else c for place, c in enumerate(letters)).upper()


# ---------------------------------------------------------------------- constraints


def _add_constraint(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    node = command["def"]["Constraint"]
    kind = node["contype"]
    if kind == "CONSTR_NOTNULL":
        _set_not_null_constraint(execution, relation, node)
        return
    if kind == "CONSTR_EXCLUSION":
        raise unsupported("EXCLUDE", node.get("location"))
    spec = constraint_spec(node, strings(node.get("fk_attrs" if kind == "CONSTR_FOREIGN" else "keys", ())))
    if spec.kind == "p" and any(each.kind == "p" for each in relation.constraints):
        message = f'multiple primary keys for table "{relation.name}" are not allowed'
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
    if "indexname" in node:
        index_copy.adopt_index(execution, relation, spec)
        rebuild.synchronize(execution, execution.relation(relation.oid))
        return
    apply_constraints(execution, relation.oid, [spec])


def apply_constraints(execution: Execution, oid: int, specs: list[ConstraintSpec]) -> None:
    """Add constraints to a table that has rows."""
    before = execution.relation(oid)
    add_constraints(execution, oid, [], specs)
    enforce(execution, before)


def enforce(execution: Execution, before: Relation) -> None:
    """The table got constraints since `before`: see that its rows obey, then make SQLite enforce them."""
    relation = execution.relation(before.oid)
    known = {each.oid for each in before.constraints}
    for constraint in relation.constraints:
        if constraint.oid not in known:
            verify_constraint(execution, relation, constraint.oid)
    rebuild.synchronize(execution, relation)
    constraints.provide_parent_keys(execution, relation)
    known_indexes = {each.oid for each in before.indexes}
    for each in relation.indexes:
        if each.oid not in known_indexes:
            sqlite_schema.ensure_index(execution, relation, each.oid)


def verify_constraint(execution: Execution, relation: Relation, oid: int) -> None:
    """Raise what PostgreSQL reports if a row violates the constraint, unless it is NOT VALID."""
    constraint = next(each for each in relation.constraints if each.oid == oid)
    if not execution.record("pg_constraint", oid, oid=oid)["convalidated"]:
        return
    match constraint.kind:
        case "n":
            column = next(each for each in relation.columns if each.attnum == constraint.columns[0])
            verify.no_nulls(execution, relation, column)
        case "c":
            compiled = recompile(execution, relation, constraint.expression, "CHECK constraint")
            verify.check_holds(execution, relation, constraint.name, compiled)
        case "f":
            verify.foreign_key_holds(execution, relation, oid)
        case "p" | "u":
            verify.no_duplicates(execution, relation, constraint.index)


def _find_constraint(execution: Execution, relation: Relation, command: dict[str, Any]) -> int | None:
    name = command["name"]
    for each in relation.constraints:
        if each.name == name:
            return each.oid
    message = f'constraint "{name}" of relation "{relation.name}" does not exist'
    if not command.get("missing_ok"):
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    execution.note(f"{message}, skipping")
    return None


def _drop_constraint(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    oid = _find_constraint(execution, relation, command)
    if oid is None:
        return
    constraint = next(each for each in relation.constraints if each.oid == oid)
    if constraint.kind == "n":
        column = next(each for each in relation.columns if each.attnum == constraint.columns[0])
        _refuse_if_needed(relation, column)
    address = Address(classes.PG_CONSTRAINT, oid)
    perform_deletion(execution, [address], cascade=command.get("behavior") == "DROP_CASCADE")


def _validate_constraint(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    oid = _find_constraint(execution, relation, command)
    assert oid is not None
    constraint = next(each for each in relation.constraints if each.oid == oid)
    if constraint.kind not in "cfn":
        message = f'cannot validate constraint "{constraint.name}" of relation "{relation.name}"'
        detail = "This operation is not supported for this type of constraint."
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message, detail=detail)
    if not constraint.enforced:
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, "cannot validate NOT ENFORCED constraint")
    execution.update("pg_constraint", relation.oid, {"convalidated": True}, oid=oid)
    verify_constraint(execution, relation, oid)


def _alter_constraint(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    node = command["def"].get("ATAlterConstraint", command["def"].get("Constraint"))
    found = next((each for each in relation.constraints if each.name == node["conname"]), None)
    if found is None:
        message = f'constraint "{node["conname"]}" of relation "{relation.name}" does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message)
    if node.get("alterInheritability"):
        raise unsupported("ALTER CONSTRAINT of inheritability")
    if node.get("alterEnforceability"):
        _alter_enforceability(execution, relation, found, enforced=bool(node.get("is_enforced")))
        return
    if found.kind != "f":
        message = f'constraint "{found.name}" of relation "{relation.name}" is not a foreign key constraint'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message)
    changes = {"condeferrable": bool(node.get("deferrable")), "condeferred": bool(node.get("initdeferred"))}
    execution.update("pg_constraint", relation.oid, changes, oid=found.oid)
    execution.changed()
    sqlite_schema.rewrite_table(execution, execution.relation(relation.oid))


def _alter_enforceability(execution: Execution, relation: Relation, found: Constraint, *, enforced: bool) -> None:
    """ALTER CONSTRAINT … [NOT] ENFORCED (ATExecAlterConstrEnforceability)."""
    if found.kind != "f":
        message = f'cannot alter enforceability of constraint "{found.name}" of relation "{relation.name}"'
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, message)
    if found.enforced == enforced:
        return
    changes = {"conenforced": enforced, "convalidated": enforced}
    execution.update("pg_constraint", relation.oid, changes, oid=found.oid)
    execution.changed()
    now = execution.relation(relation.oid)
    if enforced:
        verify.foreign_key_holds(execution, now, found.oid)
    sqlite_schema.rewrite_table(execution, now)


# ---------------------------------------------------------------------- NOT NULL and DEFAULT


def _set_not_null_constraint(execution: Execution, relation: Relation, node: dict[str, Any]) -> None:
    column = column_named(relation, strings(node["keys"])[0])
    _add_not_null(execution, relation, column, node.get("conname"), valid=not node.get("skip_validation"))


def _set_not_null(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    _add_not_null(execution, relation, column_named(relation, command["name"]), None, valid=True)


def _add_not_null(execution: Execution, relation: Relation, column: Column, name: str | None, *, valid: bool) -> None:
    if any(each.kind == "n" and each.columns == (column.attnum,) for each in relation.constraints):
        return
    constraints.add_not_null(execution, relation, column, name, valid=valid)
    enforce(execution, relation)


def _drop_not_null(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    column = column_named(relation, command["name"])
    _refuse_if_needed(relation, column)
    for each in relation.constraints:
        if each.kind == "n" and each.columns == (column.attnum,):
            perform_deletion(execution, [Address(classes.PG_CONSTRAINT, each.oid)], cascade=False)


def _refuse_if_needed(relation: Relation, column: Column) -> None:
    if any(each.kind == "p" and column.attnum in each.columns for each in relation.constraints):
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, f'column "{column.name}" is in a primary key')
    if column.identity:
        message = f'column "{column.name}" of relation "{relation.name}" is an identity column'
        raise SqlError(sqlstate.SYNTAX_ERROR, message)


def _column_default(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    column = column_named(relation, command["name"])
    node = command.get("def")
    if column.identity:
        message = f'column "{column.name}" of relation "{relation.name}" is an identity column'
        hint = None if node else "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."
        raise SqlError(sqlstate.SYNTAX_ERROR, message, hint=hint)
    if column.generated:
        message = f'column "{column.name}" of relation "{relation.name}" is a generated column'
        action = "SET EXPRESSION" if node else "DROP EXPRESSION"
        raise SqlError(sqlstate.SYNTAX_ERROR, message, hint=f"Use ALTER TABLE ... ALTER COLUMN ... {action} instead.")
    defaults.drop_default(execution, relation, column.attnum)
    if node is not None:
        defaults.add_default(execution, execution.relation(relation.oid), column.attnum, node)
    if any(each.kind == "f" for each in relation.constraints):  # one may set the column to it
        sqlite_schema.rewrite_table(execution, execution.relation(relation.oid))


# ---------------------------------------------------------------------- what only the catalog knows


def _change_owner(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    from proxy.ddl.privileges import change_relation_owner, role_oid

    change_relation_owner(execution, relation, role_oid(execution, command["newowner"]))


_STORAGE = {"PLAIN": "p", "EXTERNAL": "e", "EXTENDED": "x", "MAIN": "m"}


def _set_storage(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    column = column_named(relation, command["name"])
    name = command["def"]["String"]["sval"].upper()
    letter = physical(execution.connection, column.type_oid).storage if name == "DEFAULT" else _STORAGE.get(name)
    if letter is None:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f'invalid storage type "{name.lower()}"')
    if letter != "p" and physical(execution.connection, column.type_oid).storage == "p":
        shown = typenames.display(execution.catalog, column.type_oid)
        message = f"column data type {shown} can only have storage PLAIN"
        raise SqlError(sqlstate.FEATURE_NOT_SUPPORTED, message)
    where = {"attrelid": relation.oid, "attnum": column.attnum}
    execution.update("pg_attribute", relation.oid, {"attstorage": letter}, **where)


def _set_logged(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    persistence = "p" if command["subtype"] == "AT_SetLogged" else "u"
    execution.update("pg_class", relation.oid, {"relpersistence": persistence}, oid=relation.oid)
    for each in relation.indexes:
        execution.update("pg_class", relation.oid, {"relpersistence": persistence}, oid=each.oid)


def _replica_identity(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    kind = command["def"]["ReplicaIdentityStmt"]["identity_type"]
    if kind == "i":
        raise unsupported("REPLICA IDENTITY USING INDEX")
    execution.update("pg_class", relation.oid, {"relreplident": kind}, oid=relation.oid)


def _no_triggers(execution: Execution, relation: Relation, command: dict[str, Any]) -> None:
    """ENABLE or DISABLE TRIGGER USER: there are no user triggers to act on."""


_COMMANDS: dict[str, _Command] = {
    "AT_AddColumn": alter_column.add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AddIdentity": alter_identity.add_identity,
    "AT_AlterColumnType": alter_type.alter_column_type,
    "AT_AlterConstraint": _alter_constraint,
    "AT_ChangeOwner": _change_owner,
    "AT_ColumnDefault": _column_default,
    "AT_DisableTrigUser": _no_triggers,
    "AT_DropColumn": alter_column.drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_DropExpression": alter_column.drop_expression,
    "AT_DropIdentity": alter_identity.drop_identity,
    "AT_DropNotNull": _drop_not_null,
    "AT_EnableTrigUser": _no_triggers,
    "AT_ReplicaIdentity": _replica_identity,
    "AT_ResetOptions": alter_options.set_column_options,
    "AT_ResetRelOptions": alter_options.set_options,
    "AT_SetExpression": alter_column.set_expression,
    "AT_SetIdentity": alter_identity.set_identity,
    "AT_SetLogged": _set_logged,
    "AT_SetNotNull": _set_not_null,
    "AT_SetOptions": alter_options.set_column_options,
    "AT_SetRelOptions": alter_options.set_options,
    "AT_SetStatistics": alter_options.set_statistics,
    "AT_SetStorage": _set_storage,
    "AT_SetUnLogged": _set_logged,
    "AT_ValidateConstraint": _validate_constraint,
}
_ALLOWED = {
    "AT_AddColumn": "rc",
    "AT_AlterColumnType": "rc",
    "AT_ChangeOwner": "rmvScf",
    "AT_ColumnDefault": "rv",
    "AT_DropColumn": "rc",
    "AT_ResetRelOptions": "rmvi",
    "AT_SetRelOptions": "rmvi",
    "AT_SetStatistics": "rmi",
    "AT_AddConstraint": "r",
    "AT_SetLogged": "rS",
    "AT_SetUnLogged": "rS",
}
