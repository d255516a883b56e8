"""The entrance: which module has which command, and what a run ends with.

A command's module is imported when the command is run; `_COMMANDS` has what help and completion need of the others.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click

from clients.cli import problems
from clients.cli.invocation import Group, Invocation, common_options

# name -> module.attribute, one line of help; no help: another name of the same command.
_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("database.init", "Make the database and its tables."),
    "up": ("server.up", "Start the server in the background."),
    "status": ("server.status", "Say what is reached, and how."),
    "ping": ("server.ping", "Ask whether the server answers, as pg_isready does."),
    "list": ("reading.list_command", "List tasks."),
    "show": ("reading.show", "Show a task and what is around it."),
    "next": ("reading.ready", "List what can be begun now."),
    "ready": ("reading.ready", ""),
    "search": ("reading.search", "Find tasks by words."),
    "tree": ("views.tree", "Show tasks below their parents."),
    "board": ("views.board", "Show tasks by status."),
    "graph": ("views.graph", "Show what waits for what."),
    "add-task": ("editing.add", "Add a task."),
    "add": ("editing.add", ""),
    "update": ("editing.update", "Change a task."),
    "edit": ("editing.update", ""),
    "start": ("status.start", "Begin tasks."),
    "done": ("status.done", "Finish tasks."),
    "block": ("status.block", "Put tasks aside."),
    "cancel": ("status.cancel", "Give tasks up."),
    "reopen": ("status.reopen", "Make tasks pending again."),
    "rm": ("status.remove", "Delete tasks."),
    "claim": ("claiming.claim", "Claim a task, or the next one."),
    "heartbeat": ("claiming.heartbeat", "Keep a claim."),
    "release": ("claiming.release", "Give a claim back."),
    "deps": ("dependencies.deps", "What waits for what: add, rm, check."),
    "context": ("notes.context", "Notes on tasks: add, list."),
    "log": ("history.log", "Show what was changed, by whom."),
    "undo": ("history.undo", "Take the last change back."),
    "watch": ("history.watch", "Show changes as they happen."),
    "import": ("transfer.import_command", "Read tasks from a file."),
    "export": ("transfer.export", "Write all tasks."),
    "sql": ("sql.sql", "Run SQL."),
    "psql": ("sql.psql", "Open psql on the database."),
    "doctor": ("doctor.doctor", "Look for what is wrong."),
    "config": ("configuration.config", "Settings: list, get, set, path."),
    "completion": ("configuration.completion", "Print the completion script of a shell."),
    "mcp": ("mcp.mcp", "Serve tasks and SQL to an agent host."),
    "prime": ("agents.prime", "Tell an agent how to use this program."),
    "setup": ("agents.setup", "Print or write the configuration for an agent host."),
}


class Commands(Group):
    """The commands, each from its module when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(".")
        command = getattr(importlib.import_module(f"clients.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help, without importing every command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items() if text])


@click.group(cls=Commands, params=common_options(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="litephant", prog_name="astro")
def astro() -> None:
    """Tasks for people and agents, in one local database."""


def main() -> None:
    """The command `astro`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; its exit status (problems.py)."""
    invocation = Invocation()
    try:
        status = astro.main(arguments, prog_name="astro", obj=invocation, standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        error.show()
        return problems.USAGE
    except click.ClickException as error:
        error.show()
        return problems.ERROR
    except (click.Abort, KeyboardInterrupt):
        return problems.INTERRUPTED
    except BrokenPipeError:  # whoever reads has seen enough; Python would complain when it flushes at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return problems.OK
    except Exception as error:
        problem = problems.problem_of(error)
        if problem is None or invocation.debug:
            raise
        from clients.cli.output import print_problem

        print_problem(problem, as_json=invocation.json)
        return problem.status
    finally:
        invocation.close()
    return status if isinstance(status, int) else problems.OK
