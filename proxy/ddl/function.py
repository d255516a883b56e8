"""CREATE FUNCTION in LANGUAGE sql, and what changes functions (functioncmds.c). Other languages are not supported."""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl.drop import find_function
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import freeze
from proxy.ddl.names import creation_namespace, strings
from proxy.pg_catalog import classes
from translator import compiler, oids, sqlstate
from translator.analyze import typenames
from translator.errors import SqlError, unsupported

_SQL = 14
_MODES = {
    "FUNC_PARAM_IN": "i",
    "FUNC_PARAM_OUT": "o",
    "FUNC_PARAM_INOUT": "b",
    "FUNC_PARAM_VARIADIC": "v",
    "FUNC_PARAM_TABLE": "t",
    "FUNC_PARAM_DEFAULT": "i",
}


@dataclass
class Signature:
    """The arguments of a function, as pg_proc has them."""

    types: list[int] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[int]:
        """The types of what a call passes."""
        return [each for each, mode in zip(self.types, self.modes, strict=True) if mode in "ibv"]

    @property
    def outputs(self) -> list[int]:
        """The types of what comes back."""
        return [each for each, mode in zip(self.types, self.modes, strict=True) if mode in "obt"]


def create_function(statement: dict[str, Any], execution: Execution) -> str:
    """CREATE [OR REPLACE] FUNCTION … LANGUAGE sql."""
    procedure = bool(statement.get("is_procedure"))
    tag = "CREATE PROCEDURE" if procedure else "CREATE FUNCTION"
    options = {item["DefElem"]["defname"]: item["DefElem"].get("arg") for item in statement.get("options", ())}
    language = options["language"]["String"]["sval"].lower() if "language" in options else "sql"
    if "language" not in options and "sql_body" not in statement:
        raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, "no language specified")
    if language != "sql":
        if language not in ("plpgsql", "c", "internal"):
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'language "{language}" does not exist')
        raise unsupported(f"CREATE FUNCTION in LANGUAGE {language}")
    if procedure:
        raise unsupported("CREATE PROCEDURE")
    names = strings(statement["funcname"])
    namespace = creation_namespace(execution, names[-2] if len(names) > 1 else None, names[-1])
    signature = _signature(execution, statement.get("parameters", ()))
    result, returns_set = _result(execution, statement, signature)
    row = _row(execution, statement, options, names[-1], namespace, signature, result, returns_set)
    _store(execution, statement, row)
    return tag


def _signature(execution: Execution, parameters: Any) -> Signature:
    signature = Signature()
    for item in parameters:
        node = item["FunctionParameter"]
        type_oid = _argument_type(execution, node["argType"])
        signature.types.append(type_oid)
        signature.modes.append(_MODES[node.get("mode", "FUNC_PARAM_DEFAULT")])
        signature.names.append(node.get("name", ""))
        if "defexpr" in node:
            compiled = compiler.compile_expression(
                node["defexpr"], execution.catalog, execution.settings, target=(type_oid, -1), clause="DEFAULT"
            )
            signature.defaults.append(freeze(execution, compiled.text))
        elif signature.defaults and signature.modes[-1] in "ibv":
            message = "input parameters after one with a default value must also have defaults"
            raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, message)
    return signature


def _argument_type(execution: Execution, node: dict[str, Any]) -> int:
    """The type of an argument; here PostgreSQL does not quote the name of one that is missing."""
    if typenames.lookup(execution.catalog, execution.path, strings(node["names"])) is None:
        name = ".".join(strings(node["names"]))
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f"type {name} does not exist", location=node.get("location"))
    return typenames.resolve(execution.catalog, execution.path, node)[0]


def _result(execution: Execution, statement: dict[str, Any], signature: Signature) -> tuple[int, bool]:
    outputs = signature.outputs
    node = statement.get("returnType")
    if node is None:
        if not outputs:
            raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, "function result type must be specified")
        return (outputs[0] if len(outputs) == 1 else oids.RECORD), False
    returns_set = bool(node.get("setof"))
    if "t" in signature.modes:
        return (outputs[0] if len(outputs) == 1 else oids.RECORD), True
    plain = {key: value for key, value in node.items() if key != "setof"}
    type_oid, _ = typenames.resolve(execution.catalog, execution.path, plain)
    return type_oid, returns_set


def _row(
    execution: Execution,
    statement: dict[str, Any],
    options: dict[str, Any],
    name: str,
    namespace: int,
    signature: Signature,
    result: int,
    returns_set: bool,
) -> dict[str, Any]:
    all_inputs = all(mode == "i" for mode in signature.modes)
    body, sql_body = _body(execution, statement, options)
    volatility = options["volatility"]["String"]["sval"][0] if "volatility" in options else "v"
    variadic = [each for each, mode in zip(signature.types, signature.modes, strict=True) if mode == "v"]
    return {
        "proname": name,
        "pronamespace": namespace,
        "proowner": execution.owner,
        "prolang": _SQL,
        "procost": 100,
        "prorows": 1000 if returns_set else 0,
        "provariadic": execution.catalog.element(variadic[0]) if variadic else 0,
        "prosecdef": _flag(options, "security"),
        "proleakproof": _flag(options, "leakproof"),
        "proisstrict": _flag(options, "strict"),
        "proretset": returns_set,
        "provolatile": volatility,
        "proparallel": options["parallel"]["String"]["sval"][0] if "parallel" in options else "u",
        "pronargs": len(signature.inputs),
        "pronargdefaults": len(signature.defaults),
        "prorettype": result,
        "proargtypes": signature.inputs,
        "proallargtypes": None if all_inputs else signature.types,
        "proargmodes": None if all_inputs else signature.modes,
        "proargnames": signature.names if any(signature.names) else None,
        "proargdefaults": ", ".join(signature.defaults) or None,
        "prosrc": body,
        "prosqlbody": sql_body,
    }


def _flag(options: dict[str, Any], name: str) -> bool:
    return bool(options[name]["Boolean"].get("boolval")) if name in options else False


def _body(execution: Execution, statement: dict[str, Any], options: dict[str, Any]) -> tuple[str, str | None]:
    """(prosrc, prosqlbody): a string, or the SQL-standard form as its text."""
    if "as" in options:
        items = options["as"]["List"]["items"]
        if len(items) > 1:
            message = 'only one AS item needed for language "sql"'
            raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, message)
        return items[0]["String"].get("sval", ""), None
    if "sql_body" not in statement:
        raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, "no function body specified")
    text = execution.text
    upper = text.upper()
    start = (
        max(upper.find("BEGIN ATOMIC"), upper.rfind("RETURN ")) if "BEGIN ATOMIC" not in upper else upper.find("BEGIN ATOMIC")
    )
    return "", text[start:].rstrip().rstrip(";")


def _store(execution: Execution, statement: dict[str, Any], row: dict[str, Any]) -> None:
    same = [
        each
        for each in execution.catalog.source.procs(row["proname"])
        if each.namespace == row["pronamespace"] and list(each.arguments) == row["proargtypes"]
    ]
    if same:
        if not statement.get("replace"):
            message = f'function "{row["proname"]}" already exists with same argument types'
            raise SqlError(sqlstate.DUPLICATE_FUNCTION, message)
        old = same[0]
        if (old.result, old.returns_set) != (row["prorettype"], row["proretset"]):
            shown = ", ".join(typenames.display(execution.catalog, each) for each in row["proargtypes"])
            hint = f"Use DROP FUNCTION {row['proname']}({shown.replace(', ', ',')}) first."
            message = "cannot change return type of existing function"
            raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, message, hint=hint)
        execution.update("pg_proc", old.oid, row, oid=old.oid)
        return
    oid = execution.new_oid()
    execution.insert("pg_proc", oid, oid=oid, **row)
    address = Address(classes.PG_PROC, oid)
    execution.depend(address, Address(classes.PG_NAMESPACE, row["pronamespace"]))
    for type_oid in dict.fromkeys((*row["proargtypes"], row["prorettype"])):
        execution.depend(address, Address(classes.PG_TYPE, type_oid))
    execution.changed()


def rename_function(execution: Execution, statement: dict[str, Any]) -> str:
    """ALTER FUNCTION … RENAME TO."""
    row = find_function(execution, statement["object"]["ObjectWithArgs"], "function")
    new = statement["newname"]
    for each in execution.catalog.procs(new):
        if each.namespace == row.namespace and each.arguments == row.arguments:
            shown = ", ".join(typenames.display(execution.catalog, oid) for oid in row.arguments)
            schema = execution.catalog.namespace_name(row.namespace)
            message = f'function {new}({shown}) already exists in schema "{schema}"'
            raise SqlError(sqlstate.DUPLICATE_FUNCTION, message)
    execution.update("pg_proc", row.oid, {"proname": new}, oid=row.oid)
    return "ALTER FUNCTION"
