"""VACUUM, ANALYZE, CHECKPOINT, CLUSTER and LOCK TABLE.

ANALYZE collects SQLite's statistics. VACUUM has nothing to do, since SQLite reuses free pages by itself; VACUUM FULL rewrites the
file. LOCK TABLE takes its lock in the lock table (locks.py), not the writer's lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.ddl.names import quote
from translator import compiler
from translator import sqlstate as codes
from translator.errors import SqlError
from translator.plan import QueryPlan

if TYPE_CHECKING:
    from proxy.session.prepared import Portal
    from proxy.session.session import Session
    from translator.catalog import Relation
    from translator.plan import UtilityPlan

_TABLES: Final = "rmtp"
_LOCKABLE: Final = "rpv"
_KINDS: Final = {
    "m": "materialized views",
    "S": "sequences",
    "i": "indexes",
    "I": "partitioned indexes",
    "c": "composite types",
}


async def checkpoint(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """CHECKPOINT: the checkpointer's thread copies the WAL into the file by itself; what is committed is on disk already."""
    portal.tag = "CHECKPOINT"


async def vacuum(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """VACUUM and ANALYZE."""
    tree = plan.tree
    is_vacuum = bool(tree.get("is_vacuumcmd"))
    portal.tag = "VACUUM" if is_vacuum else "ANALYZE"
    if is_vacuum:
        session.transaction.prevent_block("VACUUM", alone=session.alone)
    relations = [find_relation(session, each["VacuumRelation"]["relation"]) for each in tree.get("rels", ())]
    for relation in relations:
        if relation.kind not in _TABLES:
            message = f'skipping "{relation.name}" --- cannot {"vacuum" if is_vacuum else "analyze"} non-tables or special system tables'
            session.notice(SqlError("01000", message, severity="WARNING"))
    options = {each["DefElem"]["defname"] for each in tree.get("options", ())}
    if "full" in options:
        await _rewrite(session)
    if is_vacuum and "analyze" not in options:
        return
    lease = await session.connections.lease_writer()
    connection = lease.connection
    names = [f'main."{each.storage}"' for each in relations if each.kind in _TABLES and each.where == "main"]
    statements = [f"ANALYZE {name}" for name in names] if relations else ["ANALYZE main"]

    def collect() -> None:
        for sql in statements:
            connection.execute(sql).fetchall()

    await session.executor.in_thread(connection, collect)


async def _rewrite(session: Session) -> None:
    """SQLite's VACUUM, which cannot run in a transaction: the lease's transaction, still empty, makes way for it."""
    lease = await session.connections.lease_writer()
    connection = lease.connection

    def rewrite() -> None:
        connection.rollback()
        connection.execute("VACUUM").fetchall()
        connection.begin_immediate()

    await session.executor.in_thread(connection, rewrite)


async def cluster(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """CLUSTER: the order of rows on disk is no part of an answer."""
    portal.tag = "CLUSTER"
    if "relation" in plan.tree:
        find_relation(session, plan.tree["relation"])


async def lock(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """LOCK TABLE (LockTableCommand in lockcmds.c); of a view, what it reads as well."""
    portal.tag = "LOCK TABLE"
    session.transaction.require_block("LOCK TABLE", alone=session.alone)
    mode = plan.tree["mode"]
    for each in plan.tree["relations"]:
        relation = find_relation(session, each["RangeVar"])
        await _lock_relation(session, relation, mode, nowait=bool(plan.tree.get("nowait")))
        if relation.kind == "v":
            await _lock_view(session, relation, mode, nowait=bool(plan.tree.get("nowait")))


async def _lock_relation(session: Session, relation: Relation, mode: int, *, nowait: bool) -> None:
    if relation.kind not in _LOCKABLE:
        detail = f"This operation is not supported for {_KINDS.get(relation.kind, 'this kind of relation')}."
        raise SqlError(codes.WRONG_OBJECT_TYPE, f'cannot lock relation "{relation.name}"', detail=detail)
    tag = ("relation", session.database.name, relation.oid)
    if not nowait:
        await session.locks.acquire(tag, mode)
    elif not session.locks.table.try_request(session.locks.owner, tag, mode):
        raise SqlError(codes.LOCK_NOT_AVAILABLE, f'could not obtain lock on relation "{relation.name}"')


async def _lock_view(session: Session, view: Relation, mode: int, *, nowait: bool) -> None:
    """Lock the relations that a view reads, and those of the views among them, whose queries are part of the plan."""
    (statement,) = compiler.parse(f"SELECT * FROM {quote(view.schema)}.{quote(view.name)}")
    plan = session.compilation.section().compile_once(statement, session.parameters.settings).plan
    assert isinstance(plan, QueryPlan)
    for oid, _ in plan.relations:
        relation = session.compilation.relation_by_oid(oid)
        if relation is not None and oid != view.oid and relation.kind in _LOCKABLE:
            await _lock_relation(session, relation, mode, nowait=nowait)


def find_relation(session: Session, name: dict[str, Any]) -> Relation:
    """The relation of a RangeVar. Raises 42P01."""
    settings = session.parameters.settings
    catalog = session.compilation.section().catalog
    schema = name.get("schemaname")
    if schema is None:
        namespaces = catalog.search_path(settings.search_path, settings.user)
    else:
        namespace = catalog.namespace(schema)
        namespaces = [] if namespace is None else [namespace]
    for namespace in namespaces:
        found = catalog.relation(namespace, name["relname"])
        if found is not None:
            return found
    qualified = ".".join(part for part in (schema, name["relname"]) if part)
    raise SqlError(codes.UNDEFINED_TABLE, f'relation "{qualified}" does not exist')
