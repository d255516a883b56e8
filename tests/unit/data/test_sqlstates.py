"""The module of SQLSTATEs, and how it is made."""

import re

import pytest
from psycopg import errors

from translator import sqlstate
from translator.data import sqlstates

LIST = """
# comment
Section: Class 22 - Data Exception

22000    E    ERRCODE_DATA_EXCEPTION            data_exception
22004    E    ERRCODE_NULL_VALUE_NOT_ALLOWED    null_value_not_allowed
22008    E    ERRCODE_DATETIME_FIELD_OVERFLOW   datetime_field_overflow
22008    E    ERRCODE_DATETIME_VALUE_OUT_OF_RANGE

Section: Class 39 - External Routine Invocation Exception

39004    E    ERRCODE_E_R_I_E_NULL_VALUE_NOT_ALLOWED    null_value_not_allowed
"""


def codes():
    return {name: value for name, value in vars(sqlstate).items() if name.isupper()}


def test_condition_names_and_macros_where_a_name_stands_for_two_codes():
    text = sqlstates.module_text(LIST, "PostgreSQL 0")
    assert text.startswith('"""SQLSTATEs of PostgreSQL 0:')
    assert text.endswith(
        "\n# Class 22 - Data Exception\n"
        'DATA_EXCEPTION = "22000"\n'
        'NULL_VALUE_NOT_ALLOWED = "22004"\n'
        'DATETIME_FIELD_OVERFLOW = "22008"\n'
        "\n# Class 39 - External Routine Invocation Exception\n"
        'E_R_I_E_NULL_VALUE_NOT_ALLOWED = "39004"\n'
    )


def test_every_code_is_five_characters_and_has_one_name():
    assert all(re.fullmatch("[0-9A-Z]{5}", code) for code in codes().values())
    assert len(set(codes().values())) == len(codes()) > 250


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UNIQUE_VIOLATION", "23505"),
        ("FEATURE_NOT_SUPPORTED", "0A000"),
        ("STRING_DATA_RIGHT_TRUNCATION", "22001"),
        ("WARNING_STRING_DATA_RIGHT_TRUNCATION", "01004"),
        ("INVALID_CATALOG_NAME", "3D000"),
        ("INTERNAL_ERROR", "XX000"),
    ],
)
def test_the_names_are_those_of_the_manual(name, code):
    assert getattr(sqlstate, name) == code


def test_a_driver_knows_every_error_code():
    for name, code in codes().items():
        if code[:2] not in {"00", "01"} and code not in {"02001", "10608"}:
            assert errors.lookup(code), name
