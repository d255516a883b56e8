"""COPY TO STDOUT: a query whose rows are written as lines of a format."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from proxy.session.copy_columns import RELATION_KINDS, check_forced, copied_columns, quote
from proxy.session.copy_formats import SIGNATURE, csv_header, csv_line, text_line
from proxy.session.copy_options import unsupported_text
from proxy.session.execute import CHUNK
from proxy.session.maintenance import find_relation
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
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

Tree = dict[str, Any]


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
        self._types = [type_of(field.type_oid, compiled.catalog).for_typmod(field.typmod) for field in fields]
        self._options = options
        self._names = names
        self._prefix = SIGNATURE + struct.pack("!II", 0, 0)
        self._line = csv_line(options, names) if options.format == "csv" else text_line(options)

    def head(self) -> bytes:
        """The header line. That of binary format is sent with the first row, as PostgreSQL does."""
        if self._options.format == "binary" or self._options.header == "false":
            return b""
        is_csv = self._options.format == "csv"
        return CopyData(csv_header(self._options, self._names) if is_csv else self._line(self._names)).encode()

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
