"""The function call protocol: FunctionCall, answered by FunctionCallResponse (manual, "Function Call"; fastpath.c).

The message names a function by its OID, and is carried out as the query `SELECT schema.function($1, …)` with the function's
own argument types, so that plan cache, locks and sequences work as in any other statement. What differs from a query:
there is no collation, which functions that compare text insist on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from proxy.pg_catalog.lookup import record
from proxy.pg_catalog.relations import FIRST_NORMAL_OID
from proxy.session.prepared import Portal
from proxy.session.rows import check_formats, encode_value, parameter_reader, spread
from proxy.session.running import failed_block, start_portal
from proxy.session.transaction import State
from proxy.wire import backend
from translator import compiler
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import QueryPlan
from translator.quoting import quote_identifier
from translator.types.registry import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.session.plans import CompiledPlan, Section
    from proxy.session.session import Answer, Session
    from proxy.wire import frontend
    from translator.catalog import Catalog
    from translator.rows import ProcRow
    from translator.types.base import Stored

# What a built-in function says that is called without a collation, by prosrc (check_collation_set and its kin).
_COMPARED: Final = (
    r"bpchar(_larger|_smaller|cmp|eq|ne|lt|le|gt|ge)|bt(text|name){1,2}cmp|(text|name)(eq|ne|lt|le|gt|ge)(text|name)?"
    r"|text_(lt|le|gt|ge|larger|smaller|starts_with|to_array|to_array_null)|replace_text|split_part|textpos"
)
_WITHOUT_COLLATION: Final = (
    (re.compile(_COMPARED), "string comparison"),
    (re.compile(r"lower|casefold"), "lower() function"),
    (re.compile(r"upper"), "upper() function"),
    (re.compile(r"initcap"), "initcap() function"),
    (re.compile(r"(text|name)n?like"), "LIKE"),
    (re.compile(r"(text|name)icn?like"), "ILIKE"),
    (re.compile(r"(text|name)(ic)?regex(eq|ne)|regexp_\w+|textregex(replace|substr)\w*"), "regular expression"),
    (re.compile(r"hash(text|bpchar)(extended)?"), "string hashing"),
)


def receive_function_call(session: Session, message: frontend.FunctionCall) -> Answer:
    session.begin_command("<FASTPATH> function call")
    session.alone = True
    if session.transaction.state is State.FAILED:
        raise failed_block()
    return _call(session, message)


async def _call(session: Session, message: frontend.FunctionCall) -> None:
    section = session.compilation.section()
    proc = _function(section, message.function_oid)
    values = message.arguments
    formats = message.argument_formats
    if len(formats) > 1 and len(formats) != len(values):
        text = f"function call message contains {len(formats)} argument formats but {len(values)} arguments"
        raise SqlError(codes.PROTOCOL_VIOLATION, text)
    if len(values) != len(proc.arguments):
        text = f"function call message contains {len(values)} arguments but function requires {len(proc.arguments)}"
        raise SqlError(codes.PROTOCOL_VIOLATION, text)
    session.executor.enter(None)
    binds = _read(session, proc, values, spread(formats, len(values)), section.catalog)
    if not proc.strict or None not in binds:
        _check_collation(proc)
    portal = Portal("", _compiled(session, section.catalog, proc), binds, (message.result_format,))
    try:
        await start_portal(session, portal)
        ((value,),) = await session.executor.fetch(portal, 2)
    finally:
        session.executor.close_portal(portal)
    result = None
    if value is not None:
        check_formats((message.result_format,))
        type = type_of(proc.result, section.catalog)
        result = encode_value(value, type, message.result_format, session.parameters.settings)
    session.client.send(backend.FunctionCallResponse(result))
    await session.end_query()


def _function(section: Section, oid: int) -> ProcRow:
    """The plain function with that OID (fetch_fp_info). Raises 42883, 0A000."""
    row = record(section.connection, "pg_proc", oid)
    if row is None:
        raise SqlError(codes.UNDEFINED_FUNCTION, f"function with OID {oid} does not exist")
    proc = next(each for each in section.catalog.procs(row["proname"]) if each.oid == oid)
    if proc.kind != "f" or proc.returns_set:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, f'cannot call function "{proc.name}" via fastpath interface')
    return proc


def _read(
    session: Session, proc: ProcRow, values: Sequence[bytes | None], formats: tuple[int, ...], catalog: Catalog
) -> tuple[Stored | None, ...]:
    """The arguments (parse_fcall_arguments)."""
    settings = session.parameters.settings
    found: list[Any] = []
    for read, value in zip(parameter_reader(proc.arguments, formats, catalog), values, strict=True):
        try:
            found.append(None if value is None else read(value, settings))
        except SqlError as error:
            if error.sqlstate == codes.INVALID_BINARY_REPRESENTATION and not error.message:
                error.message = f"incorrect binary data format in function argument {len(found) + 1}"
            raise
    return tuple(found)


def _check_collation(proc: ProcRow) -> None:
    for pattern, use in _WITHOUT_COLLATION if proc.oid < FIRST_NORMAL_OID else ():
        if pattern.fullmatch(proc.source):
            message = f"could not determine which collation to use for {use}"
            hint = "Use the COLLATE clause to set the collation explicitly."
            raise SqlError(codes.INDETERMINATE_COLLATION, message, hint=hint)


def _compiled(session: Session, catalog: Catalog, proc: ProcRow) -> CompiledPlan:
    """The plan of the query that calls the function."""
    schema = catalog.namespace_name(proc.namespace) or "pg_catalog"
    arguments = [f"${number}" for number in range(1, len(proc.arguments) + 1)]
    if proc.variadic:
        arguments[-1] = f"VARIADIC {arguments[-1]}"
    text = f"SELECT {quote_identifier(schema)}.{quote_identifier(proc.name)}({', '.join(arguments)})"
    (statement,) = compiler.parse(text)
    compiled = session.compilation.compile(statement, proc.arguments)
    assert isinstance(compiled.plan, QueryPlan)
    return compiled
