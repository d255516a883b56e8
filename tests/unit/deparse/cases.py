"""The recorded texts: reading and writing the case files of this folder.

    check: a > 0
    = (a > 0)

`expression` is any expression over the columns of schema.sql, `check` a constraint, `default TYPE` a column default,
`index` an index expression, `predicate` a partial index, `generated TYPE` a generated column. Lines that begin with `=`
are what pg_get_expr printed; lines with `~`, only where they differ, what it prints when it is given that text. Everything
else is a comment.
"""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = ("expression", "check", "default", "index", "predicate", "generated")


@dataclass(slots=True)
class Case:
    kind: str
    type: str
    input: str
    printed: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.printed)

    @property
    def text_read_again(self) -> str:
        return "\n".join(self.again) if self.again else self.text


def read(path: Path) -> list[str | Case]:
    """The pieces of a file in order: comment lines and cases."""
    pieces: list[str | Case] = []
    for line in path.read_text().splitlines():
        last = pieces[-1] if pieces else ""
        if isinstance(last, Case) and line[:1] in ("=", "~"):
            (last.printed if line[0] == "=" else last.again).append(line[2:])
            continue
        head, colon, text = line.partition(": ")
        kind, _, type_name = head.partition(" ")
        pieces.append(Case(kind, type_name, text) if colon and kind in KINDS else line)
    return pieces


def write(path: Path, pieces: list[str | Case]) -> None:
    lines = []
    for piece in pieces:
        if isinstance(piece, str):
            lines.append(piece)
        else:
            lines.append(f"{piece.kind}{' ' + piece.type if piece.type else ''}: {piece.input}")
            lines += [f"= {line}".rstrip() for line in piece.printed]
            lines += [f"~ {line}".rstrip() for line in piece.again]
    path.write_text("\n".join(lines) + "\n")


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.txt"))
