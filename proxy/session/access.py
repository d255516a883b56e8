"""What a session may do at all, decided when it is opened: `litephant.access_mode` and `litephant.fixed_parameters`.

Both come in the startup packet and in no other way (context "backend", as PostgreSQL has it for what SET must not change), so
SQL that somebody else wrote cannot undo them: not by SET, RESET ALL, DISCARD ALL, a transaction's mode or set_config().

* `read-only`: like a session of a PostgreSQL in hot standby. Every transaction is read-only and none can be made read-write;
  the session never gets the writer's lease (connections.py), and what acts on others without writing is refused here.
* `rollback-only`: it may write, but COMMIT does what ROLLBACK does (actions.py). For trying a statement out. What
  is not undone by a rollback is refused, but for nextval(), whose gaps are PostgreSQL's too (manual, "Sequence Manipulation").

`fixed_parameters` names parameters, separated by commas, which then keep the value that they were opened with.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from translator import sqlstate as codes
from translator.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.session.session import Session

Tree = dict[str, Any]

_ROW_EXCLUSIVE: Final = 3  # the strongest lock that a reader may take (LockTableCommand in lockcmds.c)


class Access(Enum):
    """The values of `litephant.access_mode`."""

    READ_WRITE = "read-write"
    READ_ONLY = "read-only"
    ROLLBACK_ONLY = "rollback-only"


def refuse(session: Session, command: str) -> None:
    """Refuse what acts on others, or cannot be undone, unless the session is an ordinary one (PreventCommandDuringRecovery)."""
    if session.access is not Access.READ_WRITE:
        raise SqlError(codes.READ_ONLY_SQL_TRANSACTION, f"cannot execute {command} in a {session.access.value} session")


def refuse_command(session: Session, node: str, tree: Tree) -> None:
    """Refuse the utility commands that are like that."""
    command = _ACTS_ON_OTHERS.get(node)
    if command is not None and (name := command(tree)) is not None:
        refuse(session, name)


_ACTS_ON_OTHERS: Final[dict[str, Callable[[Tree], str | None]]] = {
    "CheckPointStmt": lambda _: "CHECKPOINT",
    "ClusterStmt": lambda _: "CLUSTER",
    "LockStmt": lambda tree: "LOCK TABLE" if tree["mode"] > _ROW_EXCLUSIVE else None,
    "NotifyStmt": lambda _: "NOTIFY",
    "VacuumStmt": lambda tree: "VACUUM" if tree.get("is_vacuumcmd") else "ANALYZE",
}
