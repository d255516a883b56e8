"""Alembic: autogenerate finds every change and then nothing more; upgrades and downgrades leave what they leave on PostgreSQL."""

import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.drivers.alembic_project import models
from tests.harness.client import Address
from tests.harness.schema import rows_of, schema_of

pytestmark = pytest.mark.drivers

PROJECT = Path(__file__).parent / "alembic_project"
_STAMP = re.compile(r"'[0-9a-f]{12}'")


class Project:
    """A script directory of its own for one database."""

    def __init__(self, database: Address, folder: Path) -> None:
        (folder / "versions").mkdir(parents=True)
        for name in ("env.py", "script.py.mako"):
            shutil.copy(PROJECT / name, folder)
        self.database = database
        self.folder = folder
        self.config = Config(stdout=io.StringIO())
        self.config.set_main_option("script_location", str(folder))
        self.config.set_main_option("path_separator", "os")
        self.engine = sa.create_engine(database.dsn.replace("postgresql://", "postgresql+psycopg://"))

    def run(self, metadata: sa.MetaData, name: str, *arguments: Any, **options: Any) -> Any:
        """A command of Alembic's command line."""
        with self.engine.connect() as connection:
            self.config.attributes.update(connection=connection, metadata=metadata)
            return getattr(command, name)(self.config, *arguments, **options)

    def generate(self, metadata: sa.MetaData) -> str:
        """The revision that `alembic revision --autogenerate` writes, without what is random in it."""
        script = self.run(metadata, "revision", autogenerate=True)
        return _STAMP.sub("", Path(script.path).read_text(encoding="utf-8"))

    def schema(self) -> Any:
        return schema_of(self.database)


@pytest.fixture
def projects(database: Address, oracle_database: Address, tmp_path: Path) -> Any:
    made = [Project(database, tmp_path / "ours"), Project(oracle_database, tmp_path / "theirs")]
    yield made
    for project in made:
        project.engine.dispose()


def test_autogenerate(projects: list[Project]) -> None:
    histories = []
    for project in projects:
        before, after = models.before(), models.after()
        history: list[Any] = [project.generate(before)]
        project.run(before, "upgrade", "head")
        project.run(before, "check")  # raises if there is something to do
        history.append(project.schema())
        with project.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO account (name, email, balance, mood) VALUES ('Ann', 'a@x.org', 3, 'sad')"))
            connection.execute(sa.text("INSERT INTO entry (account_id, amount) VALUES (1, 7)"))
            connection.execute(sa.text("CREATE SCHEMA books"))
        history.append(project.generate(after))
        project.run(after, "upgrade", "head")
        project.run(after, "check")
        history += [project.schema(), rows_of(project.database, ["entry"])]
        project.run(after, "downgrade", "-1")
        history += [project.schema(), rows_of(project.database, ["entry"])]
        project.run(after, "downgrade", "base")
        history.append(project.schema())
        histories.append(history)
    for ours, theirs in zip(*histories, strict=True):
        assert ours == theirs


def test_every_operation(projects: list[Project]) -> None:
    histories = []
    for project in projects:
        shutil.copy(PROJECT / "operations.py", project.folder / "versions")
        metadata = sa.MetaData()
        project.run(metadata, "upgrade", "head")
        assert ScriptDirectory.from_config(project.config).get_current_head() == "operations"
        history = [project.schema(), rows_of(project.database, ["colours", "other.tints", "heavy", "alembic_version"])]
        project.run(metadata, "downgrade", "base")
        history += [project.schema(), rows_of(project.database, ["colours"])]
        histories.append(history)
    for ours, theirs in zip(*histories, strict=True):
        assert ours == theirs
