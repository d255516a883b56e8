import pytest

from tests.unit.ddl.database import Database


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "test.db")
    yield made
    made.close()
