"""A disk that remembers what was written, synced and renamed, and shows the files as a power cut at any moment may leave them.

`RecordingDisk` takes the place of SQLite's file layer and of `proxy.storage.disk` for the files of one directory.
Every event goes into one log in the order in which it was over, so the log up to some place is what had happened at some
moment. What a cut leaves of it (`Cut.leave`):

* what was written to a file before a sync of it began that was over is there;
* of later writes each sector may be there or not, whatever the order, and so for truncations;
* names are as after some moment since the last sync of the directory, because file systems keep a journal of those.
"""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from proxy.storage import disk

SECTOR = 512
_UNIX = "unix"


@dataclass(frozen=True)
class Write:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True)
class Sync:
    """`file` None: the directory. `began`: how long the log was then."""

    file: int | None
    began: int


@dataclass(frozen=True)
class Name:
    """From now on the name is the file's; None: there is no such name."""

    name: str
    file: int | None


@dataclass(frozen=True)
class Rename:
    old: str
    new: str


@dataclass(frozen=True)
class Acknowledged:
    """Somebody was told that this is durable."""

    what: Any


class RecordingDisk(apsw.VFS):
    """See the module. Use it as a context; nothing is really synced while it is on. `delay`: the longest sync, in seconds."""

    def __init__(self, root, seed, delay=0.002):
        self.root = root
        self.log = []
        self._random = random.Random(seed)
        self._delay = delay
        self._names = {}
        self._inodes = {}
        self._files = 0
        super().__init__("recording", _UNIX, makedefault=True)

    def __enter__(self):
        self._replaced = {name: getattr(disk, name) for name in ("sync", "sync_directory", "rename", "remove")}
        for name in self._replaced:
            setattr(disk, name, getattr(self, f"_{name}"))
        return self

    def __exit__(self, *_):
        for name, function in self._replaced.items():
            setattr(disk, name, function)
        self.unregister()

    def acknowledge(self, what):
        self.log.append(Acknowledged(what))

    # SQLite's files

    def xOpen(self, name, flags):
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name) if name else None
        if path is None or path.parent != self.root:
            return _Unsynced(_UNIX, name, flags)
        is_new = not path.exists()
        file = _File(self, name, flags)
        if is_new:
            self._create(path)
        file.number = self._names[path.name]
        file.names_directory = is_new and bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        return file

    def xDelete(self, filename, syncdir):
        super().xDelete(filename, False)
        path = Path(filename)
        if path.parent == self.root:
            self._forget(path)
            if syncdir:
                self._sync_directory(self.root)

    def sync(self, file):
        began = len(self.log)
        self._take_time()
        self.log.append(Sync(file, began))

    # proxy.storage.disk

    def _sync(self, descriptor):
        if (file := self._inodes.get(os.fstat(descriptor).st_ino)) is not None:
            self.sync(file)

    def _sync_directory(self, path):
        if path == self.root:
            self.sync(None)

    def _rename(self, source, target):
        if source.parent == self.root:
            self._names[target.name] = self._names.pop(source.name)
            self.log.append(Rename(source.name, target.name))
        self._replaced["rename"](source, target)

    def _remove(self, *paths):
        for path in paths:
            if path.parent == self.root:
                self._forget(path)
        self._replaced["remove"](*paths)

    # Details

    def _create(self, path):
        self._files += 1
        self._names[path.name] = self._inodes[path.stat().st_ino] = self._files
        self.log.append(Name(path.name, self._files))

    def _forget(self, path):
        if self._names.pop(path.name, None) is not None:
            self.log.append(Name(path.name, None))

    def _take_time(self):
        if self._random.random() < 0.5:
            time.sleep(self._random.random() * self._delay)


class _Unsynced(apsw.VFSFile):
    """A file elsewhere."""

    def xLock(self, level):
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # A connection that only reads asks for an exclusive lock when it is the last one, and is content to be refused;
            # apsw is not.
            raise apsw.BusyError from error

    def xSync(self, flags):
        pass


class _File(_Unsynced):
    """A file of SQLite's; an event is logged when it is over."""

    def __init__(self, recording, name, flags):
        self._recording = recording
        self.number = 0
        self.names_directory = False
        super().__init__(_UNIX, name, flags)

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        self._recording.log.append(Write(self.number, offset, bytes(data)))

    def xTruncate(self, size):
        super().xTruncate(size)
        self._recording.log.append(Truncate(self.number, size))

    def xSync(self, flags):
        self._recording.sync(self.number)
        if self.names_directory:  # unixSync in os_unix.c: once, for a file that is new
            self.names_directory = False
            self._recording.sync(None)


@dataclass
class Cut:
    """The state of a disk after some of a log: what is certain, and what is not."""

    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)
    acknowledged: list[Any] = field(default_factory=list)
    uncertain_names: list[tuple[int, Name | Rename]] = field(default_factory=list)
    uncertain_writes: dict[int, list[tuple[int, Write | Truncate]]] = field(default_factory=dict)

    def leave(self, directory: Path, chance: random.Random) -> None:
        """Write the files as a cut now may leave them."""
        names = dict(self.names)
        for _, change in self.uncertain_names[: chance.randint(0, len(self.uncertain_names))]:
            _apply_name(names, change)
        for name, file in names.items():
            if name.endswith("-shm"):  # it is made anew
                continue
            content = bytearray(self.contents.get(file, b""))
            kept = chance.choice((0.0, 0.5, 0.9, 1.0))
            for _, event in self.uncertain_writes.get(file, ()):
                _apply_parts(content, event, kept, chance)
            (directory / name).write_bytes(content)

    def advance(self, position: int, event: object) -> None:
        """One more event, the one at that place of the log."""
        match event:
            case Acknowledged(what):
                self.acknowledged.append(what)
            case Name() | Rename():
                self.uncertain_names.append((position, event))
            case Write() | Truncate():
                self.uncertain_writes.setdefault(event.file, []).append((position, event))
            case Sync(None, began):
                done, self.uncertain_names = _divide(self.uncertain_names, began)
                for change in done:
                    _apply_name(self.names, change)
            case Sync(file, began):
                written, self.uncertain_writes[file] = _divide(self.uncertain_writes.get(file, []), began)
                content = self.contents.setdefault(file, bytearray())
                for write in written:
                    _apply(content, write)


def cuts(log: list[object], count: int, chance: random.Random) -> Iterator[Cut]:
    """That many moments of a log, from its beginning to its end."""
    moments = sorted(chance.choices(range(len(log) + 1), k=count))
    cut, position = Cut(), 0
    for moment in moments:
        while position < moment:
            cut.advance(position, log[position])
            position += 1
        yield cut


def _divide(events, began):
    """Those before a place in the log, and the rest."""
    return [event for position, event in events if position < began], [each for each in events if each[0] >= began]


def _apply_name(names, event):
    match event:
        case Rename(old, new):
            if old in names:
                names[new] = names.pop(old)
        case Name(name, None):
            names.pop(name, None)
        case Name(name, file):
            names[name] = file


def _apply(content, event):
    match event:
        case Truncate(_, size):
            del content[size:]
        case Write(_, offset, data):
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data


def _apply_parts(content, event, kept, chance):
    """Apply each sector of an event, or not."""
    if kept == 1.0:
        _apply(content, event)
        return
    if isinstance(event, Truncate):
        if chance.random() < kept:
            _apply(content, event)
        return
    start, end = event.offset, event.offset + len(event.data)
    while start < end:
        stop = min(end, start - start % SECTOR + SECTOR)
        if chance.random() < kept:
            _apply(content, Write(event.file, start, event.data[start - event.offset : stop - event.offset]))
        start = stop
