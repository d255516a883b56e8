"""Which locks on relations a statement takes (manual, "Table-Level Locks").

A query locks what it reads ACCESS SHARE, what it locks rows of ROW SHARE, what it writes to ROW EXCLUSIVE. For commands the modes
are those of the functions that carry them out in PostgreSQL, named below. Relations that do not exist are left to the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.ddl.expressions import walk
from proxy.session.maintenance import find_relation
from proxy.storage.lock_modes import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    EXCLUSIVE,
    ROW_EXCLUSIVE,
    ROW_SHARE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from translator.errors import SqlError
from translator.plan import QueryPlan

if TYPE_CHECKING:
    from proxy.session.session import Session
    from translator.plan import DefinePlan, UtilityPlan

Tree = dict[str, Any]
Locks = list[tuple[int, int]]  # (relation OID, mode)

# AlterTableGetLockLevel in tablecmds.c: what is not listed takes ACCESS EXCLUSIVE.
_ALTER_MODES: Final = {
    "AT_SetStatistics": SHARE_UPDATE_EXCLUSIVE,
    "AT_ClusterOn": SHARE_UPDATE_EXCLUSIVE,
    "AT_DropCluster": SHARE_UPDATE_EXCLUSIVE,
    "AT_SetOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_SetRelOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetRelOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_ValidateConstraint": SHARE_UPDATE_EXCLUSIVE,
    "AT_AttachPartition": SHARE_UPDATE_EXCLUSIVE,
    "AT_EnableTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableAlwaysTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableReplicaTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigAll": SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigUser": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrig": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigAll": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigUser": SHARE_ROW_EXCLUSIVE,
}
_DROPPED: Final = frozenset(
    ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE")
)


def locks_of_query(plan: QueryPlan) -> Locks:
    """What SELECT, INSERT, UPDATE, DELETE and MERGE lock."""
    marked = {mark.relation for mark in plan.row_marks}
    modes = {"r": ACCESS_SHARE, "w": ROW_EXCLUSIVE}
    found = dict.fromkeys((oid, modes[kind]) for oid, kind in plan.relations)
    found.update(dict.fromkeys((oid, ROW_SHARE) for oid in marked))
    written = {oid for oid, mode in found if mode == ROW_EXCLUSIVE}
    weaker = {(oid, ACCESS_SHARE) for oid in marked | written}
    return [lock for lock in found if lock not in weaker]


def locks_of_utility(session: Session, plan: UtilityPlan) -> Locks:
    """What a command that is neither a query nor DDL locks, but for LOCK TABLE (maintenance.py)."""
    tree = plan.tree
    found = locks_of_query(plan.query) if isinstance(plan.query, QueryPlan) else []
    match plan.node:
        case "CopyStmt" if "relation" in tree:
            _add(session, found, tree["relation"], ROW_EXCLUSIVE if tree.get("is_from") else ACCESS_SHARE)
        case "VacuumStmt":  # vacuum_rel, analyze_rel
            options = {each["DefElem"]["defname"] for each in tree.get("options", ())}
            mode = ACCESS_EXCLUSIVE if "full" in options else SHARE_UPDATE_EXCLUSIVE
            for each in tree.get("rels", ()):
                _add(session, found, each["VacuumRelation"]["relation"], mode)
        case "ClusterStmt" if "relation" in tree:
            _add(session, found, tree["relation"], ACCESS_EXCLUSIVE)
    return found


def locks_of_definition(session: Session, plan: DefinePlan) -> Locks:
    """What DDL locks of the relations that are there already."""
    tree = plan.tree
    found: Locks = []
    match plan.node:
        case "DropStmt" if tree["removeType"] in _DROPPED:  # RemoveRelations
            for each in tree["objects"]:
                _add(session, found, _named([part["String"]["sval"] for part in each["List"]["items"]]), ACCESS_EXCLUSIVE)
        case "TruncateStmt":  # ExecuteTruncate
            for each in tree["relations"]:
                _add(session, found, each["RangeVar"], ACCESS_EXCLUSIVE)
        case "AlterTableStmt":
            _add(session, found, tree["relation"], _alter_mode(tree))
            _add_referenced(session, found, tree)
        case "CreateStmt":
            _add_referenced(session, found, tree)
        case "IndexStmt":  # DefineIndex
            _add(session, found, tree["relation"], SHARE_UPDATE_EXCLUSIVE if tree.get("concurrent") else SHARE)
        case "ReindexStmt" if "relation" in tree:
            _add(session, found, tree["relation"], SHARE)
        case "RenameStmt" if "relation" in tree:  # RenameRelation
            index = tree["renameType"] == "OBJECT_INDEX"
            _add(session, found, tree["relation"], SHARE_UPDATE_EXCLUSIVE if index else ACCESS_EXCLUSIVE)
        case "AlterObjectSchemaStmt" | "RuleStmt" | "CreatePolicyStmt" if "relation" in tree:
            _add(session, found, tree["relation"], ACCESS_EXCLUSIVE)
        case "CreateTrigStmt":  # CreateTriggerFiringOn
            _add(session, found, tree["relation"], SHARE_ROW_EXCLUSIVE)
        case "ViewStmt":
            if tree.get("replace"):
                _add(session, found, tree["view"], ACCESS_EXCLUSIVE)
            _add_read(session, found, tree["query"])
        case "CreateTableAsStmt":
            _add_read(session, found, tree["query"])
        case "RefreshMatViewStmt":  # ExecRefreshMatView
            _add(session, found, tree["relation"], EXCLUSIVE if tree.get("concurrent") else ACCESS_EXCLUSIVE)
    return found


def _alter_mode(tree: Tree) -> int:
    """The strongest lock that one of the subcommands wants."""
    modes = [ACCESS_SHARE]
    for each in tree.get("cmds", ()):
        command = each["AlterTableCmd"]
        constraint = command.get("def", {}).get("Constraint", {})
        if command["subtype"] == "AT_AddConstraint" and constraint.get("contype") == "CONSTR_FOREIGN":
            modes.append(SHARE_ROW_EXCLUSIVE)
        else:
            modes.append(_ALTER_MODES.get(command["subtype"], ACCESS_EXCLUSIVE))
    return max(modes)


def _add_referenced(session: Session, found: Locks, tree: Tree) -> None:
    """Tables that new foreign keys refer to (ATAddForeignKeyConstraint)."""
    for name, value in walk(tree):
        if name == "Constraint" and value.get("contype") == "CONSTR_FOREIGN" and "pktable" in value:
            _add(session, found, value["pktable"], SHARE_ROW_EXCLUSIVE)


def _add_read(session: Session, found: Locks, tree: Tree) -> None:
    for name, value in walk(tree):
        if name == "RangeVar":
            _add(session, found, value, ACCESS_SHARE)


def _named(parts: list[str]) -> Tree:
    """A RangeVar of a qualified name."""
    *schema, name = parts
    return {"relname": name, "schemaname": schema[-1]} if schema else {"relname": name}


def _add(session: Session, found: Locks, name: Tree, mode: int) -> None:
    try:
        relation = find_relation(session, name)
    except SqlError:  # there is none, which the command reports in its own words
        return
    found.append((relation.oid, mode))
