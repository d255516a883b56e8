"""The eight lock modes and what conflicts with what (manual, "Explicit Locking"; LockConflicts in lock.c).

Row locks use the same modes as PostgreSQL's tuple locks do: FOR KEY SHARE is ACCESS SHARE on the tuple, FOR SHARE is ROW SHARE,
FOR NO KEY UPDATE is EXCLUSIVE, FOR UPDATE is ACCESS EXCLUSIVE (tupleLockExtraInfo in heapam.c). So one matrix does for all.
"""

from __future__ import annotations

from typing import Final

ACCESS_SHARE: Final = 1
ROW_SHARE: Final = 2
ROW_EXCLUSIVE: Final = 3
SHARE_UPDATE_EXCLUSIVE: Final = 4
SHARE: Final = 5
SHARE_ROW_EXCLUSIVE: Final = 6
EXCLUSIVE: Final = 7
ACCESS_EXCLUSIVE: Final = 8

NAMES: Final = (
    "",
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)

FOR_NO_KEY_UPDATE: Final = EXCLUSIVE
FOR_UPDATE: Final = ACCESS_EXCLUSIVE


def mask(*modes: int) -> int:
    """A set of modes as bits."""
    return sum(1 << mode for mode in modes)


# By mode, the modes that another session must not hold.
CONFLICTS: Final = (
    0,
    mask(8),
    mask(7, 8),
    mask(5, 6, 7, 8),
    mask(4, 5, 6, 7, 8),
    mask(3, 4, 6, 7, 8),
    mask(3, 4, 5, 6, 7, 8),
    mask(2, 3, 4, 5, 6, 7, 8),
    mask(1, 2, 3, 4, 5, 6, 7, 8),
)

# The modes of ordinary statements conflict with none but these (ConflictsWithRelationFastPath).
WEAK: Final = mask(ACCESS_SHARE, ROW_SHARE, ROW_EXCLUSIVE)
STRONG: Final = mask(SHARE, SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE)


def modes_of(bits: int) -> list[int]:
    """The modes of a set, weakest first."""
    return [mode for mode in range(1, 9) if bits >> mode & 1]
