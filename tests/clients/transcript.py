"""Conversations with the command `astro` as text files: `$ astro …`, then what it printed.

Standard output comes first, then standard error behind `! `, then the exit status in brackets unless it is 0. What differs from run
to run is replaced (`_VARIABLE`). `pytest tests/clients --record` writes what is printed now; read the diff.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIMIT: Final = 60  # seconds for one command

Answer = tuple[str, str, int]  # standard output, standard error, exit status

_VARIABLE: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00| UTC)?"), "TIME"),
    (re.compile(r"\d\d:\d\d:\d\d( UTC)?"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r"[Pp]rocess \d+"), "process N"),
    (re.compile(r"\d+ MB free"), "N MB free"),
)
_WAY: Final = ("! connected to ", "! warning: no server at ")  # the scenarios say which


@dataclass(frozen=True)
class Home:
    """A user's surroundings: a directory of his own, and the server's port."""

    directory: Path
    port: int

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASTRO_", "PG", "XDG_"))}
        own = {"HOME": str(self.directory), "ASTRO_PORT": str(self.port), "ASTRO_AGENT": "me", "PYTHONPATH": str(ROOT)}
        return {**kept, **own, "ASTRO_DATA": str(self.directory / "data"), "ASTRO_SOCKET_TIMEOUT": "5000", **more}

    def astro(self, *arguments: str, given: str = "", **more: str) -> Answer:
        """Run the command in a process of its own."""
        command = [sys.executable, "-m", "clients.cli", *arguments]
        done = subprocess.run(
            command,
            input=given,
            env=self.environment(**more),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return done.stdout, done.stderr, done.returncode

    def shown(self, answer: Answer) -> str:
        """An answer as transcripts have it."""
        out, err, status = answer
        lines = [*out.splitlines(), *(f"! {line}" for line in err.splitlines())]
        text = "\n".join(line for line in lines if not line.startswith(_WAY))
        text = text.replace(str(self.directory), "HOME").replace(str(Path(sys.executable).with_name("astro")), "astro")
        for pattern, replacement in _VARIABLE:
            text = pattern.sub(replacement, text)
        text += f"\n[{status}]" if status else ""
        return text.strip("\n")


def here(*arguments: str) -> Answer:
    """Run the command in this process: for direct mode, where the server's code is imported once and not for each command."""
    from clients.cli.main import run

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(list(arguments))
    texts = [file.buffer.getvalue().decode() for file in (out, err) if isinstance(file.buffer, io.BytesIO)]
    return texts[0], texts[1], status


def play(path: Path, astro: Callable[..., Answer], shown: Callable[[Answer], str]) -> str:
    """Run the file's commands; the file as it is then."""
    played = []
    for block in path.read_text(encoding="utf-8").split("\n\n$ "):
        command = block.splitlines()[0].removeprefix("$ ")
        words = shlex.split(command)
        assert words[0] == "astro", command
        played.append(f"$ {command}\n{shown(astro(*words[1:]))}".rstrip("\n"))
    return "\n\n".join(played) + "\n"
