"""An analyzed INSERT: as one SQLite statement, or gathered (analyze/program.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from translator import oids
from translator.analyze.changes import Change
from translator.analyze.program import Action, Gathered, Gathering, equal_rowid, is_volatile, plain_select, substitute
from translator.analyze.returning import Returning, null_like, unqualified
from translator.analyze.writes import generated_value
from translator.catalog import Column
from translator.errors import unsupported
from translator.typed import column, location_of, typed


@dataclass
class Insert(Change):
    """`source`: VALUES or a query, with a value for each of `columns`. `updates`: ON CONFLICT DO UPDATE."""

    tag = "INSERT 0"

    columns: list[Column] = field(default_factory=list)
    source: exp.Expr = field(default_factory=exp.Expression)
    conflict: exp.OnConflict | None = None
    updates: bool = False

    def single(self) -> Action | None:
        """The one statement; None when RETURNING has subqueries, or asks for the old row of an update."""
        clause = None
        if self.returning is not None:
            changed, old = {self.returning.own, self.returning.new}, {self.returning.old}
            clause = self.returning.single(changed, set() if self.updates else old)
            if clause is None:
                return None
        tree = self._insert(self.source, self.conflict)
        if clause is not None:
            tree.set("returning", clause)
        made = self.action(tree)
        if self.conflict is not None and self.scope.analysis.repeated:
            self._affect_once(made)  # which also tells how many rows there were
        elif self.updates and not self._is_one_row():
            self._affect_once(made)
        return made

    def _is_one_row(self) -> bool:
        return isinstance(self.source, exp.Values) and len(self.source.expressions) == 1

    def _affect_once(self, made: Action) -> None:
        """Return the rowids as well: no row may be inserted or updated twice."""
        rowid = exp.Alias(
            this=exp.Column(this=exp.Identifier(this=self.relation.rowid, quoted=True)),
            alias=exp.Identifier(this="affected row", quoted=True),
        )
        clause = made.tree.args.get("returning")
        if clause is None:
            made.tree.set("returning", exp.Returning(expressions=[rowid]))
        else:
            clause.append("expressions", rowid)
        made.once = "ON CONFLICT DO UPDATE"

    def _insert(self, source: exp.Expr, conflict: exp.OnConflict | None) -> exp.Insert:
        target = exp.Schema(this=self.table.copy(), expressions=[identifier(item) for item in self.columns])
        tree = exp.Insert(this=target, expression=source)
        if conflict is not None:
            tree.set("conflict", conflict.copy())
            _avoid_ambiguity(tree)
        return tree

    def gather(self, *, shared: bool) -> Gathered:
        """before: INSERT INTO t (a) SELECT b FROM u RETURNING a, (SELECT max(a) FROM t)
        after:  1. collect: SELECT s.b AS c0, nextval(…) AS c1 FROM (SELECT b FROM u) AS s
                2. result: SELECT c0 AS a, (SELECT max(a) FROM t) FROM (1)
                3. INSERT INTO t (a, id) SELECT c0, c1 FROM (1)
        """
        gathering = Gathering(self.scope.analysis)
        alias = self.scope.analysis.alias("source")
        for item, name in zip(self.columns, self._source_names(), strict=True):
            gathering.add(typed(column(alias, name), item.type_oid, item.typmod))
        source = exp.Subquery(this=self.source.copy(), alias=exp.TableAlias(this=exp.Identifier(this=alias, quoted=True)))
        before = Action(gathering.query(source), gathering=gathering)
        if self.conflict is not None:
            return self._gather_conflict(before, gathering, shared=shared)
        returned = None
        if self.returning is not None:
            own, old = {self.returning.own, self.returning.new}, {self.returning.old}

            def replacement(part: exp.Column) -> exp.Expr | None:
                if part.table in own:
                    return self._inserted(part, gathering)
                return null_like(part) if part.table in old else None

            missing: dict[str, exp.Expr] = {self.returning.old: exp.Boolean(this=True)}
            returned = self.returning.query(replacement, gathering.rows(), missing)
        return Gathered([before], returned, [self.action(self._insert(self._gathered(gathering), None))])

    def _source_names(self) -> list[str]:
        if isinstance(self.source, exp.Values):
            return [f"column{number}" for number in range(1, len(self.columns) + 1)]
        return [item.alias for item in self.source.expressions]

    def _gathered(self, gathering: Gathering) -> exp.Select:
        references: list[exp.Expr] = [gathering.reference(position) for position in range(len(self.columns))]
        return plain_select(references, gathering.rows())

    def _inserted(self, part: exp.Column, gathering: Gathering) -> exp.Expr:
        """A column of the row that is inserted."""
        _, attnum = part.meta.get("column", (0, 0))
        for position, item in enumerate(self.columns):
            if item.attnum == attnum:
                return gathering.reference(position)
        item_ = next((one for one in self.relation.columns if one.attnum == attnum), None)
        if item_ is None:
            raise unsupported("system column of a row that is gathered before it is inserted", location_of(part))
        if not item_.generated:
            return null_like(part)
        assigned: dict[int, exp.Expr] = {one.attnum: null(one) for one in self.relation.columns}
        assigned.update((one.attnum, gathering.reference(position)) for position, one in enumerate(self.columns))
        return generated_value(self.scope, self.relation, self.entry, item_, assigned)

    def _gather_conflict(self, before: Action, gathering: Gathering, *, shared: bool) -> Gathered:
        """What ON CONFLICT does is known when it is done: so it is done, and undone if the state before is needed again.

        before: INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a RETURNING old.a, new.a
        after:  1. collect: SELECT 1 AS c0, 2 AS c1
                2. collect, undone: INSERT INTO t SELECT c0, c1 FROM (1) ON CONFLICT … RETURNING rowid AS c0, id AS c1, a AS c2
                3. result: SELECT old.a, c2 FROM (2) LEFT JOIN t AS old ON old.rowid = c0
                4. INSERT INTO t SELECT c0, c1 FROM (1) ON CONFLICT …
        """
        change = self.action(self._insert(self._gathered(gathering), self.conflict))
        if self.returning is None:
            if self.updates:
                self._affect_once(change)
            return Gathered([before], None, [change])
        affected = Gathering(self.scope.analysis)
        rowid = exp.Column(this=exp.Identifier(this=self.relation.rowid, quoted=True))
        affected.add(typed(rowid, oids.INT8))
        for entry_column in self.entry.columns:
            affected.add(substitute(entry_column.node.copy(), unqualified))
        trial = self.action(change.tree.copy())
        trial.tree.set("returning", exp.Returning(expressions=affected.query().expressions))
        trial.result, trial.gathering = False, affected
        if self.updates:
            self._affect_once(trial)
        returned = self._returned_of_conflict(self.returning, affected)
        trial.undone = shared or self.returning.uses(self.returning.old) or self.returning.reads()
        if not trial.undone:
            return Gathered([before, trial], returned, [])
        trial.counts = False
        if self.updates and any(is_volatile(node) for node in (self.conflict or exp.OnConflict()).expressions):
            raise unsupported("volatile function in ON CONFLICT DO UPDATE whose rows other parts of the statement refer to")
        return Gathered([before, trial], returned, [change])

    def _returned_of_conflict(self, returning: Returning, affected: Gathering) -> exp.Select:
        own = {returning.own, returning.new}
        positions = {one.attnum: position for position, one in enumerate(self.relation.columns, 1)}

        def replacement(part: exp.Column) -> exp.Expr | None:
            if part.table not in own:
                return None
            return affected.reference(positions.get(part.meta.get("column", (0, 0))[1], 0))

        joins: list[exp.Expr] = []
        missing: dict[str, exp.Expr] = {}
        if returning.uses(returning.old):
            table = self.table.copy()
            table.args["alias"].set("this", exp.Identifier(this=returning.old, quoted=True))
            condition = equal_rowid(returning.old, self.relation.rowid, affected.reference(0))
            joins = [exp.Join(this=table, side="LEFT", on=condition)]
            missing[returning.old] = exp.Is(this=column(returning.old, self.relation.rowid), expression=exp.Null())
        return returning.query(replacement, affected.rows(), missing, joins)


def identifier(item: Column) -> exp.Identifier:
    """The column's name in SQLite."""
    return exp.Identifier(this=item.storage_name or item.name, quoted=True)


def null(item: Column) -> exp.Expr:
    """A NULL of the column's type."""
    return typed(exp.Null(), item.type_oid, item.typmod)


def _avoid_ambiguity(tree: exp.Insert) -> None:
    """In INSERT … SELECT … ON CONFLICT SQLite could take ON for a join's; a WHERE ends the doubt (its documentation says)."""
    source = tree.expression
    if isinstance(source, exp.Select) and source.args.get("where") is None and source.args.get("group") is None:
        source.set("where", exp.Where(this=exp.Boolean(this=True)))
