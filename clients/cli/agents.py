"""prime, setup: what agents and their hosts need to know."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from clients.cli.invocation import Command, Invocation, pass_invocation

_PRIME: Final = """\
# Tasks: use the command `astro`
Tasks live in one database that all agents share. Say who you are: export ASTRO_AGENT=<your name>. Add --json to any command.

Work:
  astro claim --next --json        take the most important ready task; keep its "id" and "token"
  astro show TASK-1                description, notes, what it waits for
  astro heartbeat TASK-1           at least every 15 minutes, or another agent may take it
  astro context add TASK-1 "Title" "What I found out"
  astro done TASK-1 --token N      finish; refused with status 4 if somebody else has the task by now
  astro release TASK-1             give it back unfinished
Plan:
  astro add-task "Title" -m "Details" -p high --parent TASK-1 --after TASK-2 -t tag
  astro deps add TASK-3 TASK-1     TASK-3 waits for TASK-1
  astro list | next | tree | board | search WORDS | log | undo
Exit status: 0 ok, 1 error, 2 usage, 3 not found, 4 claimed by another, 5 blocked, 6 server required, 75 locked (try again).
Never edit the database file yourself; `astro sql "SELECT …"` reads it.
"""
_BEGIN, _END = "<!-- astro: begin -->", "<!-- astro: end -->"

# Where a host reads instructions, and where it reads its MCP servers.
_HOSTS: Final[dict[str, tuple[str, str]]] = {
    "claude": ("CLAUDE.md", ".mcp.json"),
    "codex": ("AGENTS.md", ""),
    "cursor": (".cursor/rules/astro.md", ".cursor/mcp.json"),
    "vscode": (".github/copilot-instructions.md", ".vscode/mcp.json"),
}


@click.command(cls=Command)
def prime() -> None:
    """Tell an agent how to use this program, in less than a thousand tokens."""
    click.echo(_PRIME, nl=False)


@click.command(cls=Command)
@click.argument("program", metavar="HOST", type=click.Choice(list(_HOSTS)))
@click.option("--write", "-w", is_flag=True, help="Write it to the files of this directory.")
@pass_invocation
def setup(invocation: Invocation, program: str, write: bool) -> None:
    """Print the configuration for an agent host: instructions, and the MCP server."""
    instructions, servers = _HOSTS[program]
    block = f"{_BEGIN}\n{_PRIME}{_END}\n"
    command = _command()
    snippet = {"servers" if program == "vscode" else "mcpServers": {"astro": {"command": command, "args": ["mcp"]}}}
    toml = f'[mcp_servers.astro]\ncommand = {json.dumps(command)}\nargs = ["mcp"]\n'
    if not write:
        click.echo(f"# {instructions}\n{block}")
        click.echo(
            f"# {servers}\n{json.dumps(snippet, indent=2)}" if servers else f"# ~/.codex/config.toml\n{toml}", nl=bool(servers)
        )
        return
    _write_block(Path(instructions), block)
    invocation.say(f"wrote {instructions}")
    if servers:
        _write_servers(Path(servers), snippet)
        invocation.say(f"wrote {servers}")
    else:
        click.echo(f"add to ~/.codex/config.toml:\n{toml}", nl=False)


def _command() -> str:
    """What a host starts: by its path in a virtual environment, which the host's own shell need not have activated."""
    own = Path(sys.executable).with_name("astro")
    return str(own) if sys.prefix != sys.base_prefix and own.exists() else "astro"


def _write_block(file: Path, block: str) -> None:
    """Put the block in the place of the one that is there, or behind everything else."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    before, found, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2].lstrip("\n") if found else ""
    if not found and before and not before.endswith("\n\n"):
        before = before.rstrip("\n") + "\n\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(before + block + after, encoding="utf-8")


def _write_servers(file: Path, snippet: dict[str, dict[str, Any]]) -> None:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for key, servers in snippet.items():
        content[key] = {**content.get(key, {}), **servers}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
