"""COPY FROM STDIN and COPY TO STDOUT (manual, "COPY", and "COPY Operations" of the protocol).

COPY FROM is an INSERT of parameters that is executed for every row, so defaults, constraints and generated columns are those of
INSERT. Values are read by their types' own input functions here, where an error knows line and column.

Not here: server-side files and programs (0A000), since a client of this server is not to read or write its files.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any, Final

from proxy.session.copy_formats import (
    DEFAULT,
    SIGNATURE,
    BinaryReader,
    Row,
    bad_data,
    csv_line,
    reader_of,
    shown,
    text_line,
)
from proxy.session.copy_options import CopyOptions, read_options, unsupported_text
from proxy.session.execute import CHUNK, read_only
from proxy.session.maintenance import find_relation
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from proxy.wire import backend, frontend
from proxy.wire.message import CopyData, CopyDone, Message
from translator import compiler
from translator import sqlstate as codes
from translator.compiler import Statement
from translator.errors import SqlError, unsupported
from translator.plan import QueryPlan, UtilityPlan
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from translator.catalog import Column, Relation
    from translator.types.base import Type

Tree = dict[str, Any]
_BLOCK: Final = 1 << 16  # bytes of data that are read at once
_UNLIMITED: Final = 1 << 62
_RELATION_KINDS: Final = {
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "f": "foreign table",
    "i": "index",
    "c": "composite type",
}


async def copy(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """COPY, in either direction."""
    tree = plan.tree
    options = read_options(tree)
    if tree.get("is_program"):
        raise unsupported("COPY with PROGRAM")
    if tree.get("filename") is not None:
        raise unsupported("COPY of a file on the server")
    if tree.get("is_from"):
        count = await _copy_from(session, tree, options)
    else:
        count = await _copy_to(session, plan, portal, options)
    portal.tag = f"COPY {count}"


# COPY FROM


class CopyIn:
    """A COPY FROM STDIN in progress: the session hands the client's messages to it."""

    def __init__(self, session: Session, source: _Rows) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._session = session
        self._rows = source
        self._pieces: list[bytes] = []
        self._size = 0

    def receive(self, message: Message) -> None:
        """Take a message of the client: data, the end, or a failure of its own."""
        if self.done.done():
            return
        try:
            match message:
                case CopyData():
                    self._pieces.append(message.data)
                    self._size += len(message.data)
                    if self._size >= _BLOCK:
                        self._read(last=False)
                case CopyDone():
                    self._read(last=True)
                    self.done.set_result(None)
                case frontend.CopyFail():
                    self._read(last=False)
                    self._rows.next_line()
                    raise self._rows.in_context(SqlError(codes.QUERY_CANCELED, f"COPY from stdin failed: {message.message}"))
        except Exception as error:  # noqa: BLE001  (whatever it is, it ends the COPY and is reported as its error)
            self.done.set_exception(error)

    def refuse(self, error: SqlError) -> None:
        """The COPY ends with this error."""
        if not self.done.done():
            self.done.set_exception(self._rows.in_context(error))

    def _read(self, *, last: bool) -> None:
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._rows.insert(data, last=last)


async def _copy_from(session: Session, tree: Tree, options: CopyOptions) -> int:
    relation = find_relation(session, tree["relation"])
    columns = _columns(relation, tree.get("attlist"), options)
    if session.transaction.modes.read_only and relation.persistence != "t":
        raise read_only("COPY FROM")
    format = 1 if options.format == "binary" else 0
    if relation.kind not in "rp":
        session.client.send(backend.CopyInResponse(format, (format,) * len(columns)))
        kind = _RELATION_KINDS.get(relation.kind, "relation")
        hint = "To enable copying to a view, provide an INSTEAD OF INSERT trigger." if relation.kind == "v" else None
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot copy to {kind} "{relation.name}"', hint=hint)
    target = _Insert(session, relation, columns, tree.get("whereClause"))
    target.plan(frozenset())
    lease = await session.connections.lease_writer()
    await session.executor.spool_portals(lease.connection)
    session.client.send(backend.CopyInResponse(format, (format,) * len(columns)))
    session.client.flush()
    rows = _Rows(session, relation, columns, options, target, lease.connection)
    session.copy = CopyIn(session, rows)
    try:
        await session.copy.done
    finally:
        session.copy = None
    rows.report()
    session.connections.written = True
    return rows.count


class _Insert:
    """The INSERT that a row becomes: one for each set of columns that get their defaults."""

    def __init__(self, session: Session, relation: Relation, columns: Sequence[Column], where: Any) -> None:
        self._session = session
        self._relation = relation
        self._columns = columns
        self._where = where
        self._plans: dict[frozenset[int], CompiledPlan] = {}

    def plan(self, defaults: frozenset[int]) -> CompiledPlan:
        found = self._plans.get(defaults)
        if found is None:
            found = self._plans[defaults] = self._compile(defaults)
        return found

    def _compile(self, defaults: frozenset[int]) -> CompiledPlan:
        session = self._session
        section = session.compilation.section()
        columns = [column for index, column in enumerate(self._columns) if index not in defaults]
        (statement,) = compiler.parse(_insert_text(self._relation, columns, filtered=self._where is not None))
        if self._where is not None:
            select = statement.tree["selectStmt"]["SelectStmt"]
            select["whereClause"] = self._where
        types = tuple(column.type_oid for column in columns)
        compiled = section.compile_once(statement, session.parameters.settings, types)
        assert isinstance(compiled.plan, QueryPlan)
        return compiled


def _insert_text(relation: Relation, columns: Sequence[Column], *, filtered: bool) -> str:
    table = f"{_quote(relation.schema)}.{_quote(relation.name)}"
    if not columns:
        return f"INSERT INTO {table} DEFAULT VALUES"
    names = ", ".join(_quote(column.name) for column in columns)
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    identity = " OVERRIDING SYSTEM VALUE" if any(column.identity == "a" for column in columns) else ""
    if not filtered:
        return f"INSERT INTO {table} ({names}){identity} VALUES ({values})"
    # WHERE sees the row under the table's own name (manual, "COPY").
    typed = ", ".join(f"${number} AS {_quote(column.name)}" for number, column in enumerate(columns, 1))
    return f"INSERT INTO {table} ({names}){identity} SELECT {names} FROM (SELECT {typed}) AS {_quote(relation.name)}"


class _Rows:
    """Reads rows from data and inserts them; knows where an error is."""

    def __init__(
        self,
        session: Session,
        relation: Relation,
        columns: Sequence[Column],
        options: CopyOptions,
        target: _Insert,
        connection: Connection,
    ) -> None:
        catalog = session.compilation.section().catalog
        self.count = 0
        self._session = session
        self._relation = relation
        self._columns = columns
        self._options = options
        self._target = target
        self._connection = connection
        self._reader = reader_of(options, [column.name for column in columns])
        self._types: list[Type] = [type_of(column.type_oid, catalog) for column in columns]
        self._typmods = [column.typmod for column in columns]
        self._binary = options.format == "binary"
        self._column: Column | None = None
        self._value: Any = None
        self._skipped = 0

    def insert(self, data: bytes, *, last: bool) -> None:
        """Insert the rows that are complete."""
        self._session.executor.enter(self._target.plan(_NONE), self._connection)
        self._connection.budget(_UNLIMITED)
        try:
            for row in self._reader.feed(data, last=last):
                values = self._convert(row)
                if values is not None:
                    self._insert(row, values)
        except SqlError as error:
            raise self.in_context(error) from error

    def _convert(self, row: Row) -> list[Any] | None:
        """The stored values of a row; None for one that is skipped."""
        if self._binary:
            return [self._receive(index, value) for index, value in enumerate(row)]
        settings = self._session.parameters.settings
        values: list[Any] = []
        try:
            for index, (value, type, typmod) in enumerate(zip(row, self._types, self._typmods, strict=False)):
                if value is None or value is DEFAULT:
                    values.append(None)
                    continue
                self._column, self._value = self._columns[index], value
                values.append(type.input(value, settings, typmod))
        except SqlError as error:
            if not self._options.ignore_errors or error.sqlstate[:2] != "22":
                raise
            self._skip(error)
            return None
        self._column = None
        if len(values) < len(self._columns):
            raise bad_data(f'missing data for column "{self._columns[len(values)].name}"')
        return values

    def _receive(self, index: int, value: bytes | None) -> Any:
        if value is None:
            return None
        self._column = self._columns[index]
        stored = self._types[index].receive(value, self._session.parameters.settings, self._typmods[index])
        self._column = None
        return stored

    def _skip(self, error: SqlError) -> None:
        """ON_ERROR ignore."""
        self._skipped += 1
        limit = self._options.reject_limit
        if limit and self._skipped > limit:
            message = f"skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility"
            raise SqlError(codes.INVALID_TEXT_REPRESENTATION, message)
        if self._options.log_verbosity == "verbose" and self._column is not None:
            message = (
                f"skipping row due to data type incompatibility at line {self._reader.line} "
                f'for column "{self._column.name}": "{shown(str(self._value))}"'
            )
            where = f"COPY {self._relation.name}"
            self._session.notice(SqlError(codes.SUCCESSFUL_COMPLETION, message, severity="NOTICE", where=where))
        self._column = None

    def _insert(self, row: Row, values: list[Any]) -> None:
        defaults = frozenset(index for index, value in enumerate(row) if value is DEFAULT) if DEFAULT in row else _NONE
        if defaults:
            self._check_defaults(defaults)
            values = [value for index, value in enumerate(values) if index not in defaults]
        compiled = self._target.plan(defaults)
        self.count += self._session.executor.insert_row(self._connection, compiled, tuple(values))

    def _check_defaults(self, defaults: Iterable[int]) -> None:
        for index in defaults:
            column = self._columns[index]
            if column.default is None and not column.identity:
                detail = f'Column "{column.name}" has no default value.'
                raise SqlError(codes.BAD_COPY_FILE_FORMAT, "unexpected default marker in COPY data", detail=detail)

    def next_line(self) -> None:
        self._reader.line += 1
        self._reader.show_text = False

    def in_context(self, error: SqlError) -> SqlError:
        """The error with where in the data it is (CopyFromErrorCallback)."""
        if error.where is not None:
            return error
        reader = self._reader
        where = f"COPY {self._relation.name}"
        if reader.line:
            where += f", line {reader.line}"
            if self._column is not None:
                where += f", column {self._column.name}"
                if not self._binary:
                    where += f': "{shown(str(self._value))}"'
            elif isinstance(reader, BinaryReader):
                where += f", column {reader.column}" if reader.column else ""
            elif reader.show_text and error.sqlstate != codes.UNIQUE_VIOLATION:
                where += f': "{shown(reader.text)}"'
            error.where = where
        elif not self._binary:
            error.where = f"{where}, line 1"
        return error

    def report(self) -> None:
        """Say how many rows were skipped."""
        if self._skipped and self._options.log_verbosity != "silent":
            rows = "1 row was" if self._skipped == 1 else f"{self._skipped} rows were"
            message = f"{rows} skipped due to data type incompatibility"
            self._session.notice(SqlError(codes.SUCCESSFUL_COMPLETION, message, severity="NOTICE"))


_NONE: Final = frozenset[int]()


# COPY TO


async def _copy_to(session: Session, plan: UtilityPlan, portal: Portal, options: CopyOptions) -> int:
    tree = plan.tree
    compiled = _table_query(session, tree, options) if "relation" in tree else _query(plan, portal)
    query = compiled.plan
    assert isinstance(query, QueryPlan)
    assert query.fields is not None
    names = [field.name for field in query.fields]
    _check_forced(options.force_quote, names, "")
    inner = Portal("", compiled, portal.binds, compiled.formats(()))
    session.bind_hidden(inner)
    await session.executor.run(inner)
    format = 1 if options.format == "binary" else 0
    session.client.send(backend.CopyOutResponse(format, (format,) * len(names)))
    count = await _send_rows(session, inner, _Lines(session, compiled, options, names))
    session.client.send_bytes(backend.COPY_DONE)
    return count


async def _send_rows(session: Session, inner: Portal, lines: _Lines) -> int:
    client = session.client
    client.send_bytes(lines.head())
    count = 0
    try:
        while True:
            rows = await session.executor.fetch(inner, CHUNK)
            count += len(rows)
            client.send_bytes(b"".join(map(lines.message, rows)))
            if len(rows) < CHUNK:
                break
            if (waiting := client.flush()) is not None:
                await waiting
    finally:
        session.executor.close_portal(inner)
    client.send_bytes(lines.tail())
    return count


class _Lines:
    """Rows as CopyData messages, one a row."""

    def __init__(self, session: Session, compiled: CompiledPlan, options: CopyOptions, names: Sequence[str]) -> None:
        fields = compiled.plan.fields
        assert fields is not None
        self._settings = session.parameters.settings
        self._types = [type_of(field.type_oid, compiled.catalog) for field in fields]
        self._options = options
        self._names = names
        self._prefix = SIGNATURE + struct.pack("!II", 0, 0)
        self._line = csv_line(options, names) if options.format == "csv" else text_line(options)

    def head(self) -> bytes:
        """The header line. That of binary format is sent with the first row, as PostgreSQL does."""
        if self._options.format == "binary" or self._options.header == "false":
            return b""
        return CopyData(self._line(self._names)).encode()

    def tail(self) -> bytes:
        if self._options.format != "binary":
            return b""
        return CopyData(self._take_prefix() + b"\xff\xff").encode()

    def _take_prefix(self) -> bytes:
        prefix, self._prefix = self._prefix, b""
        return prefix

    def message(self, row: Sequence[Any]) -> bytes:
        settings = self._settings
        if self._options.format == "binary":
            parts = [self._take_prefix(), struct.pack("!h", len(row))]
            for value, type in zip(row, self._types, strict=True):
                data = b"" if value is None else type.send(value, settings)
                parts.append(struct.pack("!i", -1 if value is None else len(data)) + data)
            return CopyData(b"".join(parts)).encode()
        texts = [None if value is None else type.output(value, settings) for value, type in zip(row, self._types, strict=True)]
        line = self._line(texts)
        return b"d" + struct.pack("!i", len(line) + 4) + line


def _table_query(session: Session, tree: Tree, options: CopyOptions) -> CompiledPlan:
    """COPY table TO is a SELECT of its columns."""
    relation = find_relation(session, tree["relation"])
    if relation.kind not in "rm":
        kind = _RELATION_KINDS.get(relation.kind, "relation")
        if relation.kind == "p":
            kind = "partitioned table"
        hint = "Try the COPY (SELECT ...) TO variant." if relation.kind in "vfp" else None
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot copy from {kind} "{relation.name}"', hint=hint)
    columns = _columns(relation, tree.get("attlist"), options)
    names = ", ".join(_quote(column.name) for column in columns)
    text = f"SELECT {names} FROM ONLY {_quote(relation.schema)}.{_quote(relation.name)}"
    (statement,) = compiler.parse(text)
    return session.compilation.section().compile_once(statement, session.parameters.settings)


def _query(plan: UtilityPlan, portal: Portal) -> CompiledPlan:
    query = plan.query
    if not isinstance(query, QueryPlan):
        raise unsupported_text("COPY query must be a SELECT, INSERT, UPDATE, DELETE or MERGE")
    if query.fields is None:
        raise unsupported_text("COPY query must have a RETURNING clause")
    whole = portal.compiled
    return CompiledPlan(query, Statement(plan.text, 0, "SelectStmt", None), whole.section)


# Both


def _columns(relation: Relation, names: list[Tree] | None, options: CopyOptions) -> list[Column]:
    """The columns that are copied (CopyGetAttnums)."""
    by_name = {column.name: column for column in relation.columns}
    if names is None:
        found = [column for column in relation.columns if not column.generated]
    else:
        found = []
        for each in names:
            name = each["String"]["sval"]
            column = by_name.get(name)
            if column is None:
                message = f'column "{name}" of relation "{relation.name}" does not exist'
                raise SqlError(codes.UNDEFINED_COLUMN, message)
            if column.generated:
                detail = "Generated columns cannot be used in COPY."
                message = f'column "{name}" is a generated column'
                raise SqlError(codes.INVALID_COLUMN_REFERENCE, message, detail=detail)
            if column in found:
                raise SqlError(codes.DUPLICATE_COLUMN, f'column "{name}" specified more than once')
            found.append(column)
    listed = [column.name for column in found]
    for option in (options.force_quote, options.force_not_null, options.force_null):
        for name in option:
            if name != "*" and name not in by_name:
                message = f'column "{name}" of relation "{relation.name}" does not exist'
                raise SqlError(codes.UNDEFINED_COLUMN, message)
    _check_forced(options.force_quote, listed, "FORCE_QUOTE")
    _check_forced(options.force_not_null, listed, "FORCE_NOT_NULL")
    _check_forced(options.force_null, listed, "FORCE_NULL")
    return found


def _check_forced(names: tuple[str, ...], columns: Sequence[str], option: str) -> None:
    for name in names:
        if name != "*" and name not in columns:
            if not option:
                raise SqlError(codes.UNDEFINED_COLUMN, f'column "{name}" does not exist')
            message = f'{option} column "{name}" not referenced by COPY'
            raise SqlError(codes.INVALID_COLUMN_REFERENCE, message)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
