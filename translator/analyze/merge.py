"""MERGE (transformMergeStmt): always gathered and applied.

First the join of target and source is collected with the number of the WHEN clause that each row meets; then the values of
the new rows, each clause's expressions evaluated for its own rows only; then rows are deleted, updated and inserted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from translator import oids
from translator import sqlstate as codes
from translator.analyze import insert, returning, view_target
from translator.analyze.changes import Change, Delete, Update, both
from translator.analyze.from_clause import transform_item
from translator.analyze.insertion import identifier
from translator.analyze.program import Action, Gathered, Gathering, plain_select, substitute
from translator.analyze.returning import null_like
from translator.analyze.scope import Item, Scope
from translator.analyze.writes import generated_value
from translator.catalog import Column, Relation
from translator.errors import SqlError, unsupported
from translator.typed import column, string, type_of, typed, typmod_of

Node = dict[str, Any]

_MATCHED, _BY_SOURCE, _BY_TARGET = (
    "MERGE_WHEN_MATCHED",
    "MERGE_WHEN_NOT_MATCHED_BY_SOURCE",
    "MERGE_WHEN_NOT_MATCHED_BY_TARGET",
)
_COMMANDS = {"CMD_UPDATE": "UPDATE", "CMD_DELETE": "DELETE", "CMD_INSERT": "INSERT", "CMD_NOTHING": ""}


@dataclass(slots=True)
class When:
    """A WHEN clause. `values`: what the new row's columns become, by attnum; `command` is empty for DO NOTHING."""

    match: str
    command: str
    condition: exp.Expr | None = None
    values: dict[int, exp.Expr] = field(default_factory=dict)


def transform(scope: Scope, value: Node) -> Change:
    """A MergeStmt."""
    from translator.analyze.expressions import transform_condition

    clauses = [item["MergeWhenClause"] for item in value["mergeWhenClauses"]]
    _check_reachable(clauses)
    goal = view_target.resolve(scope, value["relation"], "MERGE")
    if goal.visible is not goal.entry:
        raise unsupported("MERGE into a view")
    relation, entry, table = goal.relation, goal.entry, goal.table
    source = transform_item(scope, value["sourceRelation"])
    if any(item.by_name and item.entry.name == entry.name for item in source.items):
        raise SqlError(
            codes.DUPLICATE_ALIAS,
            f'name "{entry.name}" specified more than once',
            detail="The name is used both as MERGE target table and data source.",
        )
    target = Item(entry)
    made = Merge(scope, relation, entry, table)
    made.source = source.tree
    if any(clause["matchKind"] == _BY_SOURCE for clause in clauses):
        made.source, made.present = _marked(scope, source.tree, source.items)
    scope.items = [*source.items, target]
    made.where = transform_condition(scope, value["joinCondition"], "JOIN conditions", "JOIN/ON")
    for clause in clauses:
        made.whens.append(_when(scope, relation, source.items, target, clause))
    scope.items = [*source.items, target]
    scope.merge_action = typed(column(made.action_alias, "action"), oids.TEXT)
    made.returning = returning.transform(scope, value, entry)
    return made


def _check_reachable(clauses: list[Node]) -> None:
    """Raises 42601."""
    final = set()
    for clause in clauses:
        kind = clause["matchKind"]
        if kind in final:
            raise SqlError(codes.SYNTAX_ERROR, "unreachable WHEN clause specified after unconditional WHEN clause")
        if "condition" not in clause:
            final.add(kind)


def _marked(scope: Scope, tree: exp.Expr, items: list[Item]) -> tuple[exp.Expr, exp.Expr]:
    """The source with a column that tells its rows from the NULLs of an outer join."""
    alias = scope.analysis.alias("source")
    expressions: list[exp.Expr] = [exp.Alias(this=exp.Literal.number(1), alias=exp.Identifier(this="present", quoted=True))]
    for item in items:
        for entry_column in {id(one): one for one in [*item.entry.columns, *item.visible_columns()]}.values():
            name, node = f"s{len(expressions)}", entry_column.node
            expressions.append(exp.Alias(this=node, alias=exp.Identifier(this=name, quoted=True)))
            entry_column.node = typed(column(alias, name), type_of(node), typmod_of(node))
    joins = list(tree.args.get("joins") or ())
    tree.set("joins", None)
    query = plain_select(expressions, tree, joins=joins)
    source = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
    return source, typed(column(alias, "present"), oids.INT4)


def _when(scope: Scope, relation: Relation, source: list[Item], target: Item, clause: Node) -> When:
    """A WHEN clause, which sees the rows that it is for."""
    from translator.analyze.expressions import transform_condition

    match, command = clause["matchKind"], _COMMANDS[clause["commandType"]]
    seen = {_MATCHED: {"source", "target"}, _BY_SOURCE: {"target"}, _BY_TARGET: {"source"}}[match]
    scope.items = [
        *(item if "source" in seen else _hidden(item) for item in source),
        target if "target" in seen else _hidden(target),
    ]
    made = When(match, command)
    if "condition" in clause:
        made.condition = transform_condition(scope, clause["condition"], "MERGE WHEN conditions", "WHEN")
    if command == "UPDATE":
        made.values = insert.assignments(scope, relation, clause["targetList"], "UPDATE")
    elif command == "INSERT":
        made.values = _inserted(scope, relation, clause)
    return made


def _hidden(item: Item) -> Item:
    return Item(item.entry, by_name=False, by_column=False)


def _inserted(scope: Scope, relation: Relation, clause: Node) -> dict[int, exp.Expr]:
    row = {"List": {"items": clause["values"]}} if clause.get("values") else None
    columns, values = insert.single_row(scope, relation, clause.get("targetList"), row, clause)
    return {item.attnum: value for item, value in zip(columns, values, strict=True)}


@dataclass
class Merge(Change):
    """`source`: the data source; `present`: not NULL for its rows, where that must be known; `where`: the join condition."""

    tag = "MERGE"

    source: exp.Expr = field(default_factory=exp.Expression)
    present: exp.Expr | None = None
    whens: list[When] = field(default_factory=list)
    action_alias: str = ""

    def __post_init__(self) -> None:
        self.action_alias = self.scope.analysis.alias("merge action")

    def single(self) -> Action | None:
        """There is no such statement."""
        return None

    def gather(self, *, shared: bool) -> Gathered:
        """before: MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.x
                   WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.x) RETURNING merge_action(), s.y
        after:  1. collect: SELECT t.rowid AS c0, CASE WHEN NOT t.rowid IS NULL THEN 1 WHEN t.rowid IS NULL THEN 2 END AS c1,
                   s.x AS c2, s.id AS c3, s.y AS c4 FROM s LEFT JOIN t ON t.id = s.id
                2. collect: SELECT c0, c1, CASE c1 WHEN 1 THEN c2 WHEN 2 THEN c2 ELSE … END AS c2, …, c4 FROM (1) WHERE c1 IN (1, 2)
                3. result: SELECT CASE c1 WHEN 1 THEN 'UPDATE' … END, c4 FROM (2)
                4. UPDATE t SET a = c2 FROM (2) WHERE t.rowid = c0 AND c1 = 1, and likewise DELETE, INSERT
        """
        rows = _Rows(self)
        returned, after = rows.returned(), rows.apply()
        return Gathered(rows.gather(), returned, after)

    def numbers(self, *commands: str) -> list[int]:
        """The numbers of the WHEN clauses with these commands."""
        return [number for number, when in enumerate(self.whens, 1) if when.command in commands]


class _Rows:
    """The gathered rows of one MERGE: `joined` with the clause that each meets, `changed` with the new rows."""

    def __init__(self, merge: Merge) -> None:
        analysis = merge.scope.analysis
        self._merge = merge
        self.joined, self.changed = Gathering(analysis), Gathering(analysis)
        self._found: dict[tuple[str, str], exp.Column] = {}
        self._passed: dict[str, exp.Column] = {}
        entry = merge.entry
        self._rowid = typed(column(entry.sql_alias, merge.relation.rowid), oids.INT8)
        self._visible = {table for item in merge.scope.items for table in item.entry.tables()}
        joined_rowid = self.joined.add(self._rowid)
        joined_number = self.joined.add(typed(self._number(), oids.INT4))
        self.changed.add(joined_rowid)
        self._joined_number = joined_number
        self.number = self.changed.add(joined_number)
        self._values = {attnum: self.changed.add(self._value(attnum)) for attnum in self._attnums()}

    def _number(self) -> exp.Expr:
        """Which WHEN clause a joined row meets, NULL for none."""
        branches = []
        for number, when in enumerate(self._merge.whens, 1):
            condition = both(self._matches(when.match), when.condition)
            branches.append(exp.If(this=condition, true=exp.Literal.number(number)))
        return exp.Case(ifs=branches)

    def _matches(self, match: str) -> exp.Expr:
        present, source = self._rowid, self._merge.present
        if match == _BY_TARGET:
            return _is_null(present)
        if source is None:
            return _is_not_null(present)
        if match == _BY_SOURCE:
            return exp.And(this=_is_not_null(present), expression=_is_null(source))
        return exp.And(this=_is_not_null(present), expression=_is_not_null(source))

    def _attnums(self) -> list[int]:
        """The columns that some clause gives a value."""
        given = {attnum for when in self._merge.whens for attnum in when.values}
        return [item.attnum for item in self._merge.relation.columns if item.attnum in given]

    def _value(self, attnum: int) -> exp.Expr:
        """A column of the new row, by clause; as it was (NULL for a new row) where no clause sets it."""
        item = self._column(attnum)
        branches = []
        for number, when in enumerate(self._merge.whens, 1):
            if attnum in when.values:
                value = substitute(when.values[attnum].copy(), self._from_join)
                branches.append(exp.If(this=_equals(self._joined_number, number), true=value))
        old = next(one.node.copy() for one in self._merge.entry.columns if one.attnum == attnum)
        old = substitute(old, self._from_join)
        return typed(exp.Case(ifs=branches, default=old), item.type_oid, item.typmod)

    def _column(self, attnum: int) -> Column:
        return next(item for item in self._merge.relation.columns if item.attnum == attnum)

    def _from_join(self, part: exp.Column) -> exp.Expr | None:
        """A column of target or source as the first collection has it."""
        if part.table not in self._visible:
            return None
        key = (part.table, part.name)
        if key not in self._found:
            node = part.copy()
            self._found[key] = self.joined.add(node if "type" in node.meta else typed(node, oids.INT8))
        return self._found[key].copy()

    def _passed_on(self, part: exp.Column) -> exp.Expr | None:
        """A column of target or source as the second collection has it."""
        found = self._from_join(part)
        if found is None:
            return None
        assert isinstance(found, exp.Column)
        if found.name not in self._passed:
            self._passed[found.name] = self.changed.add(found)
        return self._passed[found.name].copy()

    def gather(self) -> list[Action]:
        """Collect. Call it when everything was asked for: the lists of columns grow until then."""
        merge = self._merge
        changes = merge.numbers("UPDATE", "DELETE", "INSERT")
        modified = _one_of(self._joined_number, merge.numbers("UPDATE", "DELETE"))
        again = exp.Case(ifs=[exp.If(this=modified, true=self.joined.reference(0))])
        joined = self.joined.query(self._join())
        changed = self.changed.query(self.joined.rows(), where=exp.Where(this=_one_of(self._joined_number, changes)))
        changed.append("expressions", exp.Alias(this=again, alias=exp.Identifier(this="affected row", quoted=True)))
        return [
            Action(joined, gathering=self.joined),
            Action(changed, gathering=self.changed, once="MERGE"),
        ]

    def _join(self) -> exp.Expr:
        """Target and source: an outer join for each side whose unmatched rows a clause is for."""
        merge = self._merge
        matches = {when.match for when in merge.whens}
        target, source = merge.table.copy(), merge.source.copy()
        assert merge.where is not None
        condition = merge.where.copy()
        if _BY_SOURCE in matches:
            side = "FULL" if _BY_TARGET in matches else "LEFT"
            target.set("joins", [exp.Join(this=source, side=side, on=condition)])
            return target
        if source.args.get("joins"):
            source = exp.Subquery(this=source)
        outer = "LEFT" if _BY_TARGET in matches else None
        source.set("joins", [exp.Join(this=target, side=outer, on=condition)])
        return source

    def returned(self) -> exp.Select | None:
        """RETURNING over the changed rows."""
        merge = self._merge
        clause = merge.returning
        if clause is None:
            return None
        deletes = merge.numbers("DELETE")

        def replacement(part: exp.Column) -> exp.Expr | None:
            if part.table == merge.action_alias:
                return self._action_name()
            if part.table == clause.own:
                return self._new(part)
            if part.table == clause.new:
                kept = self._new(part)
                return _unless(_one_of(self.number, deletes), kept) if deletes else kept
            return self._old(part) if part.table == clause.old else self._passed_on(part)

        missing = {clause.old: merge.numbers("INSERT"), clause.new: deletes}
        conditions = {alias: _one_of(self.number, numbers) for alias, numbers in missing.items() if numbers}
        return clause.query(replacement, self.changed.rows(), conditions)

    def _action_name(self) -> exp.Expr:
        branches = [
            exp.If(this=_equals(self.number, number), true=string(when.command))
            for number, when in enumerate(self._merge.whens, 1)
            if when.command
        ]
        return typed(exp.Case(ifs=branches), oids.TEXT)

    def _old(self, part: exp.Column) -> exp.Expr | None:
        """A column of the target's row before, whatever alias it stands under."""
        own = part.copy()
        own.set("table", exp.Identifier(this=self._merge.entry.sql_alias, quoted=True))
        return self._passed_on(own)

    def _new(self, part: exp.Column) -> exp.Expr | None:
        """A column of the row after the change; of a deleted row, as it was."""
        _, attnum = part.meta.get("column", (0, 0))
        if attnum in self._values:
            return self._values[attnum].copy()
        item = next((one for one in self._merge.relation.columns if one.attnum == attnum), None)
        if item is None or not item.generated:
            return self._old(part)
        made = generated_value(self._merge.scope, self._merge.relation, self._merge.entry, item, dict(self._values))
        return substitute(made, self._passed_on)

    def apply(self) -> list[Action]:
        """Delete, update, insert; in this order fewer rows are in each other's way."""
        merge = self._merge
        actions: list[exp.Expr] = []
        common = (merge.scope, merge.relation, merge.entry, merge.table)
        if deletes := merge.numbers("DELETE"):
            actions.append(Delete(*common).apply(self.changed, _one_of(self.number, deletes)))
        if updates := merge.numbers("UPDATE"):
            given = {attnum for number in updates for attnum in merge.whens[number - 1].values}
            assigned: dict[int, exp.Expr] = {
                attnum: self._values[attnum].copy() for attnum in self._attnums() if attnum in given
            }
            actions.append(Update(*common).apply(self.changed, assigned, _one_of(self.number, updates)))
        if inserts := merge.numbers("INSERT"):
            actions.append(self._insert(_one_of(self.number, inserts)))
        return [Action(tree, counts=True, relation=merge.relation.oid) for tree in actions]

    def _insert(self, condition: exp.Expr) -> exp.Insert:
        merge = self._merge
        given = {attnum for when in merge.whens if when.command == "INSERT" for attnum in when.values}
        columns = [item for item in merge.relation.columns if item.attnum in given]
        items: list[exp.Expr] = [exp.Alias(this=self._values[item.attnum].copy(), alias=identifier(item)) for item in columns]
        source = plain_select(items, self.changed.rows(), where=exp.Where(this=condition))
        columns, tree = insert.finished(merge.scope, merge.relation, columns, source)
        target = exp.Schema(this=merge.table.copy(), expressions=[identifier(item) for item in columns])
        return exp.Insert(this=target, expression=tree)


def _equals(node: exp.Expr, number: int) -> exp.Expr:
    return exp.EQ(this=node.copy(), expression=exp.Literal.number(number))


def _one_of(node: exp.Expr, numbers: list[int]) -> exp.Expr:
    return exp.In(this=node.copy(), expressions=[exp.Literal.number(number) for number in numbers])


def _unless(condition: exp.Expr, node: exp.Expr | None) -> exp.Expr | None:
    if node is None:
        return None
    made = exp.Case(ifs=[exp.If(this=condition, true=null_like(node))], default=node)
    return typed(made, type_of(node), typmod_of(node))


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=node.copy(), expression=exp.Null())


def _is_not_null(node: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Paren(this=_is_null(node)))
