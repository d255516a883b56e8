"""The options of COPY, read from the parse tree and checked in the order of ProcessCopyOptions in copy.c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from translator import sqlstate as codes
from translator.errors import SqlError, unsupported

Tree = dict[str, Any]
_ALL_COLUMNS: Final = ("*",)

_KNOWN: Final = frozenset(
    [
        "format",
        "freeze",
        "delimiter",
        "null",
        "default",
        "header",
        "quote",
        "escape",
        "force_quote",
        "force_not_null",
        "force_null",
        "convert_selectively",
        "encoding",
        "on_error",
        "log_verbosity",
        "reject_limit",
    ]
)
_FORBIDDEN_DELIMITERS: Final = "\\.abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class CopyOptions:
    """What a COPY command asks for; column lists are names, ("*",) for all."""

    format: str = "text"  # text, csv, binary
    delimiter: str = "\t"
    null: str = "\\N"
    default: str | None = None
    header: str = "false"  # false, true, match
    quote: str = '"'
    escape: str = '"'
    force_quote: tuple[str, ...] = ()
    force_not_null: tuple[str, ...] = ()
    force_null: tuple[str, ...] = ()
    ignore_errors: bool = False
    reject_limit: int = 0
    log_verbosity: str = "default"

    def forces(self, column: str, columns: tuple[str, ...]) -> bool:
        return columns == _ALL_COLUMNS or column in columns


def read_options(tree: Tree) -> CopyOptions:
    """The options of a CopyStmt. Raises what PostgreSQL raises."""
    is_from = bool(tree.get("is_from"))
    given: dict[str, Tree] = {}
    for each in tree.get("options", ()):
        element = each["DefElem"]
        name = element["defname"]
        if name not in _KNOWN:
            raise SqlError(codes.SYNTAX_ERROR, f'option "{name}" not recognized', location=element.get("location"))
        if name in given:
            raise SqlError(codes.SYNTAX_ERROR, "conflicting or redundant options", location=element.get("location"))
        given[name] = element
    options = CopyOptions()
    if "format" in given:
        options.format = _choice(given["format"], ("text", "csv", "binary"), "COPY format {} not recognized")
    csv = options.format == "csv"
    if csv:
        options.delimiter, options.null = ",", ""
    _read_texts(options, given)
    _read_columns(options, given)
    if "header" in given:
        options.header = _header(given["header"], is_from=is_from)
    if "encoding" in given:
        _check_encoding(given["encoding"])
    if _boolean(given.get("freeze")) and not is_from:
        raise SqlError(codes.INVALID_PARAMETER_VALUE, "COPY FREEZE cannot be used with COPY TO")
        # rows here have no transaction ids that could be frozen: they are as COPY FREEZE leaves them in any case
    _read_error_options(options, given, is_from=is_from)
    _check(options, given, is_from=is_from)
    return options


def _read_texts(options: CopyOptions, given: dict[str, Tree]) -> None:
    if "delimiter" in given:
        options.delimiter = _text(given["delimiter"])
    if "null" in given:
        options.null = _text(given["null"])
    if "default" in given:
        options.default = _text(given["default"])
    if "quote" in given:
        options.quote = _text(given["quote"])
    options.escape = _text(given["escape"]) if "escape" in given else options.quote


def _read_columns(options: CopyOptions, given: dict[str, Tree]) -> None:
    for name in ("force_quote", "force_not_null", "force_null"):
        if name in given:
            arg = given[name].get("arg", {})
            if "A_Star" in arg:
                setattr(options, name, _ALL_COLUMNS)
            elif "List" in arg:
                setattr(options, name, tuple(each["String"]["sval"] for each in arg["List"]["items"]))
            else:
                message = f'argument to option "{name}" must be a list of column names'
                raise SqlError(codes.INVALID_PARAMETER_VALUE, message, location=given[name].get("location"))


def _read_error_options(options: CopyOptions, given: dict[str, Tree], *, is_from: bool) -> None:
    if "on_error" in given:
        element = given["on_error"]
        if not is_from:
            message = "COPY ON_ERROR cannot be used with COPY TO"
            raise SqlError(codes.INVALID_PARAMETER_VALUE, message, location=element.get("location"))
        options.ignore_errors = _choice(element, ("stop", "ignore"), "COPY ON_ERROR {} not recognized") == "ignore"
    if "log_verbosity" in given:
        choices = ("silent", "default", "verbose")
        options.log_verbosity = _choice(given["log_verbosity"], choices, "COPY LOG_VERBOSITY {} not recognized")
    if "reject_limit" in given:
        try:
            options.reject_limit = int(_text(given["reject_limit"]))
        except ValueError:
            message = "reject_limit requires a numeric value"
            raise SqlError(codes.SYNTAX_ERROR, message) from None
        if options.reject_limit <= 0:
            message = f"REJECT_LIMIT ({options.reject_limit}) must be greater than zero"
            raise SqlError(codes.INVALID_PARAMETER_VALUE, message)


def _check(options: CopyOptions, given: dict[str, Tree], *, is_from: bool) -> None:
    """What options exclude each other."""
    binary, csv = options.format == "binary", options.format == "csv"
    if binary:
        for name in ("delimiter", "null", "default"):
            if name in given:
                raise SqlError(codes.SYNTAX_ERROR, f"cannot specify {name.upper()} in BINARY mode")
    if len(options.delimiter.encode()) != 1:
        raise unsupported_text("COPY delimiter must be a single one-byte character")
    if options.delimiter in "\r\n":
        raise _invalid("COPY delimiter cannot be newline or carriage return")
    if any(char in options.null for char in "\r\n"):
        raise _invalid("COPY null representation cannot use newline or carriage return")
    if options.default is not None and any(char in options.default for char in "\r\n"):
        raise _invalid("COPY default representation cannot use newline or carriage return")
    if not csv and options.delimiter in _FORBIDDEN_DELIMITERS:
        raise _invalid(f'COPY delimiter cannot be "{options.delimiter}"')
    if binary and options.header != "false":
        raise unsupported_text("cannot specify HEADER in BINARY mode")
    _check_csv(options, given, csv=csv, is_from=is_from)
    if options.delimiter in options.null and not binary:
        raise _invalid("COPY delimiter character must not appear in the NULL specification")
    if csv and options.quote in options.null:
        raise _invalid("CSV quote character must not appear in the NULL specification")
    if options.default is not None:
        _check_default(options, csv=csv, is_from=is_from)
    if binary and options.ignore_errors:
        raise SqlError(codes.SYNTAX_ERROR, "only ON_ERROR STOP is allowed in BINARY mode")
    if options.reject_limit and not options.ignore_errors:
        raise _invalid("COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE")


def _check_csv(options: CopyOptions, given: dict[str, Tree], *, csv: bool, is_from: bool) -> None:
    if not csv:
        for name in ("quote", "escape", "force_quote", "force_not_null", "force_null"):
            if name in given:
                raise unsupported_text(f"COPY {name.upper()} requires CSV mode")
        return
    if len(options.quote.encode()) != 1:
        raise unsupported_text("COPY quote must be a single one-byte character")
    if options.delimiter == options.quote:
        raise _invalid("COPY delimiter and quote must be different")
    if len(options.escape.encode()) != 1:
        raise unsupported_text("COPY escape must be a single one-byte character")
    if "force_quote" in given and is_from:
        raise unsupported_text("COPY FORCE_QUOTE cannot be used with COPY FROM")
    for name in ("force_not_null", "force_null"):
        if name in given and not is_from:
            raise _invalid(f"COPY {name.upper()} cannot be used with COPY TO")


def _check_default(options: CopyOptions, *, csv: bool, is_from: bool) -> None:
    default = options.default or ""
    if not is_from:
        raise unsupported_text("COPY DEFAULT cannot be used with COPY TO")
    if options.delimiter in default:
        raise _invalid("COPY delimiter character must not appear in the DEFAULT specification")
    if csv and options.quote in default:
        raise _invalid("CSV quote character must not appear in the DEFAULT specification")
    if default == options.null:
        raise _invalid("NULL specification and DEFAULT specification cannot be the same")


def _header(element: Tree, *, is_from: bool) -> str:
    """A Boolean, or "match" (defGetCopyHeaderChoice)."""
    if "arg" not in element:
        return "true"
    text = _text(element).lower()
    if text in {"true", "on", "1"}:
        return "true"
    if text in {"false", "off", "0"}:
        return "false"
    if text == "match":
        if not is_from:
            raise unsupported_text('cannot use "match" with HEADER in COPY TO')
        return "match"
    raise SqlError(codes.SYNTAX_ERROR, 'header requires a Boolean value or "match"')


def _check_encoding(element: Tree) -> None:
    name = "".join(char for char in _text(element).lower() if char.isalnum())
    if name in {"utf8", "unicode", "sqlascii"}:
        return
    if name.startswith(("latin", "iso8859", "win", "windows", "euc", "sjis", "koi8", "big5", "gb")):
        raise unsupported(f"COPY with encoding {_text(element)}", element.get("location"))
    message = 'argument to option "encoding" must be a valid encoding name'
    raise SqlError(codes.INVALID_PARAMETER_VALUE, message, location=element.get("location"))


def _boolean(element: Tree | None) -> bool:
    if element is None:
        return False
    return "arg" not in element or _text(element).lower() in {"true", "on", "1"}


def _choice(element: Tree, choices: tuple[str, ...], refusal: str) -> str:
    text = _text(element)
    if text.lower() in choices:
        return text.lower()
    raise SqlError(codes.INVALID_PARAMETER_VALUE, refusal.format(f'"{text}"'), location=element.get("location"))


def _text(element: Tree) -> str:
    ((kind, value),) = element["arg"].items()
    match kind:
        case "String":
            return str(value.get("sval", ""))
        case "Integer":
            return str(value.get("ival", 0))
        case "Boolean":
            return "true" if value.get("boolval") else "false"
        case "Float":
            return str(value["fval"])
    message = f"{element['defname']} requires a parameter"
    raise SqlError(codes.SYNTAX_ERROR, message, location=element.get("location"))


def unsupported_text(message: str) -> SqlError:
    """What PostgreSQL itself calls unsupported, in its words."""
    return SqlError(codes.FEATURE_NOT_SUPPORTED, message)


def _invalid(message: str) -> SqlError:
    return SqlError(codes.INVALID_PARAMETER_VALUE, message)
