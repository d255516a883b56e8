"""What compilation gives: a frozen plan that can be described without running anything, and run many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from translator.errors import SqlError


@dataclass(frozen=True, slots=True)
class Field:
    """One result column, as RowDescription reports it (manual, "Message Formats")."""

    name: str
    type_oid: int
    typmod: int = -1
    table_oid: int = 0
    attnum: int = 0


# SQLite takes 32766 parameters (SQLITE_MAX_VARIABLE_NUMBER), PostgreSQL 65535. Where a statement has more than these, the rest
# are bound together in the place of the next one, and read by the function `parameter`.
MOST_BINDS: Final = 32765


@dataclass(frozen=True, slots=True)
class Step:
    """One SQLite statement of a plan.

    `sql` takes parameters ?1 … ?n: the client's first, then the plan's hidden ones, then what earlier steps collected.
    `binds` is how many of them it has. `result` says that its rows are the plan's rows; `counts` that its change count is
    (part of) the command tag's count.

    `collect`: its rows, as one JSON text (an array of arrays, bytes as hexadecimal text), are the next parameter of the
    following steps. `distinct`: of rows that begin with the same value, a rowid, only the first is kept. `once`: the command
    that must not affect a row twice; the rowids that tell so are the last column, which is not part of the result. `undone`:
    only its rows are wanted, its changes never happened. `relation`: the one to examine when a constraint is violated.
    """

    sql: str
    binds: int = 0
    result: bool = False
    counts: bool = False
    collect: bool = False
    distinct: bool = False
    once: str = ""
    undone: bool = False
    relation: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """`parameters`: type OIDs of $1 … $n. `fields`: None when the statement returns no rows (NoData)."""

    tag: str  # first word(s) of the command tag: SELECT, INSERT 0, UPDATE, CREATE TABLE, …
    parameters: tuple[int, ...] = ()
    fields: tuple[Field, ...] | None = None


@dataclass(frozen=True, slots=True)
class QueryPlan(Plan):
    """SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES: SQLite statements, run in order, all in one savepoint if several.

    `functions`: names in IMPLEMENTATIONS that the connection must have installed. `hidden`: names of values that belong
    to the session or transaction and are bound after the client's parameters ("transaction_timestamp", …).
    `relations`: (oid, "r" | "w") of every relation that is read or written, for locks and privileges.
    `row_marks`: the FOR UPDATE/SHARE clauses. `volatile`: calls a function with side effects (nextval, set_config).
    `diagnose`: relation OID to examine when SQLite reports a constraint violation.
    `failure`: what computing a constant expression of the statement raised; running the plan raises it.
    `rows`: the only step is run for each of so many equal parts of the parameters (analyze/rowwise.py); 0: once for all of them.
    """

    steps: tuple[Step, ...] = ()
    functions: frozenset[str] = frozenset()
    hidden: tuple[str, ...] = ()
    writes: bool = False
    volatile: bool = False
    relations: tuple[tuple[int, str], ...] = ()
    row_marks: tuple[Any, ...] = ()
    diagnose: int = 0
    failure: SqlError | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class DefinePlan(Plan):
    """DDL: carried out by proxy/ddl from libpg_query's tree. `text` is the statement's own text."""

    node: str = ""  # CreateStmt, AlterTableStmt, …
    tree: Any = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class UtilityPlan(Plan):
    """SET, SHOW, BEGIN, COPY, PREPARE, DECLARE, EXPLAIN, …: carried out by proxy/session from libpg_query's tree.

    `query` is the compiled inner statement where there is one (COPY (SELECT …), DECLARE c CURSOR FOR, EXPLAIN).
    """

    node: str = ""
    tree: Any = None
    text: str = ""
    query: Plan | None = None


@dataclass(frozen=True, slots=True)
class EmptyPlan(Plan):
    """An empty statement: answered with EmptyQueryResponse."""
