"""Settings and where they come from: option, environment, astro.toml, the user's configuration, the default, in this order.

astro.toml is looked for in the working directory and those above it. Values are text until `Setting.parse` reads them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clients.cli.problems import USAGE, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "astro.toml"


class Setting(NamedTuple):
    """`variables`: names in the environment, the first one that is set counts."""

    default: str
    variables: tuple[str, ...]
    help: str


class Value(NamedTuple):
    """A setting's value and its origin, in words."""

    text: str
    origin: str


SETTINGS: Final[dict[str, Setting]] = {
    "host": Setting("127.0.0.1", ("ASTRO_HOST", "PGLITE_SOCKET_HOST"), "where the server listens"),
    "port": Setting("45432", ("ASTRO_PORT", "PGLITE_SOCKET_PORT"), "its port"),
    "database": Setting("astrotask", ("ASTRO_DATABASE",), "name of the database"),
    "user": Setting("postgres", ("ASTRO_USER",), "user name for the server"),
    "password": Setting("", ("ASTRO_PASSWORD", "PGPASSWORD"), "password for the server"),
    "data": Setting("", ("ASTRO_DATA",), "directory or file that is opened when no server runs"),
    "mode": Setting("auto", ("ASTRO_MODE",), "auto, server or direct"),
    "socket_timeout": Setting("100", ("ASTRO_SOCKET_TIMEOUT",), "milliseconds for the server to answer"),
    "prefix": Setting("TASK", ("ASTRO_PREFIX",), "what new ids begin with"),
    "lease": Setting("15m", ("ASTRO_LEASE",), "how long a claim lasts"),
    "agent": Setting("", ("ASTRO_AGENT",), "who acts, in claims and in the log"),
    "session": Setting("", ("ASTRO_SESSION",), "session of the agent, in the log"),
}
_URLS: Final = ("ASTRO_URL", "DATABASE_URI")  # the second one is Astrotask's


class Settings:
    """All settings of one run. `options`: what was given on the command line."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._layers: list[tuple[str, Mapping[str, Any]]] = [("option", options)]
        self._layers += [(f"environment variable {name}", _from_url(os.environ[name])) for name in _URLS if name in os.environ]
        for path in files():
            if path.is_file():
                self._layers.append((str(path), read(path)))

    def __getitem__(self, name: str) -> str:
        return self.value(name).text

    def value(self, name: str) -> Value:
        """A setting with its origin."""
        setting = SETTINGS[name]
        for number, (origin, values) in enumerate(self._layers):
            if name in values:
                return Value(str(values[name]), origin)
            if number == 0:
                for variable in setting.variables:
                    if os.environ.get(variable):
                        return Value(os.environ[variable], f"environment variable {variable}")
        return Value(setting.default, "default")

    def number(self, name: str) -> int:
        """A setting that is a whole number."""
        text, origin = self.value(name)
        if not text.isdigit():
            raise Problem(f"{name} must be a number, not {text!r}", status=USAGE, why=f"It comes from: {origin}.")
        return int(text)

    @property
    def url(self) -> str:
        """The database as a URL, without the password."""
        return f"postgres://{self['host']}:{self['port']}/{self['database']}"


def files() -> list[Path]:
    """The configuration files there may be, the more important first."""
    here = Path.cwd()
    local = next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), here / FILE)
    return [local, home("XDG_CONFIG_HOME", ".config") / "config.toml"]


def home(variable: str, default: str) -> Path:
    """A directory of the user's for this program (XDG base directory specification)."""
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / default) / "astro"


def read(path: Path) -> dict[str, Any]:
    """A configuration file; a name that means nothing is an error."""
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{path} is not TOML: {error}", status=USAGE) from error
    if unknown := sorted(set(values) - set(SETTINGS)):
        known = ", ".join(SETTINGS)
        raise Problem(f"{path}: there is no setting {', '.join(unknown)}", status=USAGE, why=f"There are: {known}.")
    return values


def seconds(text: str) -> float:
    """A length of time: 90, 90s, 15m, 2h, 1d. Raises ValueError."""
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    return float(text[:-1]) * unit if unit else float(text)


def _from_url(url: str) -> dict[str, str]:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        return {}
    found = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
    values = {name: unquote(str(value)) for name, value in found.items() if value is not None}
    return {**values, "database": parts.path.strip("/")} if parts.path.strip("/") else values
