"""The organisation that tests of services work in."""

from __future__ import annotations

import pytest

from app.records.store import Store
from app.services.reporting import Context


@pytest.fixture
def context(store: Store) -> Context:
    return Context(store, "north")
