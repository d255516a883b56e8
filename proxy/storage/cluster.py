"""A cluster: a directory with one SQLite file a database, owned by one process. Another may `join` it for a while.

Databases are opened when first asked for. File names are `<name>.db`; characters that a file system may refuse are
percent-escaped. Given a file instead of a directory, the cluster is that one database, named as the file is without its
extension, and cannot create others.

Database files are opened through SQLite only: POSIX drops all locks of a process on a file when it closes any descriptor of it.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import apsw

from proxy.storage import disk
from proxy.storage.connection import Connection, SystemCatalog
from proxy.storage.database import Database
from proxy.storage.errors import access_error, file_error
from proxy.storage.owner import OwnerLock
from translator import sqlstate
from translator.errors import SqlError, unsupported

SUFFIX = ".db"
_FILE_SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")
_LOCK_FILE = "litephant.lock"
_READER_THREADS = min(8, 2 + (os.cpu_count() or 1))
_EMPTY_TEMPLATES = ("template0", "template1")  # what they hold is what every new database gets
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$ ")


class Cluster:
    """See the module. Raises SqlError in PostgreSQL's words (dbcommands.c)."""

    def __init__(self, path: Path, system: SystemCatalog, lock: OwnerLock | None, single: str | None) -> None:
        self.path = path
        self._system = system
        self._lock = lock
        self._single = single
        self._open: dict[str, Database] = {}
        self._making: set[str] = set()
        self._threads = ThreadPoolExecutor(_READER_THREADS, "reader")

    @classmethod
    def open(cls, path: Path | str, system: SystemCatalog | None = None) -> Cluster:
        """Open or create; raises ClusterInUse (owner.py), which names the process, when another one has it.

        A new directory gets the database `postgres`. What does not exist is a file if its name ends like one (.db, .sqlite).
        """
        path = Path(path).absolute()
        if not _is_single(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        cluster = cls(path, system or SystemCatalog(), OwnerLock(lock_file(path)), path.stem if _is_single(path) else None)
        if cluster._single is None:
            for leftover in path.glob(".*.new*"):
                leftover.unlink()
            if not cluster.databases():
                cluster._make("postgres", None)
        return cluster

    @classmethod
    def join(cls, path: Path | str, system: SystemCatalog | None = None) -> Cluster:
        """Open beside the owner, if there is one: SQLite's locks keep the files whole, whoever writes to them.

        What the owner keeps in its memory is not shared: row locks, advisory locks, the notifications that it sends. Databases can be made, and not
        dropped or renamed. The owner sees what is committed at once, and new tables at its next statement that is new to it.
        """
        path = Path(path).absolute()
        if not _is_single(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        cluster = cls(path, system or SystemCatalog(), None, path.stem if _is_single(path) else None)
        if not cluster.databases():
            cluster._make("postgres", None)
        return cluster

    @property
    def is_joined(self) -> bool:
        """Whether another process may be the owner."""
        return self._lock is None

    def announce(self, host: str, port: int) -> None:
        """Let the lock file say where the owner listens."""
        if self._lock is not None:
            self._lock.announce(address=f"{host}:{port}")

    def databases(self) -> list[str]:
        """Names, sorted."""
        if self._single is not None:
            return [self._single]
        return sorted(
            unquote(file.name.removesuffix(SUFFIX)) for file in self.path.glob(f"*{SUFFIX}") if not file.name.startswith(".")
        )

    def database(self, name: str) -> Database:
        """The database, opened; 3D000 when there is none."""
        if name not in self._open:
            if not self._exists(name):
                raise _missing(name)
            try:
                self._open[name] = Database(name, self._file(name), self._threads, self._system)
            except apsw.Error as error:
                raise access_error(error, self._file(name)) from error
        return self._open[name]

    def opened(self) -> list[Database]:
        """Those that are open now."""
        return list(self._open.values())

    def create(self, name: str, template: str | None = None, *, by: Any = None) -> asyncio.Future[None]:
        """CREATE DATABASE: empty, or a copy of `template`. 42P04, 3D000, 55006. Refusals are raised at once.

        `by`, here and below: the session that asks; it may be connected to the template, and not to what it drops.
        """
        self._refuse_single("CREATE DATABASE")
        if self._exists(name) or name in self._making:
            raise _duplicate(name)
        source = self._template(template, by)
        self._making.add(name)
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._make, name, source)
        future.add_done_callback(lambda _: self._making.discard(name))
        return future

    def drop(self, name: str, *, by: Any = None) -> None:
        """DROP DATABASE. 3D000; 55006 when `Database.sessions` is not empty."""
        self._refuse_single("DROP DATABASE")
        self._refuse_joined("DROP DATABASE")
        self._close_unused(name, by, "cannot drop the currently open database", sqlstate.OBJECT_IN_USE)
        file = self._file(name)
        try:
            disk.remove(file)  # first, and durably: without its WAL it might lack what was committed
            disk.remove(*_companions(file))
        except OSError as error:
            raise file_error(error, "remove", file) from error

    def rename(self, name: str, new_name: str, *, by: Any = None) -> None:
        """ALTER DATABASE … RENAME TO. 3D000, 42P04; 55006 also while another process has the file open."""
        self._refuse_single("ALTER DATABASE RENAME")
        self._refuse_joined("ALTER DATABASE RENAME")
        if not self._exists(name):
            raise _missing(name)
        if self._exists(new_name) or new_name in self._making:
            raise _duplicate(new_name)
        self.database(name)  # a crash may have left a WAL: opening and closing brings it into the file
        self._close_unused(name, by, "current database cannot be renamed", sqlstate.FEATURE_NOT_SUPPORTED)
        file, new_file = self._file(name), self._file(new_name)
        if any(companion.exists() for companion in _companions(file)):  # whose commits would be lost
            raise SqlError(sqlstate.OBJECT_IN_USE, f'database "{name}" is being accessed by other users')
        try:
            disk.remove(*_companions(new_file))
            disk.rename(file, new_file)
        except OSError as error:
            raise file_error(error, "rename", file) from error

    def close(self) -> None:
        """Close all databases and give the directory up."""
        for database in self._open.values():
            database.close()
        self._open.clear()
        self._threads.shutdown()
        if self._lock is not None:
            self._lock.close()

    def _file(self, name: str) -> Path:
        return self.path if self._single is not None else self.path / f"{escape(name)}{SUFFIX}"

    def _exists(self, name: str) -> bool:
        if self._single is not None:
            return name == self._single
        return self._file(name).exists()

    def _refuse_single(self, command: str) -> None:
        if self._single is not None:
            raise unsupported(f"{command} with a server that was started on a single file")

    def _refuse_joined(self, command: str) -> None:
        if self.is_joined:
            raise unsupported(f"{command} without a server")

    def _close_unused(self, name: str, by: Any, refusal: str, code: str) -> None:
        """Close a database whose file is about to change; refused when somebody is connected, `by` with these words."""
        if not self._exists(name):
            raise _missing(name)
        database = self._open.get(name)
        if database is None:
            return
        if by in database.sessions:
            raise SqlError(code, refusal)
        if database.sessions:
            raise _in_use(f'database "{name}" is being accessed by other users', len(database.sessions))
        database.close()
        del self._open[name]

    def _template(self, template: str | None, by: Any) -> Path | None:
        """The file to copy; nobody else may be connected to it (createdb in dbcommands.c)."""
        if template is None or (template in _EMPTY_TEMPLATES and not self._exists(template)):
            return None
        if not self._exists(template):
            raise SqlError(sqlstate.INVALID_CATALOG_NAME, f'template database "{template}" does not exist')
        database = self._open.get(template)
        if database is not None and (others := database.sessions - {by}):
            raise _in_use(f'source database "{template}" is being accessed by other users', len(others))
        return self._file(template)

    def _make(self, name: str, template: Path | None) -> None:
        """Make the file under another name first, so that no crash leaves half a database."""
        file = self._file(name)
        new = file.with_name(f".{file.name}.new")
        try:
            disk.remove(*_companions(file))  # of a dropped database of that name; SQLite would take a WAL for this one's
            if template is not None:
                _copy(template, new)
            self._fill(new)
            disk.rename(new, file)
        except (apsw.Error, OSError) as error:
            for path in (new, *_companions(new)):
                path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise file_error(error, "create", file) from error
            raise access_error(error, file) from error

    def _fill(self, path: Path) -> None:
        """Give a new file what every database has, all of it in the file itself and on disk."""
        connection = Connection(path, writable=True, system=self._system)
        try:
            connection.begin_immediate()
            self._system.bootstrap(connection)
            connection.commit()
            connection.checkpoint()  # closing does that, too, but keeps its failures to itself
        finally:
            connection.close()


def _companions(file: Path) -> list[Path]:
    """What SQLite puts beside a database file."""
    return [file.with_name(file.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def lock_file(path: Path) -> Path:
    """Where the owner of the cluster at that path is written."""
    return path.with_name(f"{path.name}.{_LOCK_FILE}") if _is_single(path) else path / _LOCK_FILE


def _is_single(path: Path) -> bool:
    """Whether the cluster is one file. What does not exist is a file if its name ends like one."""
    return path.is_file() or (not path.exists() and path.suffix in _FILE_SUFFIXES)


def escape(name: str) -> str:
    """A file name (without suffix) for a database name; `urllib.parse.unquote` reads it back.

    Letters outside ASCII stay; a leading dot would hide the file, trailing blanks and dots are lost on some file systems.
    """
    characters = [c if c in _SAFE or (c.isalnum() and c.isprintable()) else _percent(c) for c in name]
    for end in (0, -1):
        if characters and characters[end] in (".", " "):
            characters[end] = _percent(characters[end])
    return "".join(characters)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _copy(source: Path, target: Path) -> None:
    """Copy one moment of a database that may be in use, page by page: VACUUM INTO could renumber rows."""
    with closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as original:
        original.setbusytimeout(10_000)
        with closing(apsw.Connection(str(target))) as copy, copy.backup("main", original, "main") as backup:
            backup.step(-1)


def _missing(name: str) -> SqlError:
    return SqlError(sqlstate.INVALID_CATALOG_NAME, f'database "{name}" does not exist')


def _duplicate(name: str) -> SqlError:
    return SqlError(sqlstate.DUPLICATE_DATABASE, f'database "{name}" already exists')


def _in_use(message: str, others: int) -> SqlError:
    """errdetail_busy_db in dbcommands.c."""
    detail = "There is 1 other session" if others == 1 else f"There are {others} other sessions"
    return SqlError(sqlstate.OBJECT_IN_USE, message, detail=f"{detail} using the database.")
