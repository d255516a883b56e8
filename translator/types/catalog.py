"""Types that only the system catalogs have: aclitem, and the expressions and statistics that PostgreSQL keeps as trees.

Their values are texts that DDL writes and catalog functions read. Nobody may give one: input is refused as PostgreSQL
refuses it (aclitem's is accepted as it stands; GRANT checks what it writes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator import sqlstate as codes
from translator.errors import SqlError
from translator.types.base import Type
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.settings import Settings
    from translator.types.base import Stored


class AclItem(Type):
    """aclitem: `grantee=privileges/grantor`."""

    oid = 1033
    name = "aclitem"

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        return text

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def send(self, value: Stored, settings: Settings) -> bytes:
        raise SqlError(codes.UNDEFINED_FUNCTION, "no binary output function available for type aclitem")

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        raise SqlError(codes.UNDEFINED_FUNCTION, "no binary input function available for type aclitem")


class InternalText(Type):
    """pg_node_tree and the statistics types: text to read, never to write."""

    def __init__(self, oid: int, name: str) -> None:
        self.oid = oid
        self.name = name

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        raise self._refused()

    def output(self, value: Stored, settings: Settings) -> str:
        return str(value)

    def receive(self, data: bytes, settings: Settings, typmod: int = -1) -> Stored:
        raise self._refused()

    def send(self, value: Stored, settings: Settings) -> bytes:
        return str(value).encode()

    def _refused(self) -> SqlError:
        return SqlError(codes.FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {self.name}")


register(AclItem())
for _oid, _name in ((194, "pg_node_tree"), (3361, "pg_ndistinct"), (3402, "pg_dependencies"), (5017, "pg_mcv_list")):
    register(InternalText(_oid, _name))
