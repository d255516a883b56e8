"""COPY FROM STDIN and COPY TO STDOUT (manual, "COPY", and "COPY Operations" of the protocol).

COPY FROM is an INSERT of parameters that is executed for every row, so defaults, constraints and generated columns are those of
INSERT. Data is taken in blocks, which are converted column by column (copy_blocks.py); a block with a mistake in it is read row
by row, where an error knows line and column. Other sessions have their turn between two blocks.

Not here: server-side files and programs (0A000), since a client of this server is not to read or write its files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from proxy.ddl.names import quote
from proxy.session import kernel
from proxy.session.copy_binary import BinaryReader
from proxy.session.copy_blocks import IRREGULAR, Converter, converter_of, rows_of
from proxy.session.copy_columns import RELATION_KINDS, copied_columns
from proxy.session.copy_fields import Row, bad_data
from proxy.session.copy_formats import DEFAULT, Lines, TextReader, reader_of, shown
from proxy.session.copy_inserts import BlockInserter, Inserter, block_inserter, row_inserter
from proxy.session.copy_options import CopyOptions, read_options
from proxy.session.copy_to import copy_to
from proxy.session.maintenance import find_relation
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from proxy.session.read_only import read_only
from proxy.session.rows import INT_RANGES, TEXT_OID, VARCHAR
from proxy.wire import backend, frontend
from proxy.wire.message import CopyData, CopyDone, Message
from translator import compiler
from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.plan import UtilityPlan
from translator.types.base import Stored
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.session.session import Session
    from proxy.storage.connection import Connection
    from translator.catalog import Catalog, Column, Relation
    from translator.settings import Settings

Tree = dict[str, Any]
Conversion = Callable[[Any], Stored]
_BLOCK: Final = 1 << 14  # bytes of data that are read at once: half a millisecond
_HEAVY: Final = 5_000  # rows whose COMMIT is not for the event loop
_UNLIMITED: Final = 1 << 62


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
        count = await copy_to(session, plan, portal, options)
    portal.tag = f"COPY {count}"


# COPY FROM


class CopyIn:
    """A COPY FROM STDIN in progress: the session hands the client's messages to it."""

    def __init__(self, source: _Rows) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows = source
        self._pieces: list[bytes] = []
        self._size = 0

    def receive(self, message: Message) -> asyncio.Future[None] | None:
        """Take a message of the client: data, the end, or a failure of its own. A future: the next one has to wait."""
        if self.done.done():
            return None
        match message:
            case CopyData():
                self._pieces.append(message.data)
                self._size += len(message.data)
                return self._read(None) if self._size >= _BLOCK else None
            case CopyDone():
                return self._read(message)
            case frontend.CopyFail():
                return self._read(message)
        return None

    def refuse(self, error: SqlError) -> None:
        """The COPY ends with this error."""
        if not self.done.done():
            self.done.set_exception(self._rows.in_context(error))

    def _read(self, end: CopyDone | frontend.CopyFail | None) -> asyncio.Future[None]:
        """Read what there is, block by block; `end` is what follows it."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._read_block(data, 0, end, read)
        return read

    def _read_block(
        self, data: bytes, start: int, end: CopyDone | frontend.CopyFail | None, read: asyncio.Future[None]
    ) -> None:
        stop = start + _BLOCK
        if not self.done.done():
            try:
                last = stop >= len(data)
                self._rows.insert(data[start:stop], last=last and isinstance(end, CopyDone))
                if last and end is not None:
                    self._finish(end)
            except Exception as error:  # noqa: BLE001  (whatever it is, it ends the COPY and is reported as its error)
                self.done.set_exception(error)
        loop = asyncio.get_running_loop()
        if stop < len(data) and not self.done.done():
            loop.call_soon(self._read_block, data, stop, end, read)
        else:
            loop.call_soon(read.set_result, None)

    def _finish(self, end: CopyDone | frontend.CopyFail) -> None:
        if isinstance(end, frontend.CopyFail):
            self._rows.next_line()
            raise self._rows.in_context(SqlError(codes.QUERY_CANCELED, f"COPY from stdin failed: {end.message}"))
        self.done.set_result(None)


async def _copy_from(session: Session, tree: Tree, options: CopyOptions) -> int:
    relation = find_relation(session, tree["relation"])
    columns = copied_columns(relation, tree.get("attlist"), options)
    if session.transaction.modes.read_only and relation.persistence != "t":
        raise read_only("COPY FROM")
    format = 1 if options.format == "binary" else 0
    if relation.kind not in "rp":
        session.client.send(backend.CopyInResponse(format, (format,) * len(columns)))
        kind = RELATION_KINDS.get(relation.kind, "relation")
        hint = "To enable copying to a view, provide an INSTEAD OF INSERT trigger." if relation.kind == "v" else None
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot copy to {kind} "{relation.name}"', hint=hint)
    target = _Insert(session, relation, columns, tree.get("whereClause"))
    target.plan(frozenset())
    lease = await session.connections.lease_writer()
    await session.executor.spool_portals(lease.connection)
    session.client.send(backend.CopyInResponse(format, (format,) * len(columns)))
    session.client.flush()
    modes, section = session.constraint_modes, session.compilation.section()
    if modes.matter(section):
        modes.begin_statement(lease.connection, section)
    rows = _Rows(session, relation, columns, options, target, lease.connection)
    copy = CopyIn(rows)
    session.begin_copy(copy)
    try:
        await copy.done
    finally:
        session.copy = None
    if modes.matter(section):
        modes.check(lease.connection)
    rows.report()
    lease.threaded = lease.threaded or rows.count >= _HEAVY
    session.connections.written = True
    return rows.count


class _Insert:
    """The INSERT that a row becomes: one for each set of columns that get their defaults."""

    def __init__(self, session: Session, relation: Relation, columns: Sequence[Column], where: Any) -> None:
        self._session = session
        self._relation = relation
        self._columns = columns
        self._where = where
        self.inserts_each = where is None and relation.kind == "r"  # every row becomes one of the table
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
        typmods = tuple(column.typmod for column in columns)
        return section.compile_insert(statement, session.parameters.settings, types, typmods)


def _insert_text(relation: Relation, columns: Sequence[Column], *, filtered: bool) -> str:
    table = f"{quote(relation.schema)}.{quote(relation.name)}"
    if not columns:
        return f"INSERT INTO {table} DEFAULT VALUES"
    names = ", ".join(quote(column.name) for column in columns)
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    identity = " OVERRIDING SYSTEM VALUE" if any(column.identity == "a" for column in columns) else ""
    if not filtered:
        return f"INSERT INTO {table} ({names}){identity} VALUES ({values})"
    # WHERE sees the row under the table's own name (manual, "COPY").
    typed = ", ".join(f"${number} AS {quote(column.name)}" for number, column in enumerate(columns, 1))
    return f"INSERT INTO {table} ({names}){identity} SELECT {names} FROM (SELECT {typed}) AS {quote(relation.name)}"


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
        self._conversions = [
            (index, convert)
            for index, column in enumerate(columns)
            if (convert := _conversion(column, catalog, session.parameters.settings, options)) is not None
        ]
        self._inserters: dict[frozenset[int], Inserter] = {}
        self._binary = options.format == "binary"
        self._converters: list[Converter] = [
            converter_of(column, catalog, session.parameters.settings, binary=self._binary) for column in columns
        ]
        regular = target.inserts_each and options.default is None and columns
        compiled = kernel.AVAILABLE and not self._binary
        self._read_lines: Lines | None = (
            kernel.line_reader(options, columns, catalog, session.parameters.settings) if compiled else None
        )
        self._insert_rows: BlockInserter | None = block_inserter(session, connection, target.plan(_NONE)) if regular else None
        self._column: Column | None = None
        self._value: Any = None
        self._skipped = 0

    def insert(self, data: bytes, *, last: bool) -> None:
        """Insert the rows that are complete."""
        self._session.executor.enter(self._target.plan(_NONE), self._connection)
        self._connection.budget(_UNLIMITED)
        if self._insert_rows is not None and self._insert_block(self._insert_rows, data, last=last):
            return
        try:
            for row in self._reader.feed(data, last=last):
                converted = self._convert(row)
                if converted is not None:
                    self._insert(converted)
        except SqlError as error:
            raise self.in_context(error) from error

    def _insert_block(self, insert_rows: BlockInserter, data: bytes, *, last: bool) -> bool:
        """Insert the rows at once. False: nothing has happened, because there is a mistake in them, or they are not regular."""
        before = self._reader.copy()
        try:
            rows = self._read_block(data, last=last)
        except IRREGULAR:
            self._reader = before
            return False
        count, error = insert_rows(rows)
        self.count += count
        if error is not None:
            self._reader = before
            for _ in islice(self._reader.feed(data, last=last), count + 1):
                pass  # up to the row that failed
            raise self.in_context(error)
        return True

    def _read_block(self, data: bytes, *, last: bool) -> list[tuple[Any, ...]]:
        """The stored rows of a block. Raises what is IRREGULAR."""
        if self._read_lines is not None and isinstance(self._reader, TextReader):
            try:
                rows = self._reader.feed_lines(data, self._read_lines, last=last)
            except IRREGULAR:
                rows = None
            if rows is not None:
                return rows
        columns = self._reader.feed_columns(data, last=last)
        return rows_of(columns, self._converters) if columns else []

    def _convert(self, row: Row) -> Row | None:
        """The row with stored values in the place of fields; None for one that is skipped."""
        count = len(row)
        index = 0
        try:
            for index, convert in self._conversions:
                if index >= count:
                    break
                value = row[index]
                if value is not None and value is not DEFAULT:
                    row[index] = convert(value)
        except SqlError as error:
            self._column, self._value = self._columns[index], row[index]
            if not self._options.ignore_errors or error.sqlstate[:2] != "22":
                raise
            self._skip(error)
            return None
        if count < len(self._columns):
            raise bad_data(f'missing data for column "{self._columns[count].name}"')
        return row

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

    def _insert(self, row: Row) -> None:
        defaults = _NONE
        if self._options.default is not None and DEFAULT in row:
            defaults = frozenset(index for index, value in enumerate(row) if value is DEFAULT)
            self._check_defaults(defaults)
            row = [value for value in row if value is not DEFAULT]
        insert = self._inserters.get(defaults)
        if insert is None:
            compiled = self._target.plan(defaults)
            insert = self._inserters[defaults] = row_inserter(self._session, self._connection, compiled)
        self.count += insert(tuple(row))

    def _check_defaults(self, defaults: Iterable[int]) -> None:
        for index in defaults:
            column = self._columns[index]
            if column.default is None and not column.identity:
                detail = f'Column "{column.name}" has no default value.'
                raise SqlError(codes.BAD_COPY_FILE_FORMAT, "unexpected default marker in COPY data", detail=detail)

    def next_line(self) -> None:
        """Begin the next line, as PostgreSQL has when it waits for data; behind the end-of-copy marker there is none."""
        self._reader.line += not self._reader.ended
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


def _conversion(column: Column, catalog: Catalog, settings: Settings, options: CopyOptions) -> Conversion | None:
    """The function from a field of COPY's data to a stored value; None where they are the same."""
    type = type_of(column.type_oid, catalog)
    typmod = column.typmod
    if options.format == "binary":
        return lambda value: type.receive(value, settings, typmod)
    if column.type_oid == TEXT_OID or (column.type_oid == VARCHAR and typmod < 0):
        return None
    limits = INT_RANGES.get(column.type_oid)
    if limits is None:
        return lambda value: type.input(value, settings, typmod)
    high = limits[1]

    def integer(value: str) -> Stored:
        if value.isdecimal() and value.isascii() and len(value) < 20 and (number := int(value)) <= high:
            return number
        return type.input(value, settings, typmod)

    return integer
