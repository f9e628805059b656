"""Raw access to a store's database, as someone with the owner's rights and a client in hand would have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from app.records.engine import store_url as with_driver

Raw = Callable[..., list[Any]]


@pytest.fixture
def raw_engine(store_url: str) -> Iterator[Engine]:
    """An engine of our own making: none of the store's pragmas and settings."""
    engine = create_engine(with_driver(store_url))
    yield engine
    engine.dispose()


@pytest.fixture
def raw(raw_engine: Engine) -> Raw:
    """Run one statement in a transaction of its own; the rows it answers."""

    def run(statement: str, **values: Any) -> list[Any]:
        with raw_engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    return run
