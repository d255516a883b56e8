"""One run of the program: the options that every command takes, before or after its name, and what they lead to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clients.cli.problems import USAGE, Problem
from clients.cli.settings import Settings, seconds
from clients.tasks.model import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.cli.access import Way
    from clients.postgres.connection import Connection
    from clients.postgres.operation import Operation

T = TypeVar("T")


class Invocation:
    """What was asked for, and the connection that answers it."""

    def __init__(self) -> None:
        self.json = False
        self.fields: tuple[str, ...] = ()
        self.quiet = False
        self.force = False
        self.debug = False
        self.options: dict[str, str] = {}
        self._settings: Settings | None = None
        self._way: Way | None = None
        self._connection: Connection | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = Settings(self.options)
        return self._settings

    @property
    def actor(self) -> Actor:
        """Who acts: --agent, or the user of this machine."""
        agent = self.settings["agent"] or os.environ.get("USER") or os.environ.get("LOGNAME") or "user"
        return Actor(agent, self.settings["session"] or None)

    @property
    def lease(self) -> float:
        """Seconds that a claim lasts."""
        text, origin = self.settings.value("lease")
        try:
            return seconds(text)
        except ValueError:
            why = f"It comes from: {origin}. Write 90s, 15m, 2h or 1d."
            raise Problem(f"{text!r} is no length of time", status=USAGE, why=why) from None

    @property
    def way(self) -> Way:
        if self._way is None:
            from clients.cli.access import Way

            self._way = Way(self.settings, force=self.force)
        return self._way

    def connection(self, *, create: bool = False) -> Connection:
        """The connection of this run; `create`: with the database, when it is not there."""
        if self._connection is None:
            self._connection = self.way.open(create=create)
            self.way.remember(self._connection)
            self._tell_the_way()
        return self._connection

    def run(self, operation: Operation[T], *, create: bool = False) -> T:
        """Perform an operation."""
        return self.connection(create=create).run(operation)

    def reconnect(self) -> Connection:
        """A new connection, in the place of one that broke."""
        self._connection = None
        return self.connection()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def say(self, text: str) -> None:
        """Tell people something; programs do not listen."""
        if not self.quiet and not self.json:
            click.echo(text, err=True)

    def _tell_the_way(self) -> None:
        for warning in self.way.warnings:
            if not self.quiet:
                click.secho(f"warning: {warning}", fg="yellow", err=True)
        if self.way.served is not None:
            self.say(f"connected to postgres://{self.way.served}/{self.settings['database']}")


pass_invocation: Final = click.make_pass_decorator(Invocation, ensure=True)


def _store(name: str, convert: Callable[[Any], Any] = bool) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value:
            setattr(context.ensure_object(Invocation), name, convert(value))

    return callback


def _set(name: str, fixed: str | None = None) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value not in {None, False}:
            context.ensure_object(Invocation).options[name] = fixed or str(value)

    return callback


def _color(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value == "never" or (value is None and os.environ.get("NO_COLOR")):
        context.color = False
    elif value == "always" or (value is None and os.environ.get("FORCE_COLOR")):
        context.color = True


def common_options() -> list[click.Parameter]:
    """The options of every command."""

    def option(*names: str, callback: Any, **attributes: Any) -> click.Option:
        return click.Option(names, callback=callback, expose_value=False, **attributes)

    split = lambda text: tuple(text.split(","))  # noqa: E731
    return [
        option("--json", is_flag=True, callback=_store("json"), help="Answer in JSON."),
        option("--fields", metavar="A,B", callback=_store("fields", split), help="Only these fields of each row."),
        option("-q", "--quiet", is_flag=True, callback=_store("quiet"), help="Only ids, and no messages."),
        option("--host", callback=_set("host"), hidden=True),
        option("--port", callback=_set("port"), metavar="N", help="Port of the server."),
        option("--database", "-d", callback=_set("database"), metavar="NAME", help="Database."),
        option("--data", callback=_set("data"), metavar="PATH", help="Files to open when no server runs."),
        option("--direct", is_flag=True, callback=_set("mode", "direct"), help="Open the files, and ask no server."),
        option("--require-server", is_flag=True, callback=_set("mode", "server"), help="Ask a server, and open no files."),
        option("--require-mcp", is_flag=True, callback=_set("mode", "server"), hidden=True),
        option("--socket-timeout", callback=_set("socket_timeout"), metavar="MS", help="For the server to answer."),
        option(
            "--force",
            is_flag=True,
            callback=_store("force"),
            help="Do it although a claim, a dependency or an owner is in the way.",
        ),
        option("--agent", callback=_set("agent"), metavar="NAME", help="Who acts."),
        option("--session", callback=_set("session"), hidden=True),
        option("--color", type=click.Choice(["auto", "always", "never"]), callback=_color, hidden=True),
        option("--debug", is_flag=True, callback=_store("debug"), hidden=True),
    ]


class Command(click.Command):
    """A command with the common options."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params = [*self.params, *common_options()]


class Group(click.Group):
    """A group of commands with the common options; it says what was meant by a name that is not there."""

    command_class = Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            similar = difflib.get_close_matches(args[0], self.list_commands(ctx), 2)
            if not similar:
                raise
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(similar)}?", ctx) from None


def color_is_wanted() -> bool:
    """Whether standard output shows colours and tables: a terminal, NO_COLOR, FORCE_COLOR, --color."""
    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:
        return context.color
    return sys.stdout.isatty()
