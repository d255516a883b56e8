"""Column definitions: from the grammar's ColumnDef to a specification (transformColumnDefinition, parse_utilcmd.c).

Nothing is written here. A constraint that belongs to the column is either folded into it (NOT NULL, DEFAULT, identity,
generation expression) or handed on as a ConstraintSpec, as a table constraint would be.
"""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl.execution import Execution
from proxy.ddl.names import strings
from translator import oids, sqlstate
from translator.analyze import typenames
from translator.errors import SqlError, unsupported
from translator.rows import TypeRow

_SERIAL = {
    "smallserial": oids.INT2,
    "serial2": oids.INT2,
    "serial": oids.INT4,
    "serial4": oids.INT4,
    "bigserial": oids.INT8,
    "serial8": oids.INT8,
}
_SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"})
_MAX_COLUMNS = 1600

KEY_KINDS = {"CONSTR_PRIMARY": "p", "CONSTR_UNIQUE": "u", "CONSTR_CHECK": "c", "CONSTR_FOREIGN": "f", "CONSTR_EXCLUSION": "x"}
_ATTRIBUTES = frozenset(
    {
        "CONSTR_ATTR_DEFERRABLE",
        "CONSTR_ATTR_NOT_DEFERRABLE",
        "CONSTR_ATTR_DEFERRED",
        "CONSTR_ATTR_IMMEDIATE",
        "CONSTR_ATTR_ENFORCED",
        "CONSTR_ATTR_NOT_ENFORCED",
    }
)


@dataclass
class ConstraintSpec:
    """A constraint to be made: kind as in pg_constraint.contype; `node` is the grammar's Constraint."""

    kind: str
    name: str | None
    columns: list[str]
    node: dict[str, Any]
    column: str | None = None  # whose definition it stands in
    deferrable: bool = False
    deferred: bool = False
    enforced: bool = True
    enforced_said: bool = False

    @property
    def location(self) -> int | None:
        """Where it stands in the statement."""
        return self.node.get("location")


@dataclass
class ColumnSpec:
    """A column to be made."""

    name: str
    type_oid: int
    typmod: int = -1
    collation: int = 0
    dimensions: int = 0
    not_null: bool = False
    not_null_name: str | None = None
    not_null_no_inherit: bool = False
    default: Any = None  # the expression's node
    identity: str = ""
    sequence_options: list[Any] = field(default_factory=list)
    serial: bool = False
    generated: str = ""
    comment: str | None = None
    storage: str = ""
    location: int | None = None
    nulls_said: bool | None = None  # True: NOT NULL was written, False: NULL was


class ColumnReader:
    """Reads the ColumnDefs of one table; `table` is its name, for messages."""

    def __init__(self, execution: Execution, table: str) -> None:
        self._execution = execution
        self._table = table
        self.constraints: list[ConstraintSpec] = []

    def read(self, definition: dict[str, Any]) -> ColumnSpec:
        """One ColumnDef; its other constraints are added to `constraints`."""
        name = definition["colname"]
        location = definition.get("location")
        for clause in ("fdwoptions", "compression"):
            if definition.get(clause) not in (None, "default", "pglz"):
                raise unsupported(f"column option {clause}", location)
        serial = self._serial_type(definition["typeName"])
        if serial is not None:
            spec = ColumnSpec(name, serial, serial=True, not_null=True, nulls_said=None, location=location)
        else:
            spec = self._plain(name, definition, location)
        previous: ConstraintSpec | None = None
        for item in definition.get("constraints", ()):
            previous = self._constraint(spec, item["Constraint"], previous)
        if (spec.default is not None or spec.serial) and spec.identity:
            raise self._both("default and identity", spec)
        return spec

    def _plain(self, name: str, definition: dict[str, Any], location: int | None) -> ColumnSpec:
        type_name = definition["typeName"]
        type_oid, typmod = typenames.resolve(self._execution.catalog, self._execution.path, type_name)
        collation = column_collation(self._execution, type_oid, definition.get("collClause"))
        return ColumnSpec(name, type_oid, typmod, collation, len(type_name.get("arrayBounds", ())), location=location)

    def _serial_type(self, type_name: dict[str, Any]) -> int | None:
        names = strings(type_name["names"])
        found = _SERIAL.get(names[0]) if len(names) == 1 else None
        if found is not None and type_name.get("arrayBounds"):
            raise SqlError(
                sqlstate.FEATURE_NOT_SUPPORTED, "array of serial is not implemented", location=type_name.get("location")
            )
        return found

    def _constraint(self, spec: ColumnSpec, node: dict[str, Any], previous: ConstraintSpec | None) -> ConstraintSpec | None:
        kind, location = node["contype"], node.get("location")
        if kind in _ATTRIBUTES:
            apply_attribute(previous, node)
            return previous
        match kind:
            case "CONSTR_NULL":
                self._say_nulls(spec, node, not_null=False)
            case "CONSTR_NOTNULL":
                self._say_nulls(spec, node, not_null=True)
            case "CONSTR_DEFAULT":
                if spec.generated:
                    raise self._both("default and generation expression", spec, location)
                if spec.default is not None or spec.serial:
                    raise self._twice("default values", spec, None if spec.serial else location)
                spec.default = node["raw_expr"]
                if spec.identity:
                    raise self._both("default and identity", spec, location)
            case "CONSTR_IDENTITY":
                self._identity(spec, node)
            case "CONSTR_GENERATED":
                self._generated(spec, node)
            case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_CHECK" | "CONSTR_FOREIGN" | "CONSTR_EXCLUSION":
                return self._own_constraint(spec, node)
            case _:
                raise unsupported(f"column constraint {kind}", location)
        return None

    def _own_constraint(self, spec: ColumnSpec, node: dict[str, Any]) -> ConstraintSpec:
        kind = KEY_KINDS[node["contype"]]
        if kind == "p" and spec.nulls_said is False:
            raise self._conflicting(spec, node.get("location"))
        columns = [] if kind == "c" else [spec.name]
        constraint = constraint_spec(node, columns, spec.name)
        self.constraints.append(constraint)
        return constraint

    def _say_nulls(self, spec: ColumnSpec, node: dict[str, Any], *, not_null: bool) -> None:
        if (spec.nulls_said is not None and spec.nulls_said != not_null) or (not not_null and (spec.serial or spec.identity)):
            raise self._conflicting(spec, node.get("location"))
        spec.nulls_said = not_null
        if not_null:
            spec.not_null = True
            spec.not_null_name = node.get("conname") or spec.not_null_name
            spec.not_null_no_inherit = bool(node.get("is_no_inherit"))

    def _identity(self, spec: ColumnSpec, node: dict[str, Any]) -> None:
        location = node.get("location")
        if spec.identity:
            message = f'multiple identity specifications for column "{spec.name}" of table "{self._table}"'
            raise SqlError(sqlstate.SYNTAX_ERROR, message, location=location)
        if spec.generated:
            raise self._both("identity and generation expression", spec, location)
        if spec.default is not None:
            raise self._both("default and identity", spec, location)
        if spec.nulls_said is False:
            raise self._conflicting(spec, location)
        check_identity_type(spec.type_oid)
        spec.identity = node["generated_when"]
        spec.sequence_options = list(node.get("options", ()))
        spec.not_null = True

    def _generated(self, spec: ColumnSpec, node: dict[str, Any]) -> None:
        location = node.get("location")
        if spec.generated:
            raise self._twice("generation clauses", spec, location)
        if spec.default is not None or spec.serial:
            raise self._both("default and generation expression", spec, location)
        if spec.identity:
            raise self._both("identity and generation expression", spec, location)
        spec.generated = node.get("generated_kind", "v")
        spec.default = node["raw_expr"]

    def _conflicting(self, spec: ColumnSpec, location: int | None) -> SqlError:
        message = f'conflicting NULL/NOT NULL declarations for column "{spec.name}" of table "{self._table}"'
        return SqlError(sqlstate.SYNTAX_ERROR, message, location=location)

    def _twice(self, what: str, spec: ColumnSpec, location: int | None) -> SqlError:
        message = f'multiple {what} specified for column "{spec.name}" of table "{self._table}"'
        return SqlError(sqlstate.SYNTAX_ERROR, message, location=location)

    def _both(self, what: str, spec: ColumnSpec, location: int | None = None) -> SqlError:
        message = f'both {what} specified for column "{spec.name}" of table "{self._table}"'
        return SqlError(sqlstate.SYNTAX_ERROR, message, location=location)


def constraint_spec(node: dict[str, Any], columns: list[str], column: str | None = None) -> ConstraintSpec:
    """A Constraint node as a specification."""
    return ConstraintSpec(
        KEY_KINDS[node["contype"]],
        node.get("conname"),
        columns,
        node,
        column,
        bool(node.get("deferrable")),
        bool(node.get("initdeferred")),
        enforced=node["contype"] not in ("CONSTR_CHECK", "CONSTR_FOREIGN") or bool(node.get("is_enforced")),
    )


def apply_attribute(constraint: ConstraintSpec | None, node: dict[str, Any]) -> None:
    """DEFERRABLE and kin, which the grammar gives as separate constraints after the one they are about."""
    kind, location = node["contype"], node.get("location")
    clause = {
        "CONSTR_ATTR_DEFERRABLE": "DEFERRABLE",
        "CONSTR_ATTR_NOT_DEFERRABLE": "NOT DEFERRABLE",
        "CONSTR_ATTR_DEFERRED": "INITIALLY DEFERRED",
        "CONSTR_ATTR_IMMEDIATE": "INITIALLY IMMEDIATE",
        "CONSTR_ATTR_ENFORCED": "ENFORCED",
        "CONSTR_ATTR_NOT_ENFORCED": "NOT ENFORCED",
    }[kind]
    if clause.endswith("ENFORCED"):
        if constraint is None or constraint.kind not in "cf":
            raise SqlError(sqlstate.SYNTAX_ERROR, f"misplaced {clause} clause", location=location)
        if constraint.enforced_said:
            message = "multiple ENFORCED/NOT ENFORCED clauses not allowed"
            raise SqlError(sqlstate.SYNTAX_ERROR, message, location=location)
        constraint.enforced, constraint.enforced_said = clause == "ENFORCED", True
        return
    if constraint is None or constraint.kind not in "pufx":
        raise SqlError(sqlstate.SYNTAX_ERROR, f"misplaced {clause} clause", location=location)
    if kind == "CONSTR_ATTR_DEFERRABLE":
        constraint.deferrable = True
    elif kind == "CONSTR_ATTR_NOT_DEFERRABLE" and constraint.deferred:
        message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE"
        raise SqlError(sqlstate.SYNTAX_ERROR, message, location=location)
    elif kind == "CONSTR_ATTR_DEFERRED":
        constraint.deferrable = constraint.deferred = True


def column_collation(execution: Execution, type_oid: int, clause: dict[str, Any] | None) -> int:
    """The collation of a column: the one that is named, else that of its type (GetColumnDefCollation)."""
    row = execution.catalog.type(type_oid)
    inherent = _inherent_collation(execution, row)
    clause = clause and clause.get("CollateClause", clause)
    if not clause:
        return inherent
    location = clause.get("location")
    name = strings(clause["collname"])[-1]
    collation = find_collation(execution, name)
    if collation is None:
        message = f'collation "{name}" for encoding "UTF8" does not exist'
        raise SqlError(sqlstate.UNDEFINED_OBJECT, message, location=location)
    if not inherent:
        message = f"collations are not supported by type {typenames.display(execution.catalog, type_oid)}"
        raise SqlError(sqlstate.DATATYPE_MISMATCH, message, location=location)
    return collation


def find_collation(execution: Execution, name: str) -> int | None:
    """The OID of a collation."""
    from translator.data import load

    for oid, collation in load("pg_collation").select("oid", "collname"):
        if collation == name:
            return int(oid)
    return None


def _inherent_collation(execution: Execution, row: TypeRow) -> int:
    element = row.element and row.length == -1
    if element and not row.collation:
        return execution.catalog.type(row.element).collation
    return row.collation


def check_identity_type(type_oid: int) -> None:
    """Identity columns count, so they are integers."""
    if type_oid not in (oids.INT2, oids.INT4, oids.INT8):
        message = "identity column type must be smallint, integer, or bigint"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)


def check_columns(execution: Execution, columns: list[ColumnSpec], kind: str = "r") -> None:
    """Names are unique and not the system's; types may be those of columns (CheckAttributeNamesTypes)."""
    if len(columns) > _MAX_COLUMNS:
        raise SqlError(sqlstate.TOO_MANY_COLUMNS, f"tables can have at most {_MAX_COLUMNS} columns")
    seen: set[str] = set()
    for column in columns:
        if column.name in _SYSTEM_COLUMNS and kind in "rmf":
            message = f'column name "{column.name}" conflicts with a system column name'
            raise SqlError(sqlstate.DUPLICATE_COLUMN, message)
        if column.name in seen:
            raise SqlError(sqlstate.DUPLICATE_COLUMN, f'column "{column.name}" specified more than once')
        seen.add(column.name)
        check_column_type(execution, column.name, column.type_oid)


def check_column_type(execution: Execution, name: str, type_oid: int) -> None:
    """A column is not of a pseudo-type (CheckAttributeType)."""
    row = execution.catalog.type(type_oid)
    if row.kind == "p":
        message = f'column "{name}" has pseudo-type {typenames.display(execution.catalog, type_oid)}'
        raise SqlError(sqlstate.INVALID_TABLE_DEFINITION, message)
