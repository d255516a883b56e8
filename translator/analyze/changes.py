"""UPDATE and DELETE, analyzed: the form that one SQLite statement has, and the gathered one (analyze/program.py).

`single` gives None when SQLite's statement cannot express it: RETURNING of other tables' columns, of the old row, with
subqueries. `gather` always works; it evaluates everything before anything is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp

from translator import oids
from translator.analyze.from_clause import from_and_joins, in_parentheses, joins_of
from translator.analyze.program import Action, Gathered, Gathering, equal_rowid, plain_select, substitute
from translator.analyze.returning import Returning, null_like
from translator.analyze.scope import Entry, Scope
from translator.analyze.writes import assign, enforced_checks, generated_value, generated_values
from translator.catalog import Relation
from translator.typed import column, typed


@dataclass
class Change:
    """What UPDATE and DELETE share. `sources`: the other FROM items."""

    tag: ClassVar[str]

    scope: Scope
    relation: Relation
    entry: Entry
    table: exp.Table
    sources: list[exp.Expr] = field(default_factory=list)
    where: exp.Expr | None = None
    returning: Returning | None = None

    def single(self) -> Action | None:
        """The one SQLite statement, if there is one."""
        raise NotImplementedError

    def gather(self, *, shared: bool) -> Gathered:
        """The two phases. `shared`: other parts of the statement read what this one changes."""
        raise NotImplementedError

    def action(self, tree: exp.Expr) -> Action:
        """The action that changes the table; with RETURNING if the tree has it."""
        returns = tree.args.get("returning") is not None
        return Action(tree, result=returns, counts=True, relation=self.relation.oid)


@dataclass
class Update(Change):
    """`assigned`: what SET says, by attnum."""

    tag = "UPDATE"

    assigned: dict[int, exp.Expr] = field(default_factory=dict)

    def single(self) -> Action | None:
        clause = None
        if self.returning is not None:
            clause = self.returning.single({self.returning.own, self.returning.new}, set())
            if clause is None:
                return None
        assigned = {**self.assigned, **generated_values(self.scope, self.relation, self.entry, self.assigned)}
        tree = self._update(assigned, self.table.copy())
        if self.sources:
            # SQLite puts the target before these
            first, joins = from_and_joins([in_parentheses(source.copy()) for source in self.sources])
            first.set("joins", joins)
            tree.set("from_", exp.From(this=first))
        where = both(self.where, conjunction(enforced_checks(self.scope, self.relation, self.entry, assigned)))
        if where is not None:
            tree.set("where", exp.Where(this=where.copy()))
        if clause is not None:
            tree.set("returning", clause)
        return self.action(tree)

    def gather(self, *, shared: bool) -> Gathered:
        """before: UPDATE t SET a = u.x FROM u WHERE t.id = u.id RETURNING t.id, u.y
        after:  1. collect: SELECT t.rowid AS c0, u.x AS c1, t.id AS c2, u.y AS c3 FROM t, u WHERE t.id = u.id
                2. result: SELECT c2 AS id, c3 AS y FROM (1)
                3. UPDATE t SET a = c1 FROM (1) WHERE t.rowid = c0
        """
        version = OldVersion(self)
        new = {attnum: version.gathering.add(node.copy()) for attnum, node in self.assigned.items()}
        returned = None
        if self.returning is not None:
            own, old = {self.returning.own, self.returning.new}, {self.returning.old}
            assigned: dict[int, exp.Expr] = {**new}
            assigned.update(generated_values(self.scope, self.relation, self.entry, assigned))
            row = NewRow(self.scope, self.relation, self.entry, assigned, version)

            def replacement(part: exp.Column) -> exp.Expr | None:
                if part.table in own:
                    return row.value(part)
                return version.value(part) if part.table in old else version.other(part)

            returned = self.returning.query(replacement, version.gathering.rows())
        before = version.action(distinct=bool(self.sources))
        return Gathered([before], returned, [self.action(self.apply(version.gathering, dict(new)))])

    def apply(self, gathering: Gathering, assigned: dict[int, exp.Expr], condition: exp.Expr | None = None) -> exp.Update:
        """Set the gathered values."""
        assigned = {**assigned, **generated_values(self.scope, self.relation, self.entry, assigned)}
        tree = self._update(assigned, self.table.copy())
        tree.set("from_", exp.From(this=gathering.rows()))
        where = equal_rowid(self.entry.sql_alias, self.relation.rowid, gathering.reference(0))
        checks = enforced_checks(self.scope, self.relation, self.entry, assigned)
        tree.set("where", exp.Where(this=both(both(where, condition), conjunction(checks))))
        return tree

    def _update(self, assigned: dict[int, exp.Expr], table: exp.Table) -> exp.Update:
        sets = [assign(self.scope, self.relation, self.entry, attnum, assigned) for attnum in assigned]
        if not sets:  # only generated columns, set to their default: the row changes to what it is
            rowid = exp.Identifier(this=self.relation.rowid, quoted=True)
            sets = [exp.EQ(this=exp.Column(this=rowid), expression=exp.Column(this=rowid.copy()))]
        return exp.Update(this=table, expressions=sets)


@dataclass
class Delete(Change):
    """DELETE … USING has no SQLite form: the rows to delete are found by a subquery on the rowid."""

    tag = "DELETE"

    def single(self) -> Action | None:
        """before: DELETE FROM t USING u WHERE t.a = u.a
        after:  DELETE FROM t WHERE rowid IN (SELECT t.rowid FROM t, u WHERE t.a = u.a)
        """
        clause = None
        if self.returning is not None:
            clause = self.returning.single({self.returning.own, self.returning.old}, {self.returning.new})
            if clause is None:
                return None
        where = self.where.copy() if self.where is not None else None
        table = self.table.copy()
        if self.sources:
            source, joins = joined(self)
            condition = exp.Where(this=where) if where is not None else None
            rowid = column(self.entry.sql_alias, self.relation.rowid)
            inner = plain_select([rowid], source, joins=joins, where=condition)
            own = self.scope.analysis.alias(self.entry.sql_alias)
            table.args["alias"].set("this", exp.Identifier(this=own, quoted=True))
            where = exp.In(this=column(own, self.relation.rowid), query=exp.Subquery(this=inner))
        tree = exp.Delete(this=table)
        if where is not None:
            tree.set("where", exp.Where(this=where))
        if clause is not None:
            tree.set("returning", clause)
        return self.action(tree)

    def gather(self, *, shared: bool) -> Gathered:
        """before: DELETE FROM t USING u WHERE t.a = u.a RETURNING t.a, u.b
        after:  1. collect: SELECT t.rowid AS c0, t.a AS c1, u.b AS c2 FROM t, u WHERE t.a = u.a
                2. result: SELECT c1 AS a, c2 AS b FROM (1)
                3. DELETE FROM t WHERE t.rowid IN (SELECT c0 FROM (1))
        """
        version = OldVersion(self)
        returned = None
        if self.returning is not None:
            own, new = {self.returning.own, self.returning.old}, {self.returning.new}

            def replacement(part: exp.Column) -> exp.Expr | None:
                if part.table in own:
                    return version.value(part)
                return null_like(part) if part.table in new else version.other(part)

            missing: dict[str, exp.Expr] = {self.returning.new: exp.Boolean(this=True)}
            returned = self.returning.query(replacement, version.gathering.rows(), missing)
        before = version.action(distinct=bool(self.sources))
        return Gathered([before], returned, [self.action(self.apply(version.gathering))])

    def apply(self, gathering: Gathering, condition: exp.Expr | None = None) -> exp.Delete:
        """Delete the gathered rows."""
        where = exp.Where(this=condition) if condition is not None else None
        rowids = plain_select([gathering.reference(0)], gathering.rows(), where=where)
        found = exp.In(this=column(self.entry.sql_alias, self.relation.rowid), query=exp.Subquery(this=rowids))
        return exp.Delete(this=self.table.copy(), where=exp.Where(this=found))


class OldVersion:
    """The rows to change as they are before: rowid first, then what is asked for of them and of the other tables."""

    def __init__(self, change: Change) -> None:
        self.gathering = Gathering(change.scope.analysis)
        self._change = change
        self._found: dict[tuple[str, str], exp.Column] = {}
        rowid = typed(column(change.entry.sql_alias, change.relation.rowid), oids.INT8)
        self._found["", change.relation.rowid] = self.gathering.add(rowid)
        self._visible = {table for item in change.scope.items for table in item.entry.tables()}

    def value(self, part: exp.Column) -> exp.Expr:
        """A column of the target's row, whatever alias it stands under."""
        own = part.copy()
        own.set("table", exp.Identifier(this=self._change.entry.sql_alias, quoted=True))
        return self._gathered("", own)

    def other(self, part: exp.Column) -> exp.Expr | None:
        """A column of another FROM item of the statement; None for one of a subquery's."""
        return self._gathered(part.table, part.copy()) if part.table in self._visible else None

    def _gathered(self, table: str, node: exp.Column) -> exp.Expr:
        key = (table, node.name)
        if key not in self._found:
            if "type" not in node.meta:
                typed(node, oids.INT8)
            self._found[key] = self.gathering.add(node)
        return self._found[key].copy()

    def action(self, *, distinct: bool) -> Action:
        """The action that collects."""
        change = self._change
        source, joins = joined(change)
        where = exp.Where(this=change.where.copy()) if change.where is not None else None
        return Action(self.gathering.query(source, joins=joins, where=where), gathering=self.gathering, distinct=distinct)


class NewRow:
    """The row after an UPDATE: assigned columns, those generated from them, and the rest as it was."""

    def __init__(
        self, scope: Scope, relation: Relation, entry: Entry, assigned: dict[int, exp.Expr], version: OldVersion
    ) -> None:
        self._scope = scope
        self._relation = relation
        self._entry = entry
        self._assigned = assigned
        self._version = version

    def value(self, part: exp.Column) -> exp.Expr:
        """A column of the target in its new version."""
        _, attnum = part.meta.get("column", (0, 0))
        made = self._assigned.get(attnum)
        if made is None:
            item = next((one for one in self._relation.columns if one.attnum == attnum), None)
            if item is None or not item.generated:
                return self._version.value(part)
            made = generated_value(self._scope, self._relation, self._entry, item, self._assigned)
        own = self._entry.sql_alias
        return substitute(made.copy(), lambda inner: self._version.value(inner) if inner.table == own else None)


def joined(change: Change) -> tuple[exp.Expr, list[exp.Expr]]:
    """The target and the other FROM items, as FROM and its joins."""
    return change.table.copy(), joins_of([source.copy() for source in change.sources])


def both(left: exp.Expr | None, right: exp.Expr | None) -> exp.Expr | None:
    """The conjunction of two conditions that may be missing."""
    if left is None or right is None:
        return left if right is None else right
    return exp.And(this=exp.Paren(this=left), expression=exp.Paren(this=right))


def conjunction(conditions: list[exp.Expr]) -> exp.Expr | None:
    """All of them."""
    made: exp.Expr | None = None
    for condition in conditions:
        made = both(made, condition)
    return made
