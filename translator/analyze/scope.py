"""Names: what a query level can see, and how a name becomes a column (parse_relation.c).

A Scope is one query level (ParseState). Its items are the FROM entries visible so far (ParseNamespaceItem): an item may
be known by name only, by its columns only, or for LATERAL references only. Every entry carries ready expressions for its
columns, so that a merged JOIN USING column and a table's column are looked up alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze.analysis import Analysis
from translator.catalog import Relation
from translator.errors import SqlError
from translator.typed import call, typed
from translator.typed import column as column_of

if TYPE_CHECKING:
    from translator.analyze.form import QueryForm, RangeForm


@dataclass(slots=True)
class EntryColumn:
    """One column of a FROM entry: its visible name and the typed expression that stands for it."""

    name: str
    node: exp.Expr
    table_oid: int = 0
    attnum: int = 0
    expands: bool = True  # whether * means it, too
    of_side: bool = False  # merged by a join, and what one side has


@dataclass(slots=True)
class Entry:
    """A range table entry. `sql_alias` is its alias in the SQLite text ('' for a join alias, which has none)."""

    name: str
    columns: list[EntryColumn]
    sql_alias: str = ""
    relation: Relation | None = None
    kind: str = "relation"  # relation subquery function values cte join
    row_type: int = oids.RECORD
    target: bool = False
    self_reference: bool = False  # to the recursive WITH item that is being analyzed
    nullable: bool = False  # on a side of an outer join that may be filled up with NULLs
    form: RangeForm | None = None  # only if Analysis.keeps_form

    def tables(self) -> Iterator[str]:
        """The aliases that its columns are read from in the SQLite text: its own, or those of a join's sides."""
        if self.sql_alias:
            yield self.sql_alias
        for one in self.columns:
            for part in one.node.find_all(exp.Column):
                if part.table and part.table != self.sql_alias:
                    yield part.table


@dataclass(slots=True)
class Item:
    """How an entry is visible (ParseNamespaceItem)."""

    entry: Entry
    by_name: bool = True
    by_column: bool = True
    lateral_only: bool = False
    lateral_ok: bool = True
    is_target: bool = False  # the table that UPDATE, DELETE or MERGE changes
    joined: bool = False  # by JOIN, whose columns are those of its sides but for the system columns
    columns: list[EntryColumn] | None = None  # merged USING columns hide some of the entry's

    def visible_columns(self) -> list[EntryColumn]:
        """The columns that an unqualified name or * finds here."""
        return self.entry.columns if self.columns is None else self.columns


@dataclass(slots=True)
class Cte:
    """A WITH item: its columns as (name, type, typmod), and how SQLite names it."""

    name: str
    sql_name: str
    columns: list[tuple[str, int, int]]
    references: int = 0
    recursive: bool = False
    writes: bool = False
    open: bool = False  # its recursive term is being analyzed
    hidden: int = 0  # how many of the last columns * does not mean

    def __deepcopy__(self, memo: object) -> Cte:
        """Copies of a tree refer to the same WITH item."""
        return self


@dataclass(slots=True)
class ViewCheck:
    """WITH CHECK OPTION: the condition of a view, over the columns of its table, which stands under `alias`."""

    view: str
    alias: str
    condition: exp.Expr


_numbers = count(1)


@dataclass
class Scope:
    """One query level. `number` tells it from all others, also after it is gone."""

    analysis: Analysis
    parent: Scope | None = None
    items: list[Item] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)  # all of the level, also those that nothing refers to by name (p_rtable)
    ctes: dict[str, Cte] = field(default_factory=dict)
    future_ctes: set[str] = field(default_factory=set)  # WITH items that cannot be referred to yet
    clause: str = ""
    lateral_active: bool = False
    lateral_used: bool = False
    has_aggregates: bool = False
    has_windows: bool = False
    has_sets: bool = False
    windows: dict[str, Any] = field(default_factory=dict)
    view_checks: list[ViewCheck] = field(default_factory=list)  # of the view that the statement writes to
    last_set: exp.Expr | None = None  # the set-returning call that was analyzed last (p_last_srf)
    number: int = field(default_factory=lambda: next(_numbers))
    merge_action: exp.Expr | None = None  # what merge_action() means, in RETURNING of MERGE
    columns_only: str = ""  # a clause whose columns must not be subqueries, … (words the error)
    form: QueryForm | None = None  # of a query's own level, only if Analysis.keeps_form

    def child(self) -> Scope:
        """The scope of a subquery."""
        return Scope(self.analysis, self)

    def find_cte(self, name: str) -> Cte | None:
        """The WITH item of that name, from this level outwards."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes:
                return scope.ctes[name]
            scope = scope.parent
        return None

    def add(self, entry: Entry, **visibility: Any) -> Item:
        """Make an entry visible."""
        item = Item(entry, **visibility)
        self.items.append(item)
        self.entries.append(entry)
        return item


def check_names(items: list[Item], others: list[Item], location: int | None = None) -> None:
    """Two items of one name cannot be told apart. Raises 42712 (checkNameSpaceConflicts)."""
    for left in items:
        for right in others:
            if not (left.by_name and right.by_name) or left.entry.name != right.entry.name or not left.entry.name:
                continue
            one, two = left.entry, right.entry
            if not (one.target or two.target) and _are_namesakes(one, two):
                continue
            raise SqlError(codes.DUPLICATE_ALIAS, f'table name "{left.entry.name}" specified more than once', location=location)


def _are_namesakes(one: Entry, two: Entry) -> bool:
    """Two tables of different schemas under their own names, which a schema can tell apart."""
    if one.relation is None or two.relation is None or one.relation.oid == two.relation.oid:
        return False
    return one.relation.name == one.name and two.relation.name == two.name


def use(column: EntryColumn, location: int | None) -> exp.Expr:
    """A fresh copy of the column's expression, placed where the name stands."""
    node = column.node.copy()
    if location is not None:
        node.meta["location"] = location
    node.meta["column"] = (column.table_oid, column.attnum)
    return node


def find_column(scope: Scope, name: str, location: int | None) -> exp.Expr | None:
    """An unqualified column name, from the innermost level outwards (colNameToVar). Raises 42702 if ambiguous."""
    level: Scope | None = scope
    while level is not None:
        found = _columns_at(level, name, location)
        if len(found) > 1:
            raise SqlError(codes.AMBIGUOUS_COLUMN, f'column reference "{name}" is ambiguous', location=location)
        if found:
            item, column = found[0]
            _note_use(level, item)
            return use(column, location)
        level = level.parent
    return None


def _columns_at(level: Scope, name: str, location: int | None) -> list[tuple[Item, EntryColumn]]:
    found = []
    for item in level.items:
        if not item.by_column or (item.lateral_only and not level.lateral_active):
            continue
        matches = [column for column in item.visible_columns() if column.name == name]
        if matches:
            _check_lateral(item, location)
        found += [(item, column) for column in matches]
    return found


def _check_lateral(item: Item, location: int | None) -> None:
    if item.lateral_only and not item.lateral_ok:
        detail = "The combining JOIN type must be INNER or LEFT for a LATERAL reference."
        if item.is_target:
            detail = (
                f'There is an entry for table "{item.entry.name}", but it cannot be referenced from this part of the query.'
            )
        raise SqlError(
            codes.INVALID_COLUMN_REFERENCE,
            f'invalid reference to FROM-clause entry for table "{item.entry.name}"',
            detail=detail,
            location=location,
        )


def _note_use(level: Scope, item: Item) -> None:
    """Remember that a lateral item was used."""
    if item.lateral_only:
        level.lateral_used = True


def find_item(scope: Scope, schema: str | None, name: str, location: int | None) -> Item | None:
    """The FROM item that a qualifier names (refnameNamespaceItem). Raises 42P09 if ambiguous."""
    wanted = _relation_oid(scope.analysis, schema, name) if schema is not None else 0
    level: Scope | None = scope
    while level is not None:
        found = [
            item
            for item in level.items
            if item.by_name
            and not (item.lateral_only and not level.lateral_active)
            and item.entry.name == name
            and (schema is None or (item.entry.relation is not None and item.entry.relation.oid == wanted))
        ]
        if len(found) > 1:
            raise SqlError(codes.AMBIGUOUS_ALIAS, f'table reference "{name}" is ambiguous', location=location)
        if found:
            _check_lateral(found[0], location)
            _note_use(level, found[0])
            return found[0]
        level = level.parent
    return None


def _relation_oid(analysis: Analysis, schema: str, name: str) -> int:
    namespace = analysis.catalog.namespace(schema)
    relation = analysis.catalog.relation(namespace, name) if namespace is not None else None
    return relation.oid if relation is not None else -1


def column_reference(scope: Scope, fields: list[str], location: int | None) -> exp.Expr:
    """A ColumnRef of one to four names (transformColumnRef). Raises 42703, 42P01 and kin."""
    from translator.analyze.row_functions import function_of_row
    from translator.analyze.suggestions import missing_column

    name = fields[-1]
    if len(fields) == 1:
        node = find_column(scope, name, location) or _unqualified_system_column(scope, name, location)
        if node is None:
            item = find_item(scope, None, name, location)
            if item is not None:
                return whole_row(item.entry, location)
            node = _parameter(scope, fields, location)
            if node is None:
                raise missing_column(scope, None, name, location)
        return node
    schema = fields[-3] if len(fields) > 2 else None
    if len(fields) == 4 and fields[0] != scope.analysis.settings.database:
        raise SqlError(
            codes.FEATURE_NOT_SUPPORTED,
            f"cross-database references are not implemented: {'.'.join(fields)}",
            location=location,
        )
    item = find_item(scope, schema, fields[-2], location)
    if item is None:
        node = _parameter(scope, fields, location)
        if node is not None:
            return node
        raise missing_entry(scope, fields[-2], location)
    found = [column for column in item.entry.columns if column.name == name]
    if len(found) > 1:
        raise SqlError(codes.AMBIGUOUS_COLUMN, f'column reference "{name}" is ambiguous', location=location)
    if found:
        return use(found[0], location)
    system = system_column(item.entry, name, location)
    if system is not None:
        return system
    made = function_of_row(scope, whole_row(item.entry, location), name, location)
    if made is not None:
        return made
    raise missing_column(scope, fields[-2], name, location)


def _parameter(scope: Scope, fields: list[str], location: int | None) -> exp.Expr | None:
    """A name that is no column but a parameter of the SQL function whose body this is."""
    from translator.analyze.subscripts import field

    found = scope.analysis.parameters.named(fields)
    if found is None:
        return None
    node, steps = found
    for step in steps:
        node = field(scope, node, step, location)
    return node


# System columns (manual, "System Columns") that have a meaning here: the type, by name.
_SYSTEM_COLUMNS = {"tableoid": oids.OID, "ctid": 27, "xmin": 28, "xmax": 28, "cmin": 29, "cmax": 29}


def system_column(entry: Entry, name: str, location: int | None) -> exp.Expr | None:
    """A system column of a table, or None: tableoid, ctid; the others have their type and a value that never changes."""
    if entry.relation is None or name not in _SYSTEM_COLUMNS or entry.relation.kind not in "rmpS":
        return None
    type_oid = _SYSTEM_COLUMNS[name]
    if entry.form is not None:
        return typed(column_of(entry.sql_alias, name), type_oid, -1, location)
    if name == "tableoid":
        return typed(exp.Literal(this=str(entry.relation.oid), is_string=False), type_oid, -1, location)
    if name == "ctid":
        return typed(call("row:ctid", _rowid(entry)), type_oid, -1, location)
    return typed(exp.Literal(this="2" if name == "xmin" else "0", is_string=False), type_oid, -1, location)


def _unqualified_system_column(scope: Scope, name: str, location: int | None) -> exp.Expr | None:
    """The system column of the one table of the nearest level that has it. Raises 42702 if several have."""
    level: Scope | None = scope if name in _SYSTEM_COLUMNS else None
    while level is not None:
        found = []
        for item in level.items:
            if item.joined or not item.by_column or (item.lateral_only and not level.lateral_active):
                continue
            node = system_column(item.entry, name, location)
            if node is not None:
                found.append((item, node))
        if len(found) > 1:
            raise SqlError(codes.AMBIGUOUS_COLUMN, f'column reference "{name}" is ambiguous', location=location)
        if found:
            _note_use(level, found[0][0])
            return found[0][1]
        level = level.parent
    return None


_MARK_LATERAL = "To reference that table, you must mark this subquery with LATERAL."


def missing_entry(scope: Scope, name: str, location: int | None) -> SqlError:
    """The error for an unknown qualifier (errorMissingRTE): what stands in FROM under another name gets a hint."""
    level: Scope | None = scope
    while level is not None:
        for entry in [*level.entries, *(item.entry for item in level.items)]:
            is_table = entry.relation is not None and entry.relation.name == name
            if not is_table and entry.name != name:
                continue
            item = next((item for item in level.items if item.entry is entry), None)
            error = SqlError(
                codes.UNDEFINED_TABLE, f'invalid reference to FROM-clause entry for table "{name}"', location=location
            )
            if entry.name != name and item is not None and item.by_name and not item.lateral_only:
                error.hint = f'Perhaps you meant to reference the table alias "{entry.name}".'
                return error
            error.detail = f'There is an entry for table "{name}", but it cannot be referenced from this part of the query.'
            if item is not None and item.lateral_ok and (item.lateral_only or level is not scope):
                error.hint = _MARK_LATERAL
            return error
        level = level.parent
    return SqlError(codes.UNDEFINED_TABLE, f'missing FROM-clause entry for table "{name}"', location=location)


def whole_row(entry: Entry, location: int | None) -> exp.Expr:
    """A reference to a whole FROM entry as one composite value (transformWholeRowRef)."""
    if entry.kind == "function" and len(entry.columns) == 1 and entry.row_type == 0:
        return use(entry.columns[0], location)
    node = call("row:construct", *[use(column, location) for column in entry.columns])
    node.meta["names"] = tuple(column.name for column in entry.columns)
    node.meta["construct"] = f"{entry.name}.*"
    typed(node, entry.row_type or oids.RECORD, -1, location)
    if entry.form is not None:
        node.meta["row_of"] = entry.form.key
        return node
    if not entry.nullable or not entry.columns:
        return node
    # the row that an outer join makes up is NULL, which a row of NULLs is not; SQLite's rowid tells, where there is one
    relation = entry.relation
    stored = relation is not None and relation.where in ("main", "temp") and relation.kind in "rm" and relation.rowid
    tests = [_rowid(entry)] if stored else [use(column, None) for column in entry.columns]
    missing: exp.Expr | None = None
    for test in tests:
        null = exp.Is(this=exp.Paren(this=test), expression=exp.Null())
        missing = null if missing is None else exp.And(this=missing, expression=null)
    case = exp.Case(ifs=[exp.If(this=missing, true=typed(exp.Null(), oids.RECORD))], default=node)
    case.meta["field_names"] = list(node.meta["names"])
    case.meta["field_types"] = [column.node.meta["type"] for column in entry.columns]
    return typed(case, entry.row_type or oids.RECORD, -1, location)


def _rowid(entry: Entry) -> exp.Expr:
    assert entry.relation is not None
    name = exp.Identifier(this=entry.relation.rowid, quoted=True)
    return typed(exp.Column(this=name, table=exp.Identifier(this=entry.sql_alias, quoted=True)), oids.INT8)


def hide_columns(item: Item, names: set[str]) -> Item:
    """The item without the columns that a USING join merged."""
    return replace(item, columns=[column for column in item.visible_columns() if column.name not in names])
