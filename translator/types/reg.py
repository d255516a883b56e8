"""The object identifier types, regclass and its kin: stored as the object's OID, INTEGER (manual, "Object Identifier Types").

'-' stands for 0 and a numeric text for itself. Names are the catalog's: whoever provides `runtime.catalog` may give it an
attribute `object_names`, an `ObjectNames`. Without one a name is refused, and an OID is shown as its digits, as PostgreSQL
shows one that no object has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from translator.errors import unsupported
from translator.settings import Settings, runtime
from translator.types.identifiers import Oid, parse_unsigned
from translator.types.registry import register

if TYPE_CHECKING:
    from translator.types.base import Stored


class ObjectNames(Protocol):
    """What the catalog does for these types; `type_name` is regclass, regtype, …"""

    def object_oid(self, type_name: str, text: str) -> int:
        """The OID of the object that `text` names. Raises 42P01, 42704, 42883, … in the input function's words."""
        ...

    def object_name(self, type_name: str, oid: int) -> str | None:
        """What the output function prints, qualified where search_path demands it; None where there is no such object."""
        ...


class Reg(Oid):
    """One of the eleven: they differ in what the catalog looks up."""

    def __init__(self, oid: int, name: str) -> None:
        self.oid = oid
        self.name = name

    def input(self, text: str, settings: Settings, typmod: int = -1) -> Stored:
        if text == "-":
            return 0
        if text.isascii() and text.isdigit():  # parseNumericOid: digits alone; a leading zero makes them octal
            return parse_unsigned(text, "oid", 32)
        names: ObjectNames | None = getattr(runtime.catalog, "object_names", None)
        if names is None:
            raise unsupported(f"a name as input of type {self.name}")
        return names.object_oid(self.name, text)

    def output(self, value: Stored, settings: Settings) -> str:
        if value == 0:
            return "0" if self.name in ("regoper", "regoperator") else "-"
        names: ObjectNames | None = getattr(runtime.catalog, "object_names", None)
        shown = names.object_name(self.name, int(value)) if names is not None else None
        return str(value) if shown is None else shown


REG_TYPES = {
    name: Reg(oid, name)
    for oid, name in (
        (24, "regproc"),
        (2202, "regprocedure"),
        (2203, "regoper"),
        (2204, "regoperator"),
        (2205, "regclass"),
        (2206, "regtype"),
        (3734, "regconfig"),
        (3769, "regdictionary"),
        (4089, "regnamespace"),
        (4096, "regrole"),
        (4191, "regcollation"),
    )
}
for _type in REG_TYPES.values():
    register(_type)
