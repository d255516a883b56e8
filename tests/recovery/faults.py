"""A file layer of SQLite, and a `proxy.storage.disk`, whose calls fail when a test says so.

    with FaultyDisk() as disk:
        disk.fail("write", "-wal", no_space())            # each write to a file whose name ends so
        disk.fail("write", "-wal", no_space(), after=3)   # the fourth and later ones
        disk.heal()

The operations: read, write, short write (half of the data is written before it fails), truncate, sync (SQLite's own, and that of
directories), flush (the flusher's).
"""

import threading
from dataclasses import dataclass
from pathlib import Path

import apsw

from proxy.storage import disk

TEMPORARY = "(temporary)"


def no_space():
    """What SQLite's Unix file layer makes of ENOSPC, and the system's error for `flush`."""
    return apsw.FullError("disk full"), OSError(28, "No space left on device")


def broken(code):
    """EIO: one of apsw.SQLITE_IOERR_…"""
    error = apsw.IOError("disk I/O error")
    error.extendedresult = code  # type: ignore[attr-defined]  # (apsw's stubs leave it out)
    return error, OSError(5, "Input/output error")


@dataclass
class Fault:
    operation: str
    suffix: str
    errors: tuple
    after: int
    met: int = 0


class FaultyDisk(apsw.VFS):
    """See the module. `failures` counts the calls that failed."""

    def __init__(self):
        self.failures = 0
        self._faults = []
        self._lock = threading.Lock()
        super().__init__("faulty", "unix", makedefault=True)

    def __enter__(self):
        self._replaced = {name: getattr(disk, name) for name in ("sync", "sync_directory")}
        disk.sync = self._flush
        disk.sync_directory = self._sync_directory
        return self

    def __exit__(self, *_):
        for name, function in self._replaced.items():
            setattr(disk, name, function)
        self.unregister()

    def fail(self, operation, suffix, errors, after=0):
        self._faults.append(Fault(operation, suffix, errors, after))

    def heal(self):
        self._faults.clear()

    def meets(self, operation, name):
        """The fault that this call meets, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.operation == operation and name.endswith(fault.suffix):
                    fault.met += 1
                    if fault.met > fault.after:
                        self.failures += 1
                        return fault
        return None

    def check(self, operation, name):
        if fault := self.meets(operation, name):
            raise fault.errors[0]

    def xOpen(self, name, flags):
        return _File(self, name, flags)

    def _flush(self, descriptor):
        if fault := self.meets("flush", str(Path(f"/proc/self/fd/{descriptor}").readlink())):
            raise fault.errors[1]
        self._replaced["sync"](descriptor)

    def _sync_directory(self, path):
        if fault := self.meets("sync", str(path)):
            raise fault.errors[1]
        self._replaced["sync_directory"](path)


class _File(apsw.VFSFile):
    def __init__(self, faulty, name, flags):
        self._faulty = faulty
        self._name = str(name.filename() if isinstance(name, apsw.URIFilename) else name or TEMPORARY)
        super().__init__("unix", name, flags)

    def xRead(self, amount, offset):
        self._faulty.check("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):
        self._faulty.check("write", self._name)
        if fault := self._faulty.meets("short write", self._name):
            super().xWrite(bytes(data[: len(data) // 2]), offset)
            raise fault.errors[0]
        super().xWrite(data, offset)

    def xTruncate(self, size):
        self._faulty.check("truncate", self._name)
        super().xTruncate(size)

    def xSync(self, flags):
        self._faulty.check("sync", self._name)
        super().xSync(flags)

    def xLock(self, level):
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # A connection that only reads asks for an exclusive lock when it is the last one, and is content to be refused;
            # apsw is not.
            raise apsw.BusyError from error
