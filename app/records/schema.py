"""How a table of one organisation's rows is made. Columns with what a patient may have erased are marked `erasable`."""

from __future__ import annotations

from sqlalchemy import Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.sql.schema import ForeignKeyConstraint, SchemaItem

from app.records.columns import key, text, when

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_1_name)s",
        "uq": "uq_%(table_name)s_%(column_1_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

organisation = Table(
    "organisation",
    metadata,
    key("organisation"),
    text("title"),
    when("created_at"),
    PrimaryKeyConstraint("organisation"),
)


def make_table(
    name: str,
    *parts: SchemaItem | tuple[SchemaItem, ...],
    unique: tuple[tuple[str, ...], ...] = (),
    index: tuple[tuple[str, ...], ...] = (),
    identity: str = "id",
    root: bool = False,
) -> Table:
    """A table of one organisation's rows; unique and index name columns, the organisation is put before them.

    root: refers to the organisation itself; the others reach it through what they refer to.
    """
    items: list[SchemaItem] = [key("organisation"), key(identity)]
    for part in parts:
        items.extend(part if isinstance(part, tuple) else (part,))
    items.append(PrimaryKeyConstraint("organisation", identity))
    if root:
        items.append(ForeignKeyConstraint(["organisation"], [organisation.c.organisation], name=f"fk_{name}_root"))
    items.extend(UniqueConstraint("organisation", *names, name=f"uq_{name}_{'_'.join(names)}") for names in unique)
    table = Table(name, metadata, *items)
    for names in index:
        Index(f"ix_{name}_{'_'.join(names)}", table.c.organisation, *(table.c[n] for n in names))
    return table
