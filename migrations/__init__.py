"""The only maker of schemas: Alembic's revisions, installed beside app/."""
