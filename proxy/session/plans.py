"""Compiled plans, kept by text: what was parsed and analyzed once is not parsed and analyzed again.

A plan is good for one state of the catalog and of the settings that analysis reads. Those two are a `Section` of a
database's cache; a session looks up texts in its current section, and a change of either leads it to another one. So nothing
is ever invalidated: old sections are forgotten as they fall out of use.

A `CompiledPlan` also keeps what is derived from the plan once: its row descriptions, parameter readers and row encoders.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from proxy.pg_catalog.snapshot import CatalogSource
from proxy.session import rows
from proxy.wire import backend
from translator import compiler
from translator import sqlstate as codes
from translator.catalog import Catalog
from translator.compiler import Statement
from translator.errors import SqlError
from translator.plan import EmptyPlan, Plan, QueryPlan, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from proxy.session.copy_blocks import Converter
    from proxy.session.lifting import Shape
    from proxy.session.statement_statistics import StatementCounts
    from proxy.storage.connection import Connection
    from proxy.storage.database import Database
    from proxy.storage.locks import Tag
    from translator.catalog import Column
    from translator.plan import Field
    from translator.settings import Settings

_SECTIONS: Final = 8
_TEXTS: Final = 2_000  # texts of a section
_LONGEST_TEXT: Final = 100_000  # characters; a bulk INSERT's text is not seen twice
_FIRST_USER_OID: Final = 16384  # FirstNormalObjectId in transam.h

# Functions that wait: they must not run on the event loop.
BLOCKING: Final = frozenset(
    (
        "pg_sleep",
        *tuple(
            f"pg_advisory_{scope}lock{shared}_{arguments}"
            for scope in ("", "xact_")
            for shared in ("", "_shared")
            for arguments in ("int8", "int4")
        ),
    )
)


_ENDS: Final = frozenset(("TRANS_STMT_COMMIT", "TRANS_STMT_PREPARE", "TRANS_STMT_ROLLBACK", "TRANS_STMT_ROLLBACK_TO"))


def ends_transaction(statement: Statement) -> bool:
    """Whether a failed block takes the statement (IsTransactionExitStmt in postgres.c); an empty one does no harm."""
    return not statement.node or (statement.node == "TransactionStmt" and statement.tree["kind"] in _ENDS)


class CompiledPlan:
    """A plan with what is built from it, and what was learnt about it."""

    __slots__ = (
        "_descriptions",
        "_encoders",
        "_readers",
        "blocking",
        "catalog",
        "counts",
        "failure",
        "needs_catalog",
        "plain_parameters",
        "plain_read",
        "plan",
        "quick",
        "relation_locks",
        "section",
        "self_contained",
        "slow",
        "source",
        "statement",
        "written",
    )

    def __init__(self, plan: Plan, statement: Statement, section: Section) -> None:
        self.plan = plan
        self.statement = statement
        self.source = statement.text  # what a client wrote; of a plan without its literals (lifting.py), one text of many
        self.section = section
        self.catalog = section.catalog
        self.relation_locks: tuple[tuple[Tag, int], ...] | None = None  # locks.SessionLocks knows them after the first run
        self.written: dict[str, tuple[str, int] | None] | None = None  # by SQLite's name, once row_locks needs it
        self.counts: StatementCounts | None = None  # of its executions, after the first (Session.count)
        self.quick = False  # ran to its end within a moment
        self.slow = False  # exceeded its budget once
        query = plan if isinstance(plan, QueryPlan) else None
        self.failure = None if query is None else query.failure
        self.blocking = query is not None and not query.functions.isdisjoint(BLOCKING)
        self.needs_catalog = query is not None and any(oid < _FIRST_USER_OID for oid, _ in query.relations)
        # What the session may run on the spot, on any reader: one statement that reads, and nothing else.
        self.plain_read = (
            query is not None
            and len(query.steps) == 1
            and query.fields is not None
            and not (query.writes or query.volatile or query.row_marks or query.hidden or query.failure or self.blocking)
        )
        # Whether reading the parameters asks nothing of the session, and whether running the plan and encoding its rows does not.
        self.plain_parameters = rows.PLAIN_INPUT.issuperset(plan.parameters)
        self.self_contained: Step | None = None  # the one step of a plain read, for which that is so
        if query is not None and self.plain_read and not (query.functions or self.needs_catalog) and _is_plain(query.fields):
            self.self_contained = query.steps[0]
        self._descriptions: dict[tuple[int, ...], bytes] = {}
        self._readers: dict[tuple[int, ...], tuple[rows.Reader, ...]] = {}
        self._encoders: dict[tuple[Any, ...], rows.Encoder] = {}

    @property
    def is_momentary(self) -> bool:
        """Whether the plan depends on the session's cursors or prepared statements (utility.resolve)."""
        return self.statement.node in {"FetchStmt", "ExecuteStmt"}

    @property
    def returns_rows(self) -> bool:
        return self.plan.fields is not None

    @property
    def ends_transaction(self) -> bool:
        """Whether a failed block takes it."""
        return ends_transaction(self.statement)

    def formats(self, codes: Sequence[int]) -> tuple[int, ...]:
        """One result format a column."""
        fields = self.plan.fields
        return () if fields is None else rows.spread(codes, len(fields))

    def description(self, formats: tuple[int, ...]) -> bytes:
        """RowDescription, or NoData for what returns no rows."""
        fields = self.plan.fields
        if fields is None:
            return backend.NO_DATA
        found = self._descriptions.get(formats)
        if found is None:
            columns = [
                backend.Field(
                    field.name,
                    field.table_oid,
                    field.attnum,
                    field.type_oid,
                    self._type_length(field.type_oid),
                    field.typmod,
                    format,
                )
                for field, format in zip(fields, formats, strict=True)
            ]
            found = self._descriptions[formats] = backend.RowDescription(columns).encode()
        return found

    def readers(self, formats: tuple[int, ...]) -> tuple[rows.Reader, ...]:
        """The functions that read parameters of these formats."""
        found = self._readers.get(formats)
        if found is None:
            found = self._readers[formats] = rows.parameter_reader(self.plan.parameters, formats, self.catalog)
        return found

    def encoder(self, formats: tuple[int, ...], settings: Settings) -> rows.Encoder:
        """The function that encodes rows in these formats."""
        key = (formats, settings.date_style, settings.timezone_name, settings.bytea_output, settings.extra_float_digits)
        found = self._encoders.get(key)
        if found is None:
            assert self.plan.fields is not None
            rows.check_formats(formats)
            found = self._encoders[key] = rows.row_encoder(self.plan.fields, formats, self.catalog, settings)
        return found

    def for_rows(self, text: str, rows: int, parameters: tuple[int, ...] | None = None) -> CompiledPlan:
        """The plan of an INSERT of so many rows, of which this is that of one (values_lists.py).

        Its text was never parsed as a whole: should it have to be compiled again, Section.compile does that.
        """
        plan = self.plan
        assert isinstance(plan, QueryPlan)
        whole = replace(plan, parameters=plan.parameters * rows if parameters is None else parameters, rows=rows)
        made = CompiledPlan(whole, Statement(text, 0, self.statement.node, None), self.section)
        made._descriptions, made._encoders = self._descriptions, self._encoders
        return made

    def _type_length(self, oid: int) -> int:
        row = self.catalog.type_by_oid(oid)
        return -1 if row is None else row.length


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The plan for one row of an INSERT of many; for one of literals, the columns they are for and what reads them."""

    compiled: CompiledPlan
    columns: tuple[Column, ...] = ()
    converters: tuple[Converter, ...] = ()


def _is_plain(fields: Sequence[Field] | None) -> bool:
    return rows.PLAIN_OUTPUT.issuperset(field.type_oid for field in fields or ())


class Section:
    """The plans of one state of catalog and settings, and that catalog.

    Its reader is kept for as long as the section is, because a Catalog reads what it is asked for when it is asked.
    """

    __slots__ = (
        "_deferrable_keys",
        "_lifted",
        "_plans",
        "_row_plans",
        "_shapes",
        "_source",
        "_unliftable",
        "catalog",
        "connection",
        "reader",
    )

    def __init__(self, connection: Connection, reader: Connection | None = None) -> None:
        self.connection = connection
        self._source = CatalogSource(connection)
        self.catalog = Catalog(self._source)
        self._deferrable_keys: tuple[int, ...] | None = None
        self.reader = reader
        self._plans: OrderedDict[Any, CompiledPlan] = OrderedDict()
        self._lifted: dict[str, tuple[CompiledPlan, tuple[Any, ...]]] = {}
        self._shapes: dict[str, Shape] = {}
        self._unliftable: set[Any] = set()
        self._row_plans: OrderedDict[Any, RowPlan | None] = OrderedDict()

    @property
    def deferrable_keys(self) -> tuple[int, ...]:
        """The tables whose keys the server compares when they are due (deferrable_keys.py)."""
        if self._deferrable_keys is None:
            self._deferrable_keys = self._source.deferrable_keys()
        return self._deferrable_keys

    def find(self, key: Any) -> CompiledPlan | None:
        """The plan that is kept under a text, or a text with parameter types."""
        return self._plans.get(key)

    def keep(self, key: Any, value: CompiledPlan) -> None:
        if len(value.statement.text) > _LONGEST_TEXT or value.is_momentary:
            return
        self._plans[key] = value
        if len(self._plans) > _TEXTS:
            self._plans.popitem(last=False)

    def plans(self) -> list[CompiledPlan]:
        """Each plan once, whatever it is kept under."""
        return list(dict.fromkeys(list(self._plans.values())))

    def find_lifted(self, text: str) -> tuple[CompiledPlan, tuple[Any, ...]] | None:
        """The plan that a text shares with texts of other literals (lifting.py), and the values of its own."""
        return self._lifted.get(text)

    def keep_lifted(self, text: str, compiled: CompiledPlan, values: tuple[Any, ...]) -> None:
        if len(self._lifted) >= _TEXTS:
            del self._lifted[next(iter(self._lifted))]
        self._lifted[text] = compiled, values

    def find_shape(self, skeleton: str) -> Shape | None:
        """What is known of texts that differ in literals only."""
        return self._shapes.get(skeleton)

    def keep_shape(self, skeleton: str, shape: Shape) -> None:
        if len(self._shapes) >= _TEXTS:
            del self._shapes[next(iter(self._shapes))]
        self._shapes[skeleton] = shape

    def is_unliftable(self, key: Any) -> bool:
        """Whether a text without its literals (lifting.py) is known not to compile."""
        return key in self._unliftable

    def keep_unliftable(self, key: Any) -> None:
        if len(self._unliftable) < _TEXTS:
            self._unliftable.add(key)

    def row_plan(self, key: Any, make: Callable[[], RowPlan | None]) -> RowPlan | None:
        """The plan for a row of an INSERT of many, made when it is first wanted; None: it has to be compiled as a whole."""
        if key in self._row_plans:
            self._row_plans.move_to_end(key)
            return self._row_plans[key]
        made = self._row_plans[key] = make()
        if len(self._row_plans) > _TEXTS:
            self._row_plans.popitem(last=False)
        return made

    def compile(self, statement: Statement, settings: Settings, types: tuple[int, ...] = ()) -> CompiledPlan:
        """The plan of a statement. Raises SqlError."""
        key = (statement.text, types)
        found = self._plans.get(key)
        if found is not None and found.statement.location == statement.location:
            self._plans.move_to_end(key)
            return found
        if statement.node and statement.tree is None:
            (statement,) = compiler.parse(statement.text)
        plan = compiler.compile_statement(statement, self.catalog, settings, types) if statement.node else EmptyPlan("")
        if len(plan.parameters) < len(types):
            plan = replace(plan, parameters=_declared(types))
        compiled = CompiledPlan(plan, statement, self)
        self.keep(key, compiled)
        return compiled

    def compile_once(self, statement: Statement, settings: Settings, types: tuple[int, ...] = ()) -> CompiledPlan:
        """The plan of a statement that is not a client's own."""
        return CompiledPlan(compiler.compile_statement(statement, self.catalog, settings, types), statement, self)

    def compile_insert(
        self, statement: Statement, settings: Settings, types: tuple[int, ...], typmods: tuple[int, ...]
    ) -> CompiledPlan:
        """The plan of COPY's INSERT."""
        return CompiledPlan(compiler.compile_insert(statement, self.catalog, settings, types, typmods), statement, self)


def _declared(types: tuple[int, ...]) -> tuple[int, ...]:
    """The parameters of a statement that uses none, for a client that declared some (exec_parse_message)."""
    for number, oid in enumerate(types, 1):
        if oid in {0, rows.UNKNOWN}:
            raise SqlError(codes.INDETERMINATE_DATATYPE, f"could not determine data type of parameter ${number}")
    return types


class PlanCache:
    """The sections of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sections: OrderedDict[Any, Section] = OrderedDict()

    def section(self, version: int, settings: tuple[Any, ...]) -> Section:
        """The section for committed catalog rows of that version."""
        key = (version, settings)
        found = self._sections.get(key)
        if found is None:
            reader = self._database.take_reader()
            found = self._sections[key] = Section(reader, reader)
            if len(self._sections) > _SECTIONS:
                _, oldest = self._sections.popitem(last=False)
                self._close(oldest)
        self._sections.move_to_end(key)
        return found

    def __iter__(self) -> Iterator[tuple[int, CompiledPlan]]:
        """All plans, with the version of the catalog that each is for; in any thread."""
        for (version, _), section in list(self._sections.items()):
            for plan in section.plans():
                yield version, plan

    def clear(self) -> None:
        """Give the readers back."""
        while self._sections:
            self._close(self._sections.popitem()[1])

    def _close(self, section: Section) -> None:
        if section.reader is not None:
            self._database.give_reader(section.reader)
            section.reader = None


def settings_key(settings: Settings) -> tuple[Any, ...]:
    """What parse analysis reads of the settings: names, and how constants are read."""
    return (
        settings.search_path,
        settings.date_style,
        settings.date_order,
        settings.interval_style,
        settings.timezone_name,
        settings.bytea_output,
        settings.extra_float_digits,
        settings.xmloption,
        settings.user,
    )
