"""What a read-only transaction refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.pg_catalog.relations import FIRST_TEMPORARY_OID
from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from proxy.session.session import Session
    from translator.plan import QueryPlan


def check_writable(session: Session, plan: QueryPlan) -> None:
    """Refuse writes in a read-only transaction, but not to temporary tables (ExecCheckXactReadOnly in execMain.c)."""
    if not session.transaction.modes.read_only:
        return
    if plan.row_marks and not plan.writes:
        raise read_only(f"SELECT {plan.row_marks[0].strength}")
    if any(kind == "w" and oid < FIRST_TEMPORARY_OID for oid, kind in plan.relations):
        raise read_only(plan.tag.split()[0])


def read_only(command: str) -> SqlError:
    """What a write in a read-only transaction gets (PreventCommandIfReadOnly in utility.c)."""
    return SqlError(codes.READ_ONLY_SQL_TRANSACTION, f"cannot execute {command} in a read-only transaction")
