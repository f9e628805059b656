"""The records room: append and find, and the only room with SQL."""

from app.records.engine import grant_application_role, migrate
from app.records.store import Store, open_store

__all__ = ["Store", "grant_application_role", "migrate", "open_store"]
