"""The entrance to definitions: from the kind of statement to the function that carries it out.

A command that is not in the table is not supported: 0A000 names it.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from proxy.ddl.execution import Execution
from proxy.pg_catalog.relations import bump_catalog_version
from translator.errors import unsupported
from translator.plan import DefinePlan
from translator.statements import command_tag

# Statement node -> module.function(statement, execution) -> command tag. Modules are imported when they are needed.
_COMMANDS = {
    "AlterDefaultPrivilegesStmt": "default_privileges.alter_default_privileges",
    "AlterDomainStmt": "domain.alter_domain",
    "AlterEnumStmt": "types.alter_enum",
    "AlterFunctionStmt": "function.alter_function",
    "AlterObjectSchemaStmt": "rename.set_schema",
    "AlterOwnerStmt": "privileges.alter_owner",
    "AlterRoleStmt": "roles.alter_role",
    "AlterSeqStmt": "sequence.alter_sequence",
    "AlterTableStmt": "alter.alter_table",
    "CommentStmt": "comment.comment",
    "CompositeTypeStmt": "types.create_composite",
    "CreateDomainStmt": "domain.create_domain",
    "CreateEnumStmt": "types.create_enum",
    "CreateExtensionStmt": "extension.create_extension",
    "CreateFunctionStmt": "function.create_function",
    "CreateRoleStmt": "roles.create_role",
    "CreateSchemaStmt": "schema.create_schema",
    "CreateSeqStmt": "sequence.create_sequence",
    "CreateStmt": "table.create_table",
    "CreateTableAsStmt": "table_as.create_table_as",
    "DropRoleStmt": "roles.drop_role",
    "DropStmt": "drop.drop",
    "GrantRoleStmt": "roles.grant_role",
    "GrantStmt": "privileges.grant",
    "IndexStmt": "index.create_index",
    "ReassignOwnedStmt": "roles.reassign_owned",
    "RefreshMatViewStmt": "view.refresh",
    "ReindexStmt": "reindex.reindex",
    "RenameStmt": "rename.rename",
    "SelectStmt": "table_as.select_into",
    "TruncateStmt": "truncate.truncate",
    "ViewStmt": "view.create_view",
}
# What the refusal of a command says when its tag is that of commands that are carried out.
_REFUSED = {
    "AlterDatabaseSetStmt": "ALTER DATABASE SET",
    "AlterRoleSetStmt": "ALTER ROLE SET",
    "DropOwnedStmt": "DROP OWNED BY",
}
_Command = Callable[[dict[str, Any], Execution], str]


def define(plan: DefinePlan, execution: Execution) -> str:
    """Carry out a definition inside the caller's write transaction; returns the command tag."""
    execution.text = plan.text
    tree = plan.tree
    tag = carry_out(plan.node, tree.get(plan.node, tree), execution)
    bump_catalog_version(execution.connection)
    return tag


def carry_out(node: str, statement: dict[str, Any], execution: Execution) -> str:
    """Carry out one statement, which may be part of another one."""
    target = _COMMANDS.get(node)
    if target is None:
        raise unsupported(_REFUSED.get(node) or command_tag(node, statement))
    module, _, name = target.partition(".")
    command: _Command = getattr(import_module(f"proxy.ddl.{module}"), name)
    return command(statement, execution)
