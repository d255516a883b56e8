"""config, completion: settings, and what shells want to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from clients.cli import output
from clients.cli.invocation import Command, Group, Invocation, pass_invocation
from clients.cli.settings import SETTINGS, files, read

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = click.argument("name", type=click.Choice(list(SETTINGS)))
_SECRETS: Final = ("password",)


@click.group(cls=Group)
def config() -> None:
    """Settings: option, environment, astro.toml, the user's configuration, default."""


@config.command("list")
@pass_invocation
def list_settings(invocation: Invocation) -> None:
    """List all settings, with where they come from."""
    values = {name: invocation.settings.value(name) for name in SETTINGS}
    shown = {name: "********" if name in _SECRETS and value.text else value.text for name, value in values.items()}
    if invocation.json:
        rows = [{"name": name, "value": shown[name], "origin": values[name].origin} for name in SETTINGS]
        output.print_json(invocation, rows)
    else:
        output.print_table(["name", "value", "origin"], [[name, shown[name], values[name].origin] for name in SETTINGS])


@config.command()
@_NAME
@pass_invocation
def get(invocation: Invocation, name: str) -> None:
    """Print one setting."""
    value = invocation.settings.value(name)
    if invocation.json:
        output.print_json(invocation, {"name": name, "value": value.text, "origin": value.origin})
    else:
        click.echo(value.text)


@config.command("set")
@_NAME
@click.argument("value")
@click.option("--user", is_flag=True, help="For this user, not for this directory.")
@pass_invocation
def set_setting(invocation: Invocation, name: str, value: str, user: bool) -> None:
    """Write a setting to astro.toml, or to the user's configuration."""
    path = files()[1 if user else 0]
    write(path, name, value)
    invocation.say(f"{name} = {value} in {path}")


@config.command()
@pass_invocation
def path(invocation: Invocation) -> None:
    """Print the configuration files, the more important first."""
    found = [str(file) for file in files()]
    if invocation.json:
        output.print_json(invocation, found)
    else:
        for file in found:
            click.echo(file)


def write(path: Path, name: str, value: str) -> None:
    """Set one name in a configuration file; its other lines, comments too, stay as they are."""
    values: Mapping[str, object] = read(path) if path.is_file() else {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}"  # JSON's strings are TOML's
    if name in values:
        lines = [line if old.partition("=")[0].strip() == name else old for old in lines]
    else:
        lines.append(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell: eval "$(astro completion bash)"."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, "astro", "_ASTRO_COMPLETE").source())
