"""The run-time parameters of one session: which value each has, since when, and until when.

A session keeps only what differs from the server's defaults, so that an idle one costs little. SET obeys transactions
(manual, SET): every level, the transaction's and each savepoint's, remembers what the values were before, and SET LOCAL
ends with the transaction. This is the stack of guc.c (push_old_value, AtEOXact_GUC) with a dictionary a level.

Rule: every change of a value goes through `_assign`, which also tells the translator's Settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.session import checks, parameters
from proxy.session.transaction import State, Transaction
from translator import sqlstate as codes
from translator.errors import SqlError, unsupported
from translator.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from proxy.session.parameters import Parameter, Value

_UNSET: Final[Any] = object()
_DEFAULTS: Final[dict[str, Any]] = {}  # PostgreSQL's own values, of the parameters that were asked for

_CANNOT_CHANGE: Final = {
    "internal": "cannot be changed",
    "postmaster": "cannot be changed without restarting the server",
    "sighup": "cannot be changed now",
    "backend": "cannot be set after connection start",
    "superuser-backend": "cannot be set after connection start",
}
_TRANSACTION_MODES: Final = ("transaction_isolation", "transaction_read_only", "transaction_deferrable")
_KEPT_BY_RESET_ALL: Final = frozenset(("session_authorization", "role", "is_superuser"))
_REPORTED: Final = frozenset(parameters.REPORTED)


@dataclass(slots=True)
class _Saved:
    """What a level has to give back. `kept` is the value of a SET that a later SET LOCAL hides."""

    before: Value
    local: bool
    kept: Value = _UNSET


class RunTimeParameters:
    """The parameters of a session."""

    def __init__(self, transaction: Transaction, defaults: Mapping[str, Value]) -> None:
        """Take the defaults that the server's own configuration gives, by canonical name."""
        self.settings = Settings()
        self.is_role: Callable[[str], bool] = lambda _: False  # set by the session, once it has a catalog
        self._transaction = transaction
        self._defaults = defaults
        self._values: dict[str, Value] = {}
        self._reset: dict[str, Value] = {}  # what RESET returns to, where the startup packet says so
        self._custom: dict[str, Parameter] = {}
        self._levels: list[dict[str, _Saved]] = []
        self._reported: dict[str, str] = {}
        self.unreported = True  # something has changed since `reports`
        self.generation = 0  # moves whenever the translator's Settings do
        self.changes = 0  # moves whenever any value does

    # Reading

    def declaration(self, name: str) -> Parameter:
        """The parameter of that name. Raises 42704."""
        found = parameters.find(name) or self._custom.get(name.lower())
        if found is None:
            raise parameters.undefined(name)
        return found

    def is_known(self, name: str) -> bool:
        """Whether there is a parameter of that name."""
        return parameters.find(name) is not None or name.lower() in self._custom

    def value(self, name: str) -> Value:
        """The value of a parameter by its canonical name; it must exist."""
        found = self._values.get(name, _UNSET)
        if found is _UNSET:
            found = self._defaults.get(name, _UNSET)
        if found is _UNSET:
            found = _DEFAULTS.get(name, _UNSET)
        if found is _UNSET:
            found = _DEFAULTS[name] = parameters.declared()[name.lower()].default
        value: Value = found
        return value

    def show(self, name: str) -> str:
        """What SHOW answers. Raises 42704."""
        parameter = self.declaration(name)
        if parameter.name == "seed":
            return "unavailable"
        return parameter.show(self._current(parameter))

    def rows(self) -> Iterator[tuple[Parameter, Value, Value, str]]:
        """All listed parameters in order of name: declaration, value, value of RESET, source."""
        for parameter in sorted(self._all(), key=lambda item: item.name.lower()):
            name = parameter.name
            if name in self._values:
                source = "session" if self._reset.get(name, _UNSET) is not self._values[name] else "client"
            else:
                source = "configuration file" if name in self._defaults else "default"
            yield parameter, self._current(parameter), self._reset_value(parameter), source

    def reports(self) -> list[tuple[str, str]]:
        """The reported parameters whose value is not the one that the client was told last."""
        self.unreported = False
        changed = []
        for name in parameters.REPORTED:
            text = self.show(name)
            if self._reported.get(name) != text:
                self._reported[name] = text
                changed.append((name, text))
        return changed

    # Changing

    def set(self, name: str, text: str, *, local: bool = False) -> None:
        """SET, or SET LOCAL. Raises 42704, 55P02, 22023, 0A000."""
        parameter = self._settable(name)
        self._remember(parameter, self._check(parameter, text), local=local)

    def set_default(self, name: str, *, local: bool = False) -> None:
        """SET … TO DEFAULT and RESET."""
        parameter = self._settable(name)
        if parameter.name in _TRANSACTION_MODES:
            return
        self._remember(parameter, self._reset_value(parameter), local=local)

    def set_all_default(self) -> None:
        """RESET ALL: what SET may change, but for those that are not to be reset (ResetAllOptions; GUC_NO_RESET_ALL)."""
        fixed = self._fixed()
        for name in list(self._values):
            if (
                name not in _KEPT_BY_RESET_ALL
                and self.declaration(name).context in {"user", "superuser"}
                and name.lower() not in fixed
            ):
                self.set_default(name)

    def set_at_start(self, name: str, text: str) -> None:
        """A setting of the startup packet: the value that RESET returns to."""
        parameter = self._settable(name, at_start=True)
        value = self._check(parameter, text)
        self._reset[parameter.name] = value
        self._assign(parameter.name, value)

    def identify(self, user: str, database: str) -> None:
        """Say who the client is and where it is."""
        self.settings.database = database
        self._reset["session_authorization"] = user
        self._assign("session_authorization", user)

    # Transactions

    def begin(self) -> None:
        """A transaction starts."""
        if not self._levels:
            self._levels.append({})

    def savepoint(self) -> None:
        """A level starts on top."""
        self._levels.append({})

    def release(self, level: int) -> None:
        """The levels from `level` on (1: the outermost savepoint's) become part of the one below."""
        while len(self._levels) > level:
            for name, saved in self._levels.pop().items():
                _merge(self._levels[-1], name, saved, self.value(name))

    def rollback_to(self, level: int) -> None:
        """Give back what the levels from `level` on changed, and start that level again."""
        while len(self._levels) > level:
            self._restore(self._levels.pop())
        self._levels.append({})

    def commit(self) -> None:
        """The transaction ends: SET stays, SET LOCAL goes."""
        if not self._levels:
            return
        if len(self._levels) > 1:
            self.release(1)
        for name, saved in self._levels.pop().items():
            if saved.local:
                self._assign(name, saved.before if saved.kept is _UNSET else saved.kept)

    def abort(self) -> None:
        """The transaction fails: everything it set goes."""
        while self._levels:
            self._restore(self._levels.pop())

    def _restore(self, level: dict[str, _Saved]) -> None:
        for name, saved in level.items():
            self._assign(name, saved.before)

    # Details

    def _all(self) -> Iterator[Parameter]:
        yield from (parameter for parameter in parameters.declared().values() if parameter.listed)
        yield from self._custom.values()

    def _current(self, parameter: Parameter) -> Value:
        if parameter.name in _TRANSACTION_MODES:
            return self._mode(parameter.name)
        if parameter.name.lower() in self._custom:
            return self._values.get(parameter.name, "")
        return self.value(parameter.name)

    def _mode(self, name: str) -> Value:
        """A characteristic of the running transaction, of the next one outside of a transaction."""
        if self._transaction.state is State.IDLE:
            return self.value(f"default_{name}") if name != "transaction_read_only" else self.next_is_read_only()
        modes = self._transaction.modes
        match name:
            case "transaction_isolation":
                return modes.isolation
            case "transaction_read_only":
                return modes.read_only
        return modes.deferrable

    def next_is_read_only(self) -> bool:
        """Whether the next transaction begins as a read-only one."""
        return bool(self.value("default_transaction_read_only")) or self._is_read_only_session()

    def _is_read_only_session(self) -> bool:
        return self._values.get("litephant.access_mode") == "read-only"

    def _reset_value(self, parameter: Parameter) -> Value:
        if parameter.name in self._reset:
            return self._reset[parameter.name]
        return self._defaults.get(parameter.name, parameter.default)

    def _settable(self, name: str, *, at_start: bool = False) -> Parameter:
        found = parameters.find(name) or self._custom.get(name.lower())
        if found is None:
            found = self._custom[name.lower()] = parameters.custom(name)
        context = "backend" if found.name.lower() in self._fixed() else found.context
        reason = _CANNOT_CHANGE.get(context)
        if reason is None or (at_start and context in {"backend", "superuser-backend"}):
            return found
        raise SqlError(codes.CANT_CHANGE_RUNTIME_PARAM, f'parameter "{found.name}" {reason}')

    def _fixed(self) -> list[str]:
        """The parameters that keep the value of the start (access.py)."""
        names = self._values.get("litephant.fixed_parameters")
        return str(names).split(",") if names else []

    def _check(self, parameter: Parameter, text: str) -> Value:
        if parameter.name == "DateStyle":
            return checks.date_style(parameter, text, str(self.value("DateStyle")))
        value = parameter.parse(text)
        if isinstance(value, str) and (check := checks.CHECKS.get(parameter.name)) is not None:
            value = check(parameter, value)
        if value in checks.REFUSED.get(parameter.name, ()):
            raise unsupported(f'value "{text}" of parameter "{parameter.name}"')
        if parameter.name in {"role", "session_authorization"}:
            self._check_role(parameter, text)
        return value

    def _check_role(self, parameter: Parameter, text: str) -> None:
        known = {self._reset.get("session_authorization"), "postgres"}
        if text in known or (parameter.name == "role" and text == "none"):
            return
        if not self.is_role(text):
            raise SqlError(codes.INVALID_PARAMETER_VALUE, f'role "{text}" does not exist')

    def _remember(self, parameter: Parameter, value: Value, *, local: bool) -> None:
        """Save the old value for the end of the level, then assign the new one (push_old_value in guc.c)."""
        if parameter.name in _TRANSACTION_MODES:
            self._set_mode(parameter.name, value)
            return
        name = parameter.name
        if self._levels:
            level = self._levels[-1]
            saved = level.get(name)
            before = self._values.get(name, _UNSET)
            if saved is None:
                level[name] = _Saved(before, local)
            elif not local:
                saved.local, saved.kept = False, _UNSET
            elif not saved.local:
                saved.local, saved.kept = True, before
        elif local:
            return  # no transaction to be local to: nothing stays of it
        self._assign(name, value)

    def _assign(self, name: str, value: Value) -> None:
        if value is _UNSET:
            self._values.pop(name, None)
            value = self.value(name) if name.lower() not in self._custom else ""
        else:
            self._values[name] = value
        self.changes += 1
        effect = checks.EFFECTS.get(name)
        if effect is not None:
            effect(self.settings, value)
            self.generation += 1
        if name in _REPORTED:
            self.unreported = True

    def _set_mode(self, name: str, value: Value) -> None:
        """SET TRANSACTION (check_transaction_isolation and its neighbours in variable.c)."""
        transaction, modes = self._transaction, self._transaction.modes
        inside = transaction.in_block or transaction.state is State.IMPLICIT
        match name:
            case "transaction_isolation":
                if value != modes.isolation and inside:
                    _refuse_if(transaction.queried, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
                    nested = "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"
                    _refuse_if(bool(transaction.savepoints), nested)
                modes.isolation = str(value)
            case "transaction_read_only":
                if not value and modes.read_only and inside:
                    outer = transaction.savepoints and transaction.savepoints[-1].read_only
                    text = "cannot set transaction read-write mode inside a read-only transaction"
                    _refuse_if(bool(outer), text)
                    _refuse_if(transaction.queried, "transaction read-write mode must be set before any query")
                if not value and self._is_read_only_session():  # as check_transaction_read_only does during recovery
                    text = "cannot set transaction read-write mode in a read-only session"
                    raise SqlError(codes.READ_ONLY_SQL_TRANSACTION, text)
                modes.read_only = bool(value)
            case _:
                nested = "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction"
                _refuse_if(bool(transaction.savepoints), nested)
                _refuse_if(transaction.queried, "SET TRANSACTION [NOT] DEFERRABLE must be called before any query")
                modes.deferrable = bool(value)


def _merge(outer: dict[str, _Saved], name: str, saved: _Saved, current: Value) -> None:
    """Hand what a released level saved to the level below it (the subtransaction case of AtEOXact_GUC)."""
    below = outer.get(name)
    if below is None:
        outer[name] = saved
    elif not saved.local:
        below.local, below.kept = False, _UNSET
    elif saved.kept is not _UNSET:
        below.local, below.kept = True, saved.kept
    elif not below.local:
        below.local, below.kept = True, saved.before


def _refuse_if(condition: bool, message: str) -> None:
    if condition:
        raise SqlError(codes.ACTIVE_SQL_TRANSACTION, message)
