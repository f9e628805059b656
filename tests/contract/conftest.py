"""The exported contract, and the service that must keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXPORTED = Path(__file__).parents[2] / "openapi" / "openapi.json"


def exported() -> dict[str, Any]:
    contract: dict[str, Any] = json.loads(EXPORTED.read_text(encoding="utf-8"))
    return contract


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    return exported()
