"""COPY TO STDOUT: a query whose rows are written as lines of a format."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from proxy.ddl.names import quote
from proxy.session import kernel
from proxy.session.copy_binary import SIGNATURE
from proxy.session.copy_columns import RELATION_KINDS, check_forced, copied_columns
from proxy.session.copy_lines import Lines, header_line, lines_of
from proxy.session.copy_options import unsupported_text
from proxy.session.execute import STREAMED
from proxy.session.maintenance import find_relation
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from proxy.session.rows import BINARY, COPY_DATA, Encoder, row_encoder
from proxy.wire import backend
from proxy.wire.message import CopyData
from translator import compiler
from translator import sqlstate as codes
from translator.compiler import Statement
from translator.errors import SqlError
from translator.plan import QueryPlan, UtilityPlan
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.session.copy_options import CopyOptions
    from proxy.session.session import Session
    from translator.settings import Settings

Tree = dict[str, Any]

_SHORT: Final = 1024  # bytes of a line for which the header of its message is a look-up


def _header(size: int) -> bytes:
    return struct.pack("!BI", COPY_DATA, size + 4)


_HEADERS: Final = tuple(map(_header, range(_SHORT)))


async def copy_to(session: Session, plan: UtilityPlan, portal: Portal, options: CopyOptions) -> int:
    tree = plan.tree
    compiled = _table_query(session, tree, options) if "relation" in tree else _query(plan, portal)
    query = compiled.plan
    assert isinstance(query, QueryPlan)
    assert query.fields is not None
    names = [field.name for field in query.fields]
    check_forced(options.force_quote, names, "")
    inner = Portal("", compiled, portal.binds, compiled.formats(()))
    session.bind_hidden(inner)
    await session.executor.run(inner)
    format = 1 if options.format == "binary" else 0
    session.client.send(backend.CopyOutResponse(format, (format,) * len(names)))
    count = await _send_rows(session, inner, _Messages(session, compiled, options, names))
    session.client.send_bytes(backend.COPY_DONE)
    return count


async def _send_rows(session: Session, inner: Portal, messages: _Messages) -> int:
    client = session.client
    client.send_bytes(messages.head())
    count = 0
    try:
        while True:
            rows = await session.executor.fetch(inner, STREAMED)
            count += len(rows)
            client.send_bytes(messages.rows(rows))
            if len(rows) < STREAMED:
                break
            if (drained := client.flush()) is not None:
                await session.wait_for_client(drained)
    finally:
        session.executor.close_portal(inner)
    client.send_bytes(messages.tail())
    return count


def _in_messages(lines: Lines) -> Encoder:
    """A function that makes a message of every line."""

    def encode(rows: Sequence[Sequence[Any]], settings: Settings) -> bytes:
        return b"".join([(_HEADERS[size] if (size := len(line)) < _SHORT else _header(size)) + line for line in lines(rows)])

    return encode


class _Messages:
    """Rows as CopyData messages, one a row."""

    def __init__(self, session: Session, compiled: CompiledPlan, options: CopyOptions, names: Sequence[str]) -> None:
        fields = compiled.plan.fields
        assert fields is not None
        self._settings = settings = session.parameters.settings
        self._options = options
        self._names = names
        self._prefix = b""
        if options.format == "binary":
            self._prefix = SIGNATURE + struct.pack("!II", 0, 0)
            self._encode = row_encoder(fields, (BINARY,) * len(fields), compiled.catalog, settings, COPY_DATA)
        else:
            types = [type_of(field.type_oid, compiled.catalog).for_typmod(field.typmod) for field in fields]
            if kernel.AVAILABLE:
                self._encode = kernel.line_encoder(options, names, types, settings)
            else:
                self._encode = _in_messages(lines_of(options, names, types, settings))

    def head(self) -> bytes:
        """The header line. That of binary format is sent with the first row, as PostgreSQL does."""
        if self._options.format == "binary" or self._options.header == "false":
            return b""
        return CopyData(header_line(self._options, self._names)).encode()

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """The messages of rows."""
        if not rows or not self._prefix:
            return self._encode(rows, self._settings)
        first = self._encode(rows[:1], self._settings)[5:]
        return CopyData(self._take_prefix() + first).encode() + self._encode(rows[1:], self._settings)

    def tail(self) -> bytes:
        if self._options.format != "binary":
            return b""
        return CopyData(self._take_prefix() + b"\xff\xff").encode()

    def _take_prefix(self) -> bytes:
        prefix, self._prefix = self._prefix, b""
        return prefix


def _table_query(session: Session, tree: Tree, options: CopyOptions) -> CompiledPlan:
    """COPY table TO is a SELECT of its columns."""
    relation = find_relation(session, tree["relation"])
    if relation.kind not in "rm":
        kind = RELATION_KINDS.get(relation.kind, "relation")
        if relation.kind == "p":
            kind = "partitioned table"
        hint = "Try the COPY (SELECT ...) TO variant." if relation.kind in "vfp" else None
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot copy from {kind} "{relation.name}"', hint=hint)
    columns = copied_columns(relation, tree.get("attlist"), options)
    names = ", ".join(quote(column.name) for column in columns)
    text = f"SELECT {names} FROM ONLY {quote(relation.schema)}.{quote(relation.name)}"
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
