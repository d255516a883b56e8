"""CREATE FUNCTION and PROCEDURE in LANGUAGE sql (functioncmds.c). Other languages are not supported."""

from dataclasses import dataclass, field
from typing import Any

from proxy.ddl import view_text
from proxy.ddl.drop import ROUTINES, find_function
from proxy.ddl.execution import Address, Execution
from proxy.ddl.expressions import freeze
from proxy.ddl.initial_rights import initial_rights
from proxy.ddl.names import creation_namespace, namespace_oid, strings
from proxy.pg_catalog import classes
from proxy.pg_catalog.classes import FIRST_UNPINNED_OID
from translator import compiler, definitions, oids, sqlstate
from translator.analyze import typenames
from translator.errors import SqlError, unsupported
from translator.rows import ProcRow

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
    """CREATE [OR REPLACE] FUNCTION or PROCEDURE … LANGUAGE sql."""
    procedure = bool(statement.get("is_procedure"))
    options = _options(statement, procedure=procedure)
    language = options["language"]["String"]["sval"].lower() if "language" in options else "sql"
    if "language" not in options and "sql_body" not in statement:
        raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, "no language specified")
    if language != "sql":
        if language not in ("plpgsql", "c", "internal"):
            hint = "Use CREATE EXTENSION to load the language into the database." if language in _EXTENSIONS else None
            raise SqlError(sqlstate.UNDEFINED_OBJECT, f'language "{language}" does not exist', hint=hint)
        raise unsupported(f"CREATE FUNCTION in LANGUAGE {language}")
    names = strings(statement["funcname"])
    namespace = creation_namespace(execution, names[-2] if len(names) > 1 else None, names[-1])
    signature = _signature(execution, statement.get("parameters", ()), procedure=procedure)
    result, returns_set = _result(execution, statement, signature, procedure=procedure)
    row = _row(execution, statement, options, names[-1], namespace, signature, result, returns_set)
    row["prokind"] = "p" if procedure else "f"
    proc = _proc(row)
    relations = _check_body(execution, proc)
    if row["prosqlbody"] is not None:
        forms = definitions.analyze_routine(proc, execution.catalog, execution.settings)
        if forms is not None:
            body = definitions.stored_routine_text(forms, execution.catalog, execution.settings)
            row["prosqlbody"] = freeze(execution, body)
    _store(execution, statement, row, relations if row["prosqlbody"] is not None else [])
    return "CREATE PROCEDURE" if procedure else "CREATE FUNCTION"


_EXTENSIONS = {"plperl", "plperlu", "plpython3u", "pltcl", "pltclu"}
_REFUSED_FOR_PROCEDURES = {"window", "volatility", "leakproof", "strict", "cost", "rows", "support", "parallel"}


def _options(statement: dict[str, Any], *, procedure: bool) -> dict[str, Any]:
    """What stands behind the parameters, each once (compute_function_attributes)."""
    options: dict[str, Any] = {}
    for item in (each["DefElem"] for each in statement.get("options", ())):
        name, location = item["defname"], item.get("location")
        if procedure and name in _REFUSED_FOR_PROCEDURES:
            message = "invalid attribute in procedure definition"
            raise SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, message, location=location)
        if name in options:
            raise SqlError(sqlstate.SYNTAX_ERROR, "conflicting or redundant options", location=location)
        options[name] = item.get("arg")
    for name, word in (("set", "SET"), ("window", "WINDOW"), ("support", "SUPPORT"), ("transform", "TRANSFORM")):
        if name in options:
            raise unsupported(f"CREATE FUNCTION with {word}")
    if "parallel" in options and options["parallel"]["String"]["sval"] not in ("safe", "restricted", "unsafe"):
        message = 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE'
        raise SqlError(sqlstate.SYNTAX_ERROR, message)
    return options


def _proc(row: dict[str, Any]) -> ProcRow:
    return ProcRow(
        oid=0,
        name=row["proname"],
        namespace=row["pronamespace"],
        kind=row["prokind"],
        strict=row["proisstrict"],
        returns_set=row["proretset"],
        volatility=row["provolatile"],
        result=row["prorettype"],
        arguments=tuple(row["proargtypes"]),
        all_types=tuple(row["proallargtypes"] or ()),
        modes=tuple(row["proargmodes"] or ()),
        names=tuple(row["proargnames"] or ()),
        source=row["prosrc"],
        language=_SQL,
        body=row["prosqlbody"] or row["prosrc"],
    )


def _check_body(execution: Execution, proc: ProcRow) -> list[int]:
    """Analyze the body; gives the relations that it reads or writes."""
    try:
        return compiler.check_function(proc, execution.catalog, execution.settings)
    except SqlError as error:
        if error.sqlstate == sqlstate.INVALID_FUNCTION_DEFINITION:
            error.where = f'SQL function "{proc.name}"'
        raise _placed(error, execution.text, proc.body) from None


def _placed(error: SqlError, text: str, body: str) -> SqlError:
    """An error in a body stands where the body stands in the statement, if it does so unchanged (function_parse_error_transpose)."""
    start = text.find(body)
    if start >= 0 and error.location is not None:
        error.location += len(text[:start].encode())
    else:
        error.location = None
    return error


def _signature(execution: Execution, parameters: Any, *, procedure: bool = False) -> Signature:
    signature = Signature()
    for item in parameters:
        node = item["FunctionParameter"]
        type_oid = _argument_type(execution, node["argType"])
        _check_parameter(execution, signature, node, type_oid, procedure=procedure)
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


_PSEUDO_ALLOWED = oids.POLYMORPHIC | {oids.VOID, oids.RECORD}


def _invalid(message: str, **fields: Any) -> SqlError:
    return SqlError(sqlstate.INVALID_FUNCTION_DEFINITION, message, **fields)


def _check_parameter(
    execution: Execution, signature: Signature, node: dict[str, Any], type_oid: int, *, procedure: bool
) -> None:
    """One parameter beside those before it (interpret_function_parameter_list)."""
    mode, name = _MODES[node.get("mode", "FUNC_PARAM_DEFAULT")], node.get("name", "")
    shown = typenames.display(execution.catalog, type_oid)
    if mode in "ibv":
        if node["argType"].get("setof"):
            kind = "procedures" if procedure else "functions"
            raise _invalid(f"{kind} cannot accept set arguments", location=node.get("location"))
        if "v" in signature.modes:
            raise _invalid("VARIADIC parameter must be the last input parameter", location=node.get("location"))
        row = execution.catalog.type(type_oid)
        if row.kind == "p" and type_oid not in oids.POLYMORPHIC | {oids.RECORD, oids.RECORDARRAY}:
            raise _invalid(f"SQL functions cannot have arguments of type {shown}")
    if mode == "v" and not execution.catalog.element(type_oid) and type_oid not in _VARIADIC:
        raise _invalid("VARIADIC parameter must be an array", location=node.get("location"))
    if "defexpr" in node and mode not in "ibv":
        raise _invalid("only input parameters can have default values", location=node.get("location"))
    if name:
        same = [other for other, each in zip(signature.modes, signature.names, strict=True) if each == name]
        # an input and an output parameter of a table function are told apart by their use
        if any({mode, other} not in _SEPARATE for other in same):
            raise _invalid(f'parameter name "{name}" used more than once', location=node.get("location"))


_SEPARATE = ({"i", "o"}, {"v", "o"})
_VARIADIC = {oids.ANYARRAY, oids.ANYCOMPATIBLEARRAY, oids.ANY}


def _argument_type(execution: Execution, node: dict[str, Any]) -> int:
    """The type of an argument; here PostgreSQL does not quote the name of one that is missing."""
    if typenames.lookup(execution.catalog, execution.path, strings(node["names"])) is None:
        name = ".".join(strings(node["names"]))
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f"type {name} does not exist", location=node.get("location"))
    return typenames.resolve(execution.catalog, execution.path, node)[0]


def _result(execution: Execution, statement: dict[str, Any], signature: Signature, *, procedure: bool) -> tuple[int, bool]:
    outputs = signature.outputs
    implied = (outputs[0] if len(outputs) == 1 and not procedure else oids.RECORD) if outputs else 0
    node = statement.get("returnType")
    if procedure:
        return implied or oids.VOID, False
    if node is None:
        if not outputs:
            raise _invalid("function result type must be specified")
        result, returns_set = implied, False
    elif "t" in signature.modes:
        result, returns_set = implied, True
    else:
        plain = {key: value for key, value in node.items() if key != "setof"}
        result, returns_set = _return_type(execution, plain), bool(node.get("setof"))
        if implied and result != implied:
            shown = typenames.display(execution.catalog, implied)
            raise _invalid(f"function result type must be {shown} because of OUT parameters")
    _check_result(execution, signature, result)
    return result, returns_set


def _return_type(execution: Execution, node: dict[str, Any]) -> int:
    names = strings(node["names"])
    if typenames.lookup(execution.catalog, execution.path, names) is None:
        raise SqlError(sqlstate.UNDEFINED_OBJECT, f'type "{".".join(names)}" does not exist', location=None)
    return typenames.resolve(execution.catalog, execution.path, node)[0]


_FIRST_INPUTS = "anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange"
_SECOND_INPUTS = "anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange"


def _check_result(execution: Execution, signature: Signature, result: int) -> None:
    """A polymorphic result needs an input that tells its type (check_valid_polymorphic_signature)."""
    inputs = set(signature.inputs)
    for type_oid in (result, *signature.outputs):
        name = typenames.display(execution.catalog, type_oid)
        family = oids.POLYMORPHIC_FIRST if type_oid in oids.POLYMORPHIC_FIRST else oids.POLYMORPHIC_SECOND
        if type_oid in oids.POLYMORPHIC and not inputs & family:
            needed = _FIRST_INPUTS if family is oids.POLYMORPHIC_FIRST else _SECOND_INPUTS
            detail = f"A result of type {name} requires at least one input of type {needed}."
            raise _invalid("cannot determine result data type", detail=detail)
        for one, either in _RANGES.items():
            if type_oid == one and not inputs & either:
                words = " or ".join(sorted((typenames.display(execution.catalog, each) for each in either), key=len))
                detail = f"A result of type {name} requires at least one input of type {words}."
                raise _invalid("cannot determine result data type", detail=detail)
    row = execution.catalog.type(result)
    if row.kind == "p" and result not in _PSEUDO_ALLOWED | {oids.RECORDARRAY}:
        raise _invalid(f"SQL functions cannot return type {typenames.display(execution.catalog, result)}")


_RANGES = {
    each: {one, other}
    for one, other in (
        (oids.ANYRANGE, oids.ANYMULTIRANGE),
        (oids.ANYCOMPATIBLERANGE, oids.ANYCOMPATIBLEMULTIRANGE),
    )
    for each in (one, other)
}


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
        "proacl": initial_rights(execution, "f", namespace),
        "prolang": _SQL,
        "procost": _positive(options, "cost", 100),
        "prorows": _rows(options, returns_set=returns_set),
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


def _positive(options: dict[str, Any], name: str, default: float) -> float:
    if name not in options:
        return default
    node = options[name]
    value = float(node["Integer"].get("ival", 0) if "Integer" in node else node["Float"]["fval"])
    if value <= 0:
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, f"{name.upper()} must be positive")
    return value


def _rows(options: dict[str, Any], *, returns_set: bool) -> float:
    value = _positive(options, "rows", 1000 if returns_set else 0)
    if value and not returns_set:
        message = "ROWS is not applicable when function does not return a set"
        raise SqlError(sqlstate.INVALID_PARAMETER_VALUE, message)
    return value


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


def _store(execution: Execution, statement: dict[str, Any], row: dict[str, Any], relations: list[int]) -> None:
    same = [
        each
        for each in execution.catalog.source.procs(row["proname"])
        if each.namespace == row["pronamespace"] and list(each.arguments) == row["proargtypes"]
    ]
    if same:
        if not statement.get("replace"):
            message = f'function "{row["proname"]}" already exists with same argument types'
            raise SqlError(sqlstate.DUPLICATE_FUNCTION, message)
        _check_replacement(execution, same[0], row)
        oid = same[0].oid
        kept = {key: value for key, value in row.items() if key not in ("proowner", "proacl")}
        execution.update("pg_proc", oid, kept, oid=oid)
        execution.delete("pg_depend", oid, classid=classes.PG_PROC, objid=oid)
    else:
        oid = execution.new_oid()
        execution.insert("pg_proc", oid, oid=oid, **row)
    address = Address(classes.PG_PROC, oid)
    execution.depend(address, Address(classes.PG_NAMESPACE, row["pronamespace"]))
    for type_oid in dict.fromkeys((*(row["proallargtypes"] or row["proargtypes"]), row["prorettype"])):
        execution.depend(address, Address(classes.PG_TYPE, type_oid))
    for relation in relations:
        execution.depend(address, Address(classes.PG_CLASS, relation))
    execution.changed()


_KINDS = {"f": "a function", "p": "a procedure", "a": "an aggregate function", "w": "a window function"}


def _check_replacement(execution: Execution, old: ProcRow, row: dict[str, Any]) -> None:
    """What OR REPLACE may not change (ProcedureCreate)."""
    name = row["proname"]
    if old.kind != row["prokind"]:
        raise SqlError(sqlstate.WRONG_OBJECT_TYPE, "cannot change routine kind", detail=f'"{name}" is {_KINDS[old.kind]}.')
    shown = ",".join(typenames.display(execution.catalog, each) for each in row["proargtypes"])
    word = "PROCEDURE" if old.kind == "p" else "FUNCTION"
    hint = f"Use DROP {word} {name}({shown}) first."
    if (old.result, old.returns_set) != (row["prorettype"], row["proretset"]):
        what = "whether a procedure has output parameters" if old.kind == "p" else "return type of existing function"
        raise _invalid(f"cannot change {what}", hint=hint)
    outs = [list(zip(each, modes, names, strict=False)) for each, modes, names in _parameters(old, row)]
    columns = [[(oid, label) for oid, mode, label in side if mode in "obt"] for side in outs]
    if old.result == oids.RECORD and columns[0] != columns[1]:
        detail = "Row type defined by OUT parameters is different."
        raise _invalid("cannot change return type of existing function", detail=detail, hint=hint)
    inputs = [[label for _, mode, label in side if mode in "ibv"] for side in outs]
    for before, after in zip(*inputs, strict=False):
        if before and before != after:
            raise _invalid(f'cannot change name of input parameter "{before}"', hint=hint)
    if old.default_count > row["pronargdefaults"]:
        raise _invalid("cannot remove parameter defaults from existing function", hint=hint)


def _parameters(old: ProcRow, row: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """Types, modes and names of all parameters, before and after."""
    found = []
    for types, modes, names in (
        (old.all_types or old.arguments, old.modes, old.names),
        (row["proallargtypes"] or row["proargtypes"], row["proargmodes"], row["proargnames"]),
    ):
        found.append((types, modes or ["i"] * len(types), names or [""] * len(types)))
    return found


def alter_function(statement: dict[str, Any], execution: Execution) -> str:
    """ALTER FUNCTION or PROCEDURE … attributes (AlterFunction)."""
    kind = statement.get("objtype", "OBJECT_FUNCTION")
    row = _own(find_function(execution, statement["func"], ROUTINES[kind]))
    options = _options({"options": statement["actions"]}, procedure=row.kind == "p")
    changes: dict[str, Any] = {
        column: _flag(options, name)
        for name, column in (("security", "prosecdef"), ("leakproof", "proleakproof"), ("strict", "proisstrict"))
        if name in options
    }
    for name, column in (("volatility", "provolatile"), ("parallel", "proparallel")):
        if name in options:
            changes[column] = options[name]["String"]["sval"][0]
    if "cost" in options:
        changes["procost"] = _positive(options, "cost", 0)
    if "rows" in options:
        changes["prorows"] = _rows(options, returns_set=row.returns_set)
    execution.update("pg_proc", row.oid, changes, oid=row.oid)
    return f"ALTER {ROUTINES[kind].upper()}"


def _own(row: ProcRow) -> ProcRow:
    """Functions that every PostgreSQL has cannot be changed here: they are not in the database's own catalog."""
    if row.oid < FIRST_UNPINNED_OID:
        raise unsupported("changing a function of the system")
    return row


def rename_function(execution: Execution, statement: dict[str, Any]) -> str:
    """ALTER FUNCTION … RENAME TO."""
    word = ROUTINES[statement["renameType"]]
    row = _own(find_function(execution, statement["object"]["ObjectWithArgs"], word))
    _check_free(execution, row, statement["newname"], row.namespace)
    with view_text.kept(execution, classes.PG_PROC, row.oid, row.name):
        execution.update("pg_proc", row.oid, {"proname": statement["newname"]}, oid=row.oid)
    return f"ALTER {word.upper()}"


def move_function(execution: Execution, statement: dict[str, Any]) -> str:
    """ALTER FUNCTION … SET SCHEMA (AlterObjectNamespace_internal)."""
    word = ROUTINES[statement["objectType"]]
    row = _own(find_function(execution, statement["object"]["ObjectWithArgs"], word))
    namespace = namespace_oid(execution, statement["newschema"])
    if namespace != row.namespace:
        _check_free(execution, row, row.name, namespace)
        with view_text.kept(execution, classes.PG_PROC, row.oid, row.name):
            execution.update("pg_proc", row.oid, {"pronamespace": namespace}, oid=row.oid)
        address = {"classid": classes.PG_PROC, "objid": row.oid, "refclassid": classes.PG_NAMESPACE}
        execution.delete("pg_depend", row.oid, **address)
        execution.depend(Address(classes.PG_PROC, row.oid), Address(classes.PG_NAMESPACE, namespace))
        execution.changed()
    return f"ALTER {word.upper()}"


def _check_free(execution: Execution, row: ProcRow, name: str, namespace: int) -> None:
    for each in execution.catalog.procs(name):
        if each.namespace == namespace and each.arguments == row.arguments:
            shown = ", ".join(typenames.display(execution.catalog, oid) for oid in row.arguments)
            schema = execution.catalog.namespace_name(namespace)
            message = f'function {name}({shown}) already exists in schema "{schema}"'
            raise SqlError(sqlstate.DUPLICATE_FUNCTION, message)
