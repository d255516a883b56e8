"""The implementations of PostgreSQL's functions, a module a family; see registry.py.

`load` imports them all, so that IMPLEMENTATIONS is complete. A new family needs no entry anywhere else.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache


@cache
def load() -> None:
    """Import every family module of this package once, which declares its functions."""
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"translator.functions.{module}")
