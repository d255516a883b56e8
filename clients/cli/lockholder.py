"""Which process holds SQLite's lock on a database file: asked of the kernel, by the bytes that SQLite locks (os_unix.c)."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

_PENDING: Final = 0x40000000  # then the reserved byte and 510 shared ones
_LENGTH: Final = 512
_FLOCK: Final = "hhqqi4x"  # struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


def holder_of(path: Path) -> str:
    """`process 123 (sqlite3)`, empty when it cannot be told. Call it with no database of that path open in this process."""
    files = sorted(path.glob("*.db")) if path.is_dir() else [path]
    for file in files:
        if process_id := _holder(file):
            command = Path(f"/proc/{process_id}/comm")
            name = command.read_text(encoding="utf-8").strip() if command.exists() else "unknown"
            return f"Process {process_id} ({name})"
    return ""


def _holder(file: Path) -> int:
    import fcntl

    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError:
        return 0
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _PENDING, _LENGTH, 0)
        kind, _, _, _, process_id = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        return 0 if kind == fcntl.F_UNLCK else int(process_id)
    except (OSError, struct.error):
        return 0
    finally:
        os.close(descriptor)
