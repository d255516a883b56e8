"""CREATE EXTENSION: what is built in under the name of an extension gets its SQL objects, as the extension's script would make them.

pg_stat_statements shows what session/statement_statistics.py counts, whether the extension is created or not (litephant.statements).
"""

from __future__ import annotations

from typing import Any, Final

from proxy.ddl import function, view
from proxy.ddl.execution import Address, Execution
from proxy.ddl.names import creation_namespace, quote
from proxy.pg_catalog import classes
from proxy.pg_catalog.extensions import AVAILABLE
from translator import compiler, sqlstate
from translator.errors import SqlError

_BUILT_IN: Final = frozenset({"plpgsql"})
_C_LANGUAGE: Final = 13

_BLOCKS: Final = (
    *(f"shared_blks_{what}" for what in ("hit", "read", "dirtied", "written")),
    *(f"local_blks_{what}" for what in ("hit", "read", "dirtied", "written")),
    *("temp_blks_read", "temp_blks_written"),
)
_BLOCK_TIMES: Final = tuple(f"{kind}_blk_{what}_time" for kind in ("shared", "local", "temp") for what in ("read", "write"))
_JIT: Final = ("jit_generation", "jit_inlining", "jit_optimization", "jit_emission")


def _zeros(*names: str, type_name: str = "bigint") -> str:
    return ", ".join(f"0::{type_name} AS {name}" for name in names)


# The columns of version 1.12. What SQLite does not have, shared buffers, a write-ahead log with records, JIT, is zero.
_STATEMENTS: Final = f"""
SELECT coalesce((SELECT a.oid FROM pg_catalog.pg_roles a WHERE a.rolname = s.usename), 0::oid) AS userid,
    coalesce((SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = s.datname), 0::oid) AS dbid,
    true AS toplevel, s.queryid, s.query, {_zeros("plans")},
    {_zeros(*(f"{each}_plan_time" for each in ("total", "min", "max", "mean", "stddev")), type_name="double precision")},
    s.calls, s.total_exec_time, s.min_exec_time, s.max_exec_time, s.mean_exec_time, s.stddev_exec_time, s.rows,
    {_zeros(*_BLOCKS)}, {_zeros(*_BLOCK_TIMES, type_name="double precision")},
    {_zeros("wal_records", "wal_fpi")}, 0::numeric AS wal_bytes, {_zeros("wal_buffers_full")},
    {_zeros("jit_functions")}, {_zeros("jit_generation_time", type_name="double precision")},
    {", ".join(f"{_zeros(f'{each}_count')}, {_zeros(f'{each}_time', type_name='double precision')}" for each in _JIT[1:])},
    {_zeros("jit_deform_count")}, {_zeros("jit_deform_time", type_name="double precision")},
    {_zeros("parallel_workers_to_launch", "parallel_workers_launched")},
    s.stats_since, s.stats_since AS minmax_stats_since
FROM litephant.statements s
"""

_VIEWS: Final = {
    "pg_stat_statements": {
        "pg_stat_statements": _STATEMENTS,
        "pg_stat_statements_info": "SELECT dealloc, stats_reset FROM litephant.statements_info",
    }
}
# Functions in C: their declarations, and their names in pg_proc.prosrc.
_FUNCTIONS: Final = {
    "pg_stat_statements": {
        "pg_stat_statements_reset_1_11": """pg_stat_statements_reset(userid oid DEFAULT 0, dbid oid DEFAULT 0,
            queryid bigint DEFAULT 0, minmax_only boolean DEFAULT false) RETURNS timestamptz STRICT PARALLEL SAFE"""
    }
}


def create_extension(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE EXTENSION [IF NOT EXISTS] name [SCHEMA schema] [VERSION version] [CASCADE]."""
    name = statement["extname"]
    if name in _BUILT_IN or execution.select("pg_extension", 0, "1", extname=name):
        message = f'extension "{name}" already exists'
        if not statement.get("if_not_exists"):
            raise SqlError(sqlstate.DUPLICATE_OBJECT, message)
        execution.note(f"{message}, skipping", sqlstate.DUPLICATE_OBJECT)
        return "CREATE EXTENSION"
    if name not in AVAILABLE:
        raise SqlError(
            sqlstate.FEATURE_NOT_SUPPORTED,
            f'extension "{name}" is not available',
            hint="The extension must first be installed on the system where PostgreSQL is running.",
        )
    options = {each["DefElem"]["defname"]: each["DefElem"].get("arg") for each in statement.get("options", ())}
    schema = options["schema"]["String"]["sval"] if "schema" in options else None
    version = options["new_version"]["String"]["sval"] if "new_version" in options else AVAILABLE[name].version
    if version != AVAILABLE[name].version:
        message = f'extension "{name}" has no installation script nor update path for version "{version}"'
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    _install(execution, name, version, creation_namespace(execution, schema, name))
    return "CREATE EXTENSION"


def _install(execution: Execution, name: str, version: str, namespace: int) -> None:
    schema = execution.catalog.source.namespace_name(namespace)
    assert schema is not None
    oid = execution.new_oid()
    execution.insert(
        "pg_extension",
        oid,
        oid=oid,
        extname=name,
        extowner=execution.owner,
        extnamespace=namespace,
        extrelocatable=True,
        extversion=version,
    )
    extension = Address(classes.PG_EXTENSION, oid)
    execution.depend(extension, Address(classes.PG_NAMESPACE, namespace))
    for source, declaration in _FUNCTIONS[name].items():
        _create_function(execution, f"{quote(schema)}.{declaration}", source, extension)
    for view_name, query in _VIEWS[name].items():
        (parsed,) = compiler.parse(f"CREATE VIEW {quote(schema)}.{quote(view_name)} AS {query}")
        view.create_view(parsed.tree, execution)
        execution.changed()
        relation = execution.catalog.relation(namespace, view_name)
        assert relation is not None
        execution.depend(Address(classes.PG_CLASS, relation.oid), extension, "e")


def _create_function(execution: Execution, declaration: str, source: str, extension: Address) -> None:
    """A function in C: declared as one in SQL, whose body is then exchanged for the name of ours."""
    (parsed,) = compiler.parse(f"CREATE FUNCTION {declaration} LANGUAGE SQL AS 'SELECT now()'")
    function.create_function(parsed.tree, execution)
    execution.changed()
    [(oid,)] = execution.select(
        "pg_proc", 0, "oid", prosrc="SELECT now()", proname=declaration.partition("(")[0].split(".")[-1]
    )
    row = {"prolang": _C_LANGUAGE, "prosrc": source, "probin": "$libdir/pg_stat_statements", "procost": 1}
    execution.update("pg_proc", oid, row, oid=oid)
    execution.changed()
    execution.depend(Address(classes.PG_PROC, oid), extension, "e")
