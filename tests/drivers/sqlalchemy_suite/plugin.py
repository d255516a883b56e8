"""SQLAlchemy's pytest plugin without its extensions: it would create citext and hstore in the database before the tests."""

import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")  # before the module is imported

from sqlalchemy.testing.plugin import pytestplugin  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403


def pytest_sessionstart(session: pytest.Session) -> None:  # type: ignore[no-redef]
    import sqlalchemy.dialects.postgresql.provision  # noqa: F401  (it registers the hook)
    from sqlalchemy.testing import provision

    provision.post_configure_engine.fns["postgresql"] = lambda *_: None
    pytestplugin.pytest_sessionstart(session)
