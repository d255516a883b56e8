"""Read the generated files of this folder into Python values.

A file is cut into columns of strings when it is loaded, and a column becomes values when somebody first asks for it:
parse analysis needs 12 of the 30 columns of pg_proc, and the server should start quickly. Values by type:

    oid, xid, int2, int4, int8, reg*     int
    bool                                 bool
    float4, float8                       float
    oidvector, int2vector, int2[], oid[] tuple of int
    other arrays                         tuple of str or None
    everything else                      str

and NULL is None. Answers are shared by all callers, who must not change the lists.

Not here: which column means what (translator/catalog.py), and SQLite (proxy/pg_catalog/static.py).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

_FOLDER = Path(__file__).parent
_CATALOG = _FOLDER / "catalog"

# COPY's text format (manual, COPY, "Text Format"). Other escapes do not occur: COPY TO writes only these.
_NULL = "\\N"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# An element of an array's text: quoted or plain (manual, "Array Input and Output Syntax").
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', re.DOTALL)

_Converter: TypeAlias = Callable[[str], Any]


class Rows:
    """The rows of one relation, by column."""

    def __init__(self, columns: Mapping[str, str], values: Sequence[list[str]]) -> None:
        """Take the type name of every column, and its values as COPY wrote them."""
        self.types = columns
        self._texts = dict(zip(columns, values, strict=True))
        self._converted: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self._texts.values())))

    def column(self, name: str) -> list[Any]:
        """The values of one column, in the order of the rows."""
        if name not in self._converted:
            self._converted[name] = _convert(self._texts[name], self.types[name])
        return self._converted[name]

    def select(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The rows, as tuples of the named columns; of all columns if none is named."""
        return zip(*map(self.column, names or self.types), strict=True)


@cache
def load(name: str) -> Rows:
    """The rows of a relation; those of information_schema are named with their schema."""
    text = (_CATALOG / f"{name}.tsv").read_text(encoding="utf-8")
    _comment, head, body = text.split("\n", 2)
    columns = dict(column.split(":") for column in head.split("\t"))
    # One split and a slice for each column are half the time of one split for each row.
    fields = body.removesuffix("\n").replace("\n", "\t").split("\t")
    return Rows(columns, [fields[place :: len(columns)] for place in range(len(columns))])


def relation_names() -> list[str]:
    """The relations that have rows, as `load` takes them, sorted."""
    return sorted(path.stem for path in _CATALOG.glob("*.tsv") if path.stem != "keywords")


def catalog_digest() -> str:
    """A short name for the content of all rows, to key caches by."""
    return (_CATALOG / "digest.txt").read_text(encoding="utf-8").strip()


@cache
def view_definitions() -> Mapping[str, str]:
    """The query of every view, by qualified name: `pg_catalog.pg_tables`, `information_schema.columns`."""
    text = (_FOLDER / "views.sql").read_text(encoding="utf-8")
    definitions = (view.split(" AS\n", 1) for view in text.split("\nCREATE VIEW ")[1:])
    return {name: query.strip().removesuffix(";") for name, query in definitions}


def _convert(texts: list[str], type_name: str) -> list[Any]:
    converter = _converter(type_name)
    if "\\" not in "".join(texts):  # neither a NULL nor an escape, as in most columns
        return texts if converter is None else list(map(converter, texts))
    if texts.count(_NULL) == len(texts):
        return [None] * len(texts)
    converter = converter or _unescape
    return [None if text == _NULL else converter(text) for text in texts]


def _converter(type_name: str) -> _Converter | None:
    """The function from COPY's text to a value; None for strings."""
    if type_name in {"oid", "xid", "int2", "int4", "int8"} or type_name.startswith("reg"):
        return int
    match type_name:
        case "bool":
            return "t".__eq__
        case "float4" | "float8":
            return float
        case "oidvector" | "int2vector":
            return _integer_vector
        case "oid[]" | "int2[]" | "int4[]" | "int8[]":
            return _integer_array
    return _text_array if type_name.endswith("[]") else None


def _integer_vector(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def _integer_array(text: str) -> tuple[int, ...]:
    return tuple(map(int, text[1:-1].split(","))) if text != "{}" else ()


def _text_array(text: str) -> tuple[str | None, ...]:
    """The elements of a one-dimensional array; the catalogs have no others."""
    if "\\" in text:
        text = _unescape(text)
    if '"' not in text and "NULL" not in text:
        return tuple(text[1:-1].split(",")) if text != "{}" else ()
    return tuple(_element(match) for match in _ELEMENT.finditer(text))


def _element(match: re.Match[str]) -> str | None:
    quoted, plain = match.groups()
    if quoted is not None:
        return _ESCAPE.sub(r"\1", quoted)
    return None if plain == "NULL" else plain


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text
