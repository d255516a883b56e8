"""Whether a text is valid input of a type: pg_input_is_valid, pg_input_error_info (misc.c).

Errors of the input function are the answer, an unknown type is an error as everywhere. The constraints of a domain are
expressions, which are not run from here: such a domain is refused.
"""

from proxy.pg_catalog import current
from proxy.pg_catalog.object_names import resolve_type
from translator.errors import SqlError, unsupported
from translator.functions.registry import function
from translator.settings import runtime
from translator.types.composite import Record
from translator.types.domain import Domain
from translator.types.registry import type_of

_TEXT = 25
_FIELDS = ("message", "detail", "hint", "sql_error_code")


def _input_error(text: str, type_name: str) -> SqlError | None:
    type_oid, typmod = resolve_type(type_name)
    type = type_of(type_oid, current.catalog())
    try:
        type.input(text, runtime.settings, typmod)
    except SqlError as error:
        return error
    base = type
    while isinstance(base, Domain):
        if current.catalog().domain_constraints(base.oid):
            raise unsupported("checking input against the constraints of a domain")
        base = base.base
    return None


@function("pg_input_is_valid", deterministic=False)
def pg_input_is_valid(text: str, type_name: str) -> bool:
    """Whether the type's input function takes the text."""
    return _input_error(text, type_name) is None


@function("pg_input_error_info", deterministic=False)
def pg_input_error_info(text: str, type_name: str) -> str:
    """What the type's input function objects to; a row of NULLs if nothing."""
    error = _input_error(text, type_name)
    values = (None,) * len(_FIELDS) if error is None else (error.message, error.detail, error.hint, error.sqlstate)
    return Record().encode([(_TEXT, value, name) for value, name in zip(values, _FIELDS, strict=True)])
