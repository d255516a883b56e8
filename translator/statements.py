"""Statements that are not queries: which are DDL, where a utility statement keeps its query, and their command tags."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

# Carried out by proxy/ddl. Their tags are those of CreateCommandTag (tcop/utility.c); None: it depends on the tree.
DEFINITIONS: dict[str, str | None] = {
    "CreateStmt": "CREATE TABLE",
    "CreateTableAsStmt": None,
    "AlterTableStmt": None,
    "IndexStmt": "CREATE INDEX",
    "ReindexStmt": "REINDEX",
    "ViewStmt": "CREATE VIEW",
    "RefreshMatViewStmt": "REFRESH MATERIALIZED VIEW",
    "CreateSeqStmt": "CREATE SEQUENCE",
    "AlterSeqStmt": "ALTER SEQUENCE",
    "CreateSchemaStmt": "CREATE SCHEMA",
    "DropStmt": None,
    "TruncateStmt": "TRUNCATE TABLE",
    "RenameStmt": None,
    "CommentStmt": "COMMENT",
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "AlterDatabaseStmt": "ALTER DATABASE",
    "AlterDatabaseSetStmt": "ALTER DATABASE",
    "CreateEnumStmt": "CREATE TYPE",
    "AlterEnumStmt": "ALTER TYPE",
    "CompositeTypeStmt": "CREATE TYPE",
    "CreateRangeStmt": "CREATE TYPE",
    "AlterTypeStmt": "ALTER TYPE",
    "CreateDomainStmt": "CREATE DOMAIN",
    "AlterDomainStmt": "ALTER DOMAIN",
    "CreateFunctionStmt": None,
    "AlterFunctionStmt": "ALTER FUNCTION",
    "DefineStmt": None,
    "CreateRoleStmt": "CREATE ROLE",
    "AlterRoleStmt": "ALTER ROLE",
    "AlterRoleSetStmt": "ALTER ROLE",
    "DropRoleStmt": "DROP ROLE",
    "GrantStmt": None,
    "GrantRoleStmt": None,
    "AlterDefaultPrivilegesStmt": "ALTER DEFAULT PRIVILEGES",
    "AlterOwnerStmt": None,
    "AlterObjectSchemaStmt": None,
    "AlterObjectDependsStmt": None,
    "DropOwnedStmt": "DROP OWNED",
    "ReassignOwnedStmt": "REASSIGN OWNED",
    "CreateExtensionStmt": "CREATE EXTENSION",
    "AlterExtensionStmt": "ALTER EXTENSION",
    "CreateTrigStmt": "CREATE TRIGGER",
    "CreateEventTrigStmt": "CREATE EVENT TRIGGER",
    "RuleStmt": "CREATE RULE",
    "CreatePolicyStmt": "CREATE POLICY",
    "AlterPolicyStmt": "ALTER POLICY",
    "CreateCastStmt": "CREATE CAST",
    "CreateOpClassStmt": "CREATE OPERATOR CLASS",
    "CreateOpFamilyStmt": "CREATE OPERATOR FAMILY",
    "AlterOperatorStmt": "ALTER OPERATOR",
    "CreateStatsStmt": "CREATE STATISTICS",
    "CreatePublicationStmt": "CREATE PUBLICATION",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "CreateConversionStmt": "CREATE CONVERSION",
    "CreateAmStmt": "CREATE ACCESS METHOD",
    "CreateForeignTableStmt": "CREATE FOREIGN TABLE",
    "CreateFdwStmt": "CREATE FOREIGN DATA WRAPPER",
    "CreateForeignServerStmt": "CREATE SERVER",
    "CreateUserMappingStmt": "CREATE USER MAPPING",
    "ImportForeignSchemaStmt": "IMPORT FOREIGN SCHEMA",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "CreatePLangStmt": "CREATE LANGUAGE",
    "CreateTransformStmt": "CREATE TRANSFORM",
    "SecLabelStmt": "SECURITY LABEL",
    "AlterCollationStmt": "ALTER COLLATION",
    "AlterTSDictionaryStmt": "ALTER TEXT SEARCH DICTIONARY",
    "AlterTSConfigurationStmt": "ALTER TEXT SEARCH CONFIGURATION",
    "AlterOpFamilyStmt": "ALTER OPERATOR FAMILY",
    "AlterStatsStmt": "ALTER STATISTICS",
    "AlterPublicationStmt": "ALTER PUBLICATION",
    "AlterSubscriptionStmt": "ALTER SUBSCRIPTION",
    "AlterEventTrigStmt": "ALTER EVENT TRIGGER",
    "AlterSystemStmt": "ALTER SYSTEM",
}

# Carried out by proxy/session: node -> the key of the query inside, "" if there is none.
UTILITIES: dict[str, str] = {
    "CopyStmt": "query",
    "DeclareCursorStmt": "query",
    "ExplainStmt": "query",
    "PrepareStmt": "",
}

_UTILITY_TAGS = {
    "VariableShowStmt": "SHOW",
    "PrepareStmt": "PREPARE",
    "ExecuteStmt": "EXECUTE",
    "DeclareCursorStmt": "DECLARE CURSOR",
    "ClosePortalStmt": "CLOSE CURSOR",
    "ListenStmt": "LISTEN",
    "NotifyStmt": "NOTIFY",
    "UnlistenStmt": "UNLISTEN",
    "CheckPointStmt": "CHECKPOINT",
    "LockStmt": "LOCK TABLE",
    "ExplainStmt": "EXPLAIN",
    "DoStmt": "DO",
    "CallStmt": "CALL",
    "CopyStmt": "COPY",
    "LoadStmt": "LOAD",
    "ConstraintsSetStmt": "SET CONSTRAINTS",
}

_TRANSACTION_TAGS = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}

_OBJECTS = {
    "OBJECT_TABLE": "TABLE",
    "OBJECT_VIEW": "VIEW",
    "OBJECT_MATVIEW": "MATERIALIZED VIEW",
    "OBJECT_INDEX": "INDEX",
    "OBJECT_SEQUENCE": "SEQUENCE",
    "OBJECT_SCHEMA": "SCHEMA",
    "OBJECT_TYPE": "TYPE",
    "OBJECT_DOMAIN": "DOMAIN",
    "OBJECT_FUNCTION": "FUNCTION",
    "OBJECT_PROCEDURE": "PROCEDURE",
    "OBJECT_ROUTINE": "ROUTINE",
    "OBJECT_AGGREGATE": "AGGREGATE",
    "OBJECT_OPERATOR": "OPERATOR",
    "OBJECT_COLUMN": "TABLE",
    "OBJECT_ATTRIBUTE": "TYPE",
    "OBJECT_TABCONSTRAINT": "TABLE",
    "OBJECT_DOMCONSTRAINT": "DOMAIN",
    "OBJECT_TRIGGER": "TRIGGER",
    "OBJECT_EXTENSION": "EXTENSION",
    "OBJECT_COLLATION": "COLLATION",
    "OBJECT_DATABASE": "DATABASE",
    "OBJECT_ROLE": "ROLE",
    "OBJECT_FOREIGN_TABLE": "FOREIGN TABLE",
    "OBJECT_STATISTIC_EXT": "STATISTICS",
    "OBJECT_POLICY": "POLICY",
    "OBJECT_RULE": "RULE",
    "OBJECT_EVENT_TRIGGER": "EVENT TRIGGER",
    "OBJECT_PUBLICATION": "PUBLICATION",
    "OBJECT_SUBSCRIPTION": "SUBSCRIPTION",
    "OBJECT_CAST": "CAST",
    "OBJECT_CONVERSION": "CONVERSION",
    "OBJECT_LANGUAGE": "LANGUAGE",
    "OBJECT_LARGEOBJECT": "LARGE OBJECT",
    "OBJECT_OPCLASS": "OPERATOR CLASS",
    "OBJECT_OPFAMILY": "OPERATOR FAMILY",
    "OBJECT_ACCESS_METHOD": "ACCESS METHOD",
    "OBJECT_FDW": "FOREIGN DATA WRAPPER",
    "OBJECT_FOREIGN_SERVER": "SERVER",
    "OBJECT_TABLESPACE": "TABLESPACE",
    "OBJECT_TRANSFORM": "TRANSFORM",
    "OBJECT_TSCONFIGURATION": "TEXT SEARCH CONFIGURATION",
    "OBJECT_TSDICTIONARY": "TEXT SEARCH DICTIONARY",
    "OBJECT_TSPARSER": "TEXT SEARCH PARSER",
    "OBJECT_TSTEMPLATE": "TEXT SEARCH TEMPLATE",
}


def command_tag(node: str, tree: Node) -> str:
    """The command tag of a statement that is not a query."""
    fixed = DEFINITIONS.get(node) or _UTILITY_TAGS.get(node)
    if fixed is not None:
        return fixed
    match node:
        case "TransactionStmt":
            return _TRANSACTION_TAGS[tree.get("kind", "TRANS_STMT_BEGIN")]
        case "VariableSetStmt":
            return "RESET" if tree.get("kind") in ("VAR_RESET", "VAR_RESET_ALL") else "SET"
        case "DiscardStmt":
            return "DISCARD " + {"DISCARD_ALL": "ALL", "DISCARD_PLANS": "PLANS", "DISCARD_SEQUENCES": "SEQUENCES"}.get(
                tree.get("target", "DISCARD_ALL"), "TEMP"
            )
        case "DeallocateStmt":
            return "DEALLOCATE" if tree.get("name") else "DEALLOCATE ALL"
        case "FetchStmt":
            return "MOVE" if tree.get("ismove") else "FETCH"
        case "VacuumStmt":
            return "VACUUM" if tree.get("is_vacuumcmd") else "ANALYZE"
        case "DropStmt":
            return "DROP " + _object(tree.get("removeType", "OBJECT_ACCESS_METHOD"))
        case "CreateTableAsStmt":
            return "CREATE MATERIALIZED VIEW" if tree.get("objtype") == "OBJECT_MATVIEW" else "SELECT"
        case "AlterTableStmt":
            return "ALTER " + _object(tree.get("objtype", "OBJECT_TABLE"))
        case "RenameStmt":
            kind = tree.get("renameType", "OBJECT_TABLE")
            of_column = kind in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE")
            return "ALTER " + _object(str(tree.get("relationType", kind)) if of_column else kind)
        case "AlterOwnerStmt" | "AlterObjectSchemaStmt" | "AlterObjectDependsStmt":
            return "ALTER " + _object(tree.get("objectType", "OBJECT_TABLE"))
        case "CreateFunctionStmt":
            return "CREATE PROCEDURE" if tree.get("is_procedure") else "CREATE FUNCTION"
        case "DefineStmt":
            return "CREATE " + _object(tree.get("kind", "OBJECT_TYPE"))
        case "GrantStmt":
            return "GRANT" if tree.get("is_grant") else "REVOKE"
        case "GrantRoleStmt":
            return "GRANT ROLE" if tree.get("is_grant") else "REVOKE ROLE"
    return node.removesuffix("Stmt").upper()


def _object(kind: str) -> str:
    return _OBJECTS.get(kind, kind.removeprefix("OBJECT_").replace("_", " "))
