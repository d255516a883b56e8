"""Utility commands: what is neither a query nor DDL. One function a kind of parse node, found in COMMANDS.

A command gets the session, its plan and the portal. It leaves the command tag in `portal.tag` and, if it returns rows, all of
them in `portal.spool`; the session sends them. `columns` says what those rows look like where that depends on the session.

Commands with more to them have files of their own: cursors.py, sql_prepared.py, explain.py, copy.py, maintenance.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from proxy.ddl import execute as ddl
from proxy.ddl.execution import Execution
from proxy.ddl.standalone import standalone_command
from proxy.session import copy, cursors, explain, maintenance, sql_prepared
from proxy.session.access import refuse, refuse_command
from proxy.session.plans import CompiledPlan
from proxy.session.prepared import Portal
from proxy.session.read_only import read_only
from proxy.session.transaction import Event
from proxy.storage.locks import RowIsLocked
from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.plan import DefinePlan, Field, UtilityPlan

if TYPE_CHECKING:
    from proxy.session.session import Session
    from proxy.storage.database import Database

Command = Callable[["Session", UtilityPlan, Portal], Awaitable[None]]
Tree = dict[str, Any]

_TEXT: Final = 25
_JSON: Final = 114

# Commands of PostgreSQL that are known and not carried out, with the name for their refusal.
_UNSUPPORTED: Final = {
    "DoStmt": "DO",
    "LoadStmt": "LOAD",
    "AlterSystemStmt": "ALTER SYSTEM",
    "SecLabelStmt": "SECURITY LABEL",
}

# Take no transaction and are allowed in a failed block, or move the table themselves.
_OUTSIDE_TRANSACTION: Final = frozenset(("TransactionStmt",))
# Take no snapshot, so that the transaction's modes can still change (PlannedStmtRequiresSnapshot).
_WITHOUT_SNAPSHOT: Final = frozenset(
    [
        *("TransactionStmt", "LockStmt", "VariableSetStmt", "VariableShowStmt", "ConstraintsSetStmt"),
        *("FetchStmt", "ListenStmt", "NotifyStmt", "UnlistenStmt", "CheckPointStmt"),
    ]
)


async def run(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    """Carry out a utility command."""
    command = COMMANDS.get(plan.node)
    if command is None:
        name = _UNSUPPORTED.get(plan.node) or plan.tag or plan.node.removesuffix("Stmt").upper()
        raise unsupported(name)
    if plan.node not in _OUTSIDE_TRANSACTION:
        await session.actions.apply(Event.STATEMENT)
        if session.locks.note(portal.compiled):
            await session.locks.lock_statement(portal, free=True)
            renewed = portal.compiled.plan
            assert isinstance(renewed, UtilityPlan)
            plan = renewed
    if plan.node not in _WITHOUT_SNAPSHOT:
        session.transaction.queried = True
    portal.tag = plan.tag
    refuse_command(session, plan.node, plan.tree)
    session.executor.enter(portal.compiled)
    await command(session, plan, portal)


def resolve(session: Session, compiled: CompiledPlan) -> CompiledPlan:
    """The plan with the columns that its command returns, where the session decides on them (UtilityTupleDescriptor)."""
    plan = compiled.plan
    if not isinstance(plan, UtilityPlan) or plan.node not in _COLUMNS:
        return compiled
    fields = _COLUMNS[plan.node](session, plan)
    if fields == plan.fields:
        return compiled
    return CompiledPlan(replace(plan, fields=fields), compiled.statement, compiled.section)


# DDL


async def define(session: Session, plan: DefinePlan, portal: Portal) -> None:
    """Carry out DDL under the writer's lease."""
    renames_database = plan.node == "RenameStmt" and plan.tree.get("renameType") == "OBJECT_DATABASE"
    node = "RenameDatabase" if renames_database else plan.node
    if node in _DATABASE_COMMANDS:
        if session.parameters.show("transaction_read_only") == "on":
            raise read_only(plan.tag)
        refuse(session, plan.tag)
        await _DATABASE_COMMANDS[node](session, plan)
        portal.tag = plan.tag
        return
    command = standalone_command(plan.node, plan.tree)
    if command is not None:
        session.transaction.prevent_block(command, alone=session.alone)
    await session.actions.apply(Event.STATEMENT)
    if session.transaction.modes.read_only:
        raise read_only(plan.tag or plan.node)
    session.transaction.queried = True
    if session.locks.note(portal.compiled):
        await session.locks.lock_statement(portal, free=True)
    executor = session.executor
    lease = await session.connections.lease_writer()
    if is_temporary(plan.tree) or session.parameters.settings.search_path[:1] == ("pg_temp",):
        session.connections.keep_connection()
    connection = lease.connection
    await executor.spool_portals(connection)
    notices: list[SqlError] = []
    execution = Execution(
        connection=connection,
        settings=session.parameters.settings,
        notice=notices.append,
        text=plan.text,
        session=session,
        cluster=session.instance.cluster,
        parameter_types=plan.parameters,
        binds=tuple(portal.binds),
    )
    executor.enter(portal.compiled, connection)
    connection.use_catalog()
    try:
        portal.tag = await executor.in_thread(connection, lambda: ddl.define(plan, execution)) or plan.tag
    except RowIsLocked as blocked:
        raise unsupported(f"waiting for a row lock in {plan.tag}") from blocked
    finally:
        for notice in notices:
            session.notice(notice)
        if not lease.ended:
            session.database.catalog_changed(lease)


def is_temporary(tree: Any) -> bool:
    """Whether a definition makes a temporary object."""
    if isinstance(tree, list):
        return any(map(is_temporary, tree))
    if not isinstance(tree, dict):
        return False
    if tree.get("relpersistence") == "t" or tree.get("schemaname") == "pg_temp":
        return True
    parts = ("relation", "into", "rel", "view", "sequence")
    return any(is_temporary(tree[part]) for part in parts if part in tree)


async def _create_database(session: Session, plan: DefinePlan) -> None:
    session.transaction.prevent_block("CREATE DATABASE", alone=session.alone)
    options = {each["DefElem"]["defname"]: each["DefElem"].get("arg") for each in plan.tree.get("options", ())}
    for name, value in options.items():
        if name not in _CREATE_DATABASE_OPTIONS:
            raise unsupported(f"option {name.upper()} of CREATE DATABASE")
        if name == "encoding" and value is not None and string_of(value).lower() not in {"utf8", "utf-8", "unicode"}:
            raise unsupported(f"database encoding {string_of(value)}")
    template = options.get("template")
    source = None if template is None else string_of(template)
    if source in {"template0", "template1", "default"}:
        source = None
    await session.instance.cluster.create(plan.tree["dbname"], source)


async def _drop_database(session: Session, plan: DefinePlan) -> None:
    session.transaction.prevent_block("DROP DATABASE", alone=session.alone)
    name = plan.tree["dbname"]
    cluster = session.instance.cluster
    if plan.tree.get("missing_ok") and name not in cluster.databases():
        session.notice(SqlError("00000", f'database "{name}" does not exist, skipping', severity="NOTICE"))
        return
    if name == session.database.name:
        raise SqlError(codes.OBJECT_IN_USE, "cannot drop the currently open database")
    if name in cluster.databases():
        database = cluster.database(name)
        if any(option["DefElem"]["defname"] == "force" for option in plan.tree.get("options", ())):
            for other in list(database.sessions):
                other.terminate(SqlError(codes.ADMIN_SHUTDOWN, "terminating connection due to administrator command"))
        await _wait_for_sessions(database)
        if not database.sessions:
            session.instance.forget(database)
    cluster.drop(name)


async def _wait_for_sessions(database: Database) -> None:
    """Give sessions that are about to end some time to do so (CountOtherDBBackends)."""
    for _ in range(50):
        if not database.sessions:
            return
        await asyncio.sleep(0.1)


async def _rename_database(session: Session, plan: DefinePlan) -> None:
    session.transaction.prevent_block("ALTER DATABASE RENAME", alone=True)
    cluster = session.instance.cluster
    name = plan.tree["subname"]
    if name == session.database.name:
        raise SqlError(codes.FEATURE_NOT_SUPPORTED, "current database cannot be renamed")
    if name in cluster.databases():
        session.instance.forget(cluster.database(name))
    cluster.rename(name, plan.tree["newname"])


_CREATE_DATABASE_OPTIONS: Final = frozenset(
    [
        "owner",
        "template",
        "encoding",
        "locale",
        "lc_collate",
        "lc_ctype",
        "locale_provider",
        "builtin_locale",
        "icu_locale",
        "tablespace",
        "connection_limit",
        "allow_connections",
        "is_template",
        "strategy",
        "collation_version",
    ]
)
_DATABASE_COMMANDS: Final[dict[str, Callable[[Session, DefinePlan], Awaitable[None]]]] = {
    "CreatedbStmt": _create_database,
    "DropdbStmt": _drop_database,
    "RenameDatabase": _rename_database,
}


# Transactions


_EVENTS: Final = {
    "TRANS_STMT_BEGIN": (Event.BEGIN, "BEGIN"),
    "TRANS_STMT_START": (Event.BEGIN, "START TRANSACTION"),
    "TRANS_STMT_COMMIT": (Event.COMMIT, "COMMIT"),
    "TRANS_STMT_ROLLBACK": (Event.ROLLBACK, "ROLLBACK"),
    "TRANS_STMT_SAVEPOINT": (Event.SAVEPOINT, "SAVEPOINT"),
    "TRANS_STMT_RELEASE": (Event.RELEASE, "RELEASE SAVEPOINT"),
    "TRANS_STMT_ROLLBACK_TO": (Event.ROLLBACK_TO, "ROLLBACK TO SAVEPOINT"),
}
_CHAINED: Final = {Event.COMMIT: Event.COMMIT_AND_CHAIN, Event.ROLLBACK: Event.ROLLBACK_AND_CHAIN}
_TAGS: Final = {Event.RELEASE: "RELEASE", Event.ROLLBACK_TO: "ROLLBACK"}


async def _transaction(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    tree = plan.tree
    if tree["kind"] not in _EVENTS:
        portal.tag = await _two_phase(session, tree)
        return
    event, command = _EVENTS[tree["kind"]]
    if tree.get("chain"):
        event = _CHAINED[event]
        command += " AND CHAIN"
    if event is Event.BEGIN:
        was_in_block = session.transaction.in_block
        portal.tag = await session.actions.apply(event, command)
        try:
            for option in tree.get("options", ()):
                session.parameters.set(option["DefElem"]["defname"], _mode_text(option["DefElem"]))
        except SqlError:
            if not was_in_block:  # the block has not begun yet (TBLOCK_BEGIN in AbortCurrentTransaction)
                await session.actions.apply(Event.ROLLBACK, "ROLLBACK")
            raise
        return
    tag = await session.actions.apply(event, command, name=tree.get("savepoint_name", ""))
    portal.tag = _TAGS.get(event, tag.removesuffix(" AND CHAIN"))


async def _two_phase(session: Session, tree: Tree) -> str:
    """Two-phase commit, as a PostgreSQL whose max_prepared_transactions is nought, the default, has it."""
    if tree["kind"] == "TRANS_STMT_PREPARE":
        was_running = session.transaction.status == b"T"
        tag = await session.actions.apply(Event.ROLLBACK, "ROLLBACK")
        if was_running or not session.alone:
            raise SqlError(
                codes.OBJECT_NOT_IN_PREREQUISITE_STATE,
                "prepared transactions are disabled",
                hint='Set "max_prepared_transactions" to a nonzero value.',
            )
        return tag
    command = "COMMIT PREPARED" if tree["kind"] == "TRANS_STMT_COMMIT_PREPARED" else "ROLLBACK PREPARED"
    session.transaction.prevent_block(command, alone=session.alone)
    message = f'prepared transaction with identifier "{tree["gid"]}" does not exist'
    raise SqlError(codes.UNDEFINED_OBJECT, message)


def _mode_text(element: Tree) -> str:
    constant = element["arg"]["A_Const"]
    if "sval" in constant:
        return string_of(element["arg"])
    return "on" if constant["ival"].get("ival") else "off"


async def _set_constraints(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    portal.tag = "SET CONSTRAINTS"
    _warn_without_block(session, "SET CONSTRAINTS")
    session.constraint_modes.set(plan.tree.get("constraints", ()), deferred=bool(plan.tree.get("deferred")))


# Run-time parameters


async def _set_variable(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    tree = plan.tree
    kind, name, local = tree["kind"], tree.get("name", ""), bool(tree.get("is_local"))
    portal.tag = "RESET" if kind in {"VAR_RESET", "VAR_RESET_ALL"} else "SET"
    parameters = session.parameters
    if local:
        _warn_without_block(session, "SET LOCAL")
    match kind:
        case "VAR_SET_VALUE":
            parameters.set(name, _value_text(session, name, tree.get("args", ())), local=local)
        case "VAR_RESET" if name in {"transaction_isolation", "transaction_read_only", "transaction_deferrable"}:
            raise SqlError(codes.FEATURE_NOT_SUPPORTED, f'parameter "{name}" cannot be reset')  # GUC_NO_RESET
        case "VAR_SET_DEFAULT" | "VAR_RESET":
            parameters.set_default(name, local=local)
        case "VAR_SET_CURRENT":
            parameters.set(name, parameters.show(name), local=local)
        case "VAR_RESET_ALL":
            parameters.set_all_default()
        case "VAR_SET_MULTI" if name == "TRANSACTION":
            _warn_without_block(session, "SET TRANSACTION")
            for arg in tree["args"]:
                parameters.set(arg["DefElem"]["defname"], _mode_text(arg["DefElem"]))
        case "VAR_SET_MULTI" if name == "SESSION CHARACTERISTICS":
            for arg in tree["args"]:
                parameters.set(f"default_{arg['DefElem']['defname']}", _mode_text(arg["DefElem"]))
        case _:
            raise unsupported("SET TRANSACTION SNAPSHOT")


def _value_text(session: Session, name: str, args: list[Tree]) -> str:
    """The value of SET as one text (flatten_set_variable_args in guc_funcs.c)."""
    parameter = session.parameters.declaration(name) if "." not in name else None
    if len(args) > 1 and (parameter is None or not parameter.is_list):
        raise SqlError(codes.INVALID_PARAMETER_VALUE, f"SET {name} takes only one argument")
    texts = []
    for arg in args:
        if "TypeCast" in arg:
            texts.append(f"INTERVAL '{string_of(arg['TypeCast']['arg'])}'")
            continue
        text = string_of(arg)
        quotes = parameter is not None and parameter.quotes_list and "sval" in arg["A_Const"]
        texts.append(quote_identifier(text) if quotes else text)
    return ", ".join(texts)


def quote_identifier(name: str) -> str:
    """As quote_identifier in ruleutils.c, without its list of key words: SHOW search_path shows those bare in any case."""
    plain = name and (name[0].islower() or name[0] == "_") and all(c.islower() or c.isdigit() or c == "_" for c in name)
    return name if plain and name.isascii() else '"' + name.replace('"', '""') + '"'


async def _show(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    portal.tag = "SHOW"
    name = plan.tree["name"]
    if name != "all":
        portal.spool = [(session.parameters.show(name),)]
        return
    portal.spool = [
        (parameter.name, parameter.show(value), parameter.description)
        for parameter, value, _, _ in session.parameters.rows()
        if parameter.listed
    ]


def _show_columns(session: Session, plan: UtilityPlan) -> tuple[Field, ...]:
    name = plan.tree["name"]
    if name == "all":
        return tuple(Field(column, _TEXT) for column in ("name", "setting", "description"))
    return (Field(session.parameters.declaration(name).name, _TEXT),)


async def _discard(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    target = plan.tree["target"]
    portal.tag = target.replace("_", " ")
    if target == "DISCARD_ALL":
        session.transaction.prevent_block("DISCARD ALL", alone=session.alone)
        session.portals.clear()
        session.parameters.set_default("session_authorization")
        session.parameters.set_default("role")
        session.parameters.set_all_default()
        session.statements.clear()
        session.notifications.unlisten("")
        session.locks.table.release_kept(session.locks.owner)
    if target in {"DISCARD_ALL", "DISCARD_SEQUENCES"}:
        session.sequences.discard()
    if target in {"DISCARD_ALL", "DISCARD_TEMP"} and session.connections.lease is None:
        session.connections.drop_temporary()
        session.compilation.transaction_ended()


# Notifications


async def _listen(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    portal.tag = "LISTEN"
    session.notifications.listen(plan.tree["conditionname"])


async def _unlisten(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    portal.tag = "UNLISTEN"
    session.notifications.unlisten(plan.tree.get("conditionname", ""))


async def _notify(session: Session, plan: UtilityPlan, portal: Portal) -> None:
    portal.tag = "NOTIFY"
    session.notifications.notify(plan.tree["conditionname"], plan.tree.get("payload", ""))


# Parse tree details


def string_of(node: Tree) -> str:
    """The text of a constant or a name in a parse tree."""
    if "A_Const" in node:
        constant = node["A_Const"]
        if "ival" in constant:
            return str(constant["ival"].get("ival", 0))
        if "fval" in constant:
            return str(constant["fval"]["fval"])
        if "boolval" in constant:
            return "true" if constant["boolval"].get("boolval") else "false"
        return str(constant.get("sval", {}).get("sval", ""))
    ((kind, value),) = node.items()
    match kind:
        case "String":
            return str(value.get("sval", ""))
        case "Integer":
            return str(value.get("ival", 0))
        case "Float":
            return str(value["fval"])
        case "Boolean":
            return "true" if value.get("boolval") else "false"
        case "TypeName":
            return ".".join(part["String"]["sval"] for part in value["names"])
    raise AssertionError(f"{kind} is no name")


def _warn_without_block(session: Session, command: str) -> None:
    """Warn of a command that has no effect outside a block (WarnNoTransactionBlock in xact.c)."""
    if not session.transaction.in_block and session.alone:
        message = f"{command} can only be used in transaction blocks"
        session.notice(SqlError(codes.NO_ACTIVE_SQL_TRANSACTION, message, severity="WARNING"))


COMMANDS: Final[dict[str, Command]] = {
    "TransactionStmt": _transaction,
    "ConstraintsSetStmt": _set_constraints,
    "VariableSetStmt": _set_variable,
    "VariableShowStmt": _show,
    "DiscardStmt": _discard,
    "ListenStmt": _listen,
    "UnlistenStmt": _unlisten,
    "NotifyStmt": _notify,
    "PrepareStmt": sql_prepared.prepare,
    "ExecuteStmt": sql_prepared.execute,
    "DeallocateStmt": sql_prepared.deallocate,
    "DeclareCursorStmt": cursors.declare,
    "FetchStmt": cursors.fetch,
    "ClosePortalStmt": cursors.close,
    "ExplainStmt": explain.explain,
    "CopyStmt": copy.copy,
    "CheckPointStmt": maintenance.checkpoint,
    "VacuumStmt": maintenance.vacuum,
    "ClusterStmt": maintenance.cluster,
    "LockStmt": maintenance.lock,
}

_COLUMNS: Final[dict[str, Callable[[Session, UtilityPlan], tuple[Field, ...] | None]]] = {
    "VariableShowStmt": _show_columns,
    "ExecuteStmt": sql_prepared.columns,
    "FetchStmt": cursors.columns,
    "ExplainStmt": explain.columns,
}
