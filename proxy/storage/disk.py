"""What the server does to files beside SQLite so that they outlive a power cut: syncs, and changes of names.

A directory is a file of its own: the name of a new, renamed or removed file is durable once its directory is synced.
Callers look these functions up here when they call them, so the tests of recovery can put a disk of their own in their place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sync(descriptor: int) -> None:
    """Put a file's content on the disk itself. macOS has no fdatasync and its fsync stops at the drive's cache."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    elif sys.platform == "win32":
        os.fsync(descriptor)
    else:
        os.fdatasync(descriptor)


def sync_directory(path: Path) -> None:
    """Make the names of the files in a directory durable."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file another name in the same directory, durably."""
    source.rename(target)
    sync_directory(target.parent)


def remove(*paths: Path) -> None:
    """Remove those files of one directory that exist, durably."""
    existing = [path for path in paths if path.exists()]
    for path in existing:
        path.unlink()
    if existing:
        sync_directory(existing[0].parent)
