# ruff: noqa: S608 - statements are joined from the names in this file alone
"""The records: tables that are appended to, and the triggers that refuse everything else.

Frozen: imports nothing of app/, so that it makes the same schema for ever. Each table has an organisation, its keys
begin with it, and a reference can't leave it.

What the triggers let through, and nothing else:
  - DELETE of an idempotency key, or its answer, that has expired;
  - UPDATE that sets all erasable columns of a row to null, and changes no other, where an order of erasure lists the
    row in erasure_item.
On PostgreSQL run app.records.engine.grant_application_role after this: triggers stop mistakes, rights stop people.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Names = tuple[str, ...]


class Plan:
    """One table: columns in a line of words, `name?` may be null, `name~` is erasable (and so may be null)."""

    def __init__(
        self,
        name: str,
        columns: str,
        *,
        refers: str = "",
        unique: tuple[Names, ...] = (),
        index: tuple[Names, ...] = (),
        checks: tuple[tuple[str, str], ...] = (),
        identity: str = "id",
        root: bool = False,
    ) -> None:
        self.name, self.identity, self.unique, self.index, self.checks = name, identity, unique, index, checks
        self.columns = [identity, *columns.split()] if identity else columns.split()
        self.refers = [tuple(pair.split(">")) for pair in refers.split()]
        self.root = root

    @property
    def plain(self) -> list[str]:
        return ["organisation", *(c.rstrip("?") for c in self.columns if not c.endswith("~"))]

    @property
    def erasable(self) -> list[str]:
        return [c.rstrip("~") for c in self.columns if c.endswith("~")]

    @property
    def keys(self) -> list[Names]:
        return [(self.identity,) if self.identity else (), *self.unique]

    def create(self) -> None:
        items: list[sa.schema.SchemaItem] = [sa.Column("organisation", sa.Text(), nullable=False)]
        items += [sa.Column(c.rstrip("?~"), _type(c.rstrip("?~")), nullable=c[-1] in "?~") for c in self.columns]
        items.append(sa.PrimaryKeyConstraint("organisation", *self.keys[0], name=f"pk_{self.name}"))
        for name, target in self.refers:
            there = target if "." in target else f"{target}.id"
            table = there.split(".")[0]
            items.append(
                sa.ForeignKeyConstraint(
                    ["organisation", name], [f"{table}.organisation", there], name=f"fk_{self.name}_{name}"
                )
            )
        if self.root:
            items.append(
                sa.ForeignKeyConstraint(["organisation"], ["organisation.organisation"], name=f"fk_{self.name}_root")
            )
        for names in self.unique:
            items.append(sa.UniqueConstraint("organisation", *names, name=f"uq_{self.name}_{'_'.join(names)}"))
        items += [sa.CheckConstraint(rule, name=f"ck_{self.name}_{name}") for name, rule in self.checks]
        op.create_table(self.name, *items)
        for names in self.index:
            op.create_index(f"ix_{self.name}_{'_'.join(names)}", self.name, ["organisation", *names])


_INTEGERS = {"number", "sequence", "attempt", "days", "ish_group", "http_status"}


def _type(name: str) -> sa.types.TypeEngine[object]:
    if name.endswith("_at") or name == "since":
        return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
    if name in _INTEGERS:
        return sa.Integer()
    if name in ("final", "review_required"):
        return sa.Boolean()
    return sa.LargeBinary() if name == "message" else sa.Text()


_WHO = "person_name person_role reason"
PLANS = (
    Plan("organisation", "title created_at", identity=""),
    Plan("patient", "created_at", root=True),
    Plan(
        "patient_identity",
        "patient_id system value~ created_at",
        refers="patient_id>patient",
        unique=(("system", "value"),),
        index=(("patient_id",),),
    ),
    Plan(
        "patient_link",
        f"patient_id into_patient_id number kind {_WHO}~ created_at",
        refers="patient_id>patient into_patient_id>patient",
        unique=(("patient_id", "number"),),
        index=(("into_patient_id",),),
        checks=(("kind", "kind IN ('merge', 'unmerge')"),),
    ),
    Plan(
        "result",
        "patient_id join_key~ created_at",
        refers="patient_id>patient",
        unique=(("join_key",),),
        index=(("patient_id",), ("created_at",)),
    ),
    Plan(
        "result_move",
        f"result_id from_patient_id to_patient_id number {_WHO}~ created_at",
        refers="result_id>result from_patient_id>patient to_patient_id>patient",
        unique=(("result_id", "number"),),
        index=(("from_patient_id",), ("to_patient_id",)),
    ),
    Plan(
        "result_version",
        "result_id number replaces_id? cause reason~ person_name? person_role? source laboratory? accession~ specimen~"
        " block~ collected_at~ reported_at~ document~ digest~ created_at",
        refers="result_id>result replaces_id>result_version",
        unique=(("result_id", "number"),),
        index=(("accession",), ("laboratory",), ("collected_at",), ("replaces_id",)),
        checks=(("number", "number >= 1 AND (number = 1) = (replaces_id IS NULL)"),),
    ),
    Plan(
        "classification",
        "version_id purpose edition_id edition_digest pack_id pack_version pack_digest policy engine status final"
        " ish_group? her2_low? review_required answer~ created_at",
        refers="version_id>result_version",
        index=(("version_id",), ("status",)),
        checks=(("purpose", "purpose IN ('current', 're-evaluation')"), ("ish_group", "ish_group BETWEEN 1 AND 5")),
    ),
    Plan(
        "act",
        f"version_id led_to_version_id? kind {_WHO}~ meaning detail~ performed_at recorded_at",
        refers="version_id>result_version led_to_version_id>result_version",
        index=(("version_id", "kind"), ("led_to_version_id",)),
        checks=(("kind", "kind IN ('recount', 'adjudication', 'sign_off')"),),
    ),
    Plan(
        "open_step",
        "result_id version_id awaited since due_at who? created_at",
        refers="result_id>result version_id>result_version",
        unique=(("version_id", "awaited"),),
        index=(("result_id",), ("due_at",)),
    ),
    Plan(
        "open_step_closing",
        "step_id cause by_version_id? by_act_id? reason~ closed_at",
        refers="step_id>open_step by_version_id>result_version by_act_id>act",
        unique=(("step_id",),),
        index=(("by_version_id",), ("by_act_id",)),
        checks=(("cause", "cause IN ('arrived', 'replaced', 'person')"),),
    ),
    Plan(
        "idempotency",
        "method_path body_digest created_at expires_at",
        identity="key",
        index=(("expires_at",),),
        root=True,
    ),
    Plan(
        "idempotency_answer",
        "http_status headers~ body~ expires_at",
        identity="key",
        refers="key>idempotency.key",
    ),
    Plan(
        "audit",
        "sequence kind recorded_at content_digest previous digest",
        unique=(("sequence",), ("previous",)),
        root=True,
    ),
    Plan("audit_content", "content~ salt~", identity="audit_id", refers="audit_id>audit"),
    Plan(
        "erasure",
        f"subject_kind subject_id {_WHO} ordered_at performed_at signature?",
        index=(("subject_id",),),
        root=True,
    ),
    Plan(
        "erasure_item",
        "erasure_id record_kind record_id",
        refers="erasure_id>erasure",
        unique=(("record_kind", "record_id"),),
        index=(("erasure_id",),),
    ),
    Plan(
        "retention",
        f"record_kind number days? {_WHO} created_at",
        unique=(("record_kind", "number"),),
        root=True,
    ),
    Plan("legal_hold", f"subject_kind subject_id name {_WHO} placed_at", index=(("subject_id",),), root=True),
    Plan(
        "legal_hold_release",
        f"hold_id {_WHO} released_at",
        refers="hold_id>legal_hold",
        unique=(("hold_id",),),
    ),
    Plan(
        "inbox",
        "sender control_id content_hash media_type message~ received_at",
        unique=(("sender", "control_id", "content_hash"),),
        index=(("received_at",),),
        root=True,
    ),
    Plan(
        "inbox_state",
        "message_id number state step? detail~ person_name? version_id? created_at",
        refers="message_id>inbox version_id>result_version",
        unique=(("message_id", "number"),),
        index=(("version_id",),),
    ),
    Plan(
        "outbox",
        "topic version_id? payload~ created_at",
        refers="version_id>result_version",
        index=(("version_id",), ("created_at",)),
        root=True,
    ),
    Plan(
        "outbox_delivery",
        "outbox_id destination attempt state detail~ next_attempt_at? created_at",
        refers="outbox_id>outbox",
        unique=(("outbox_id", "destination", "attempt", "state"),),
        checks=(("state", "state IN ('started', 'delivered', 'failed', 'parked')"),),
    ),
)
EXPIRING = ("idempotency", "idempotency_answer")


def upgrade() -> None:
    for plan in PLANS:
        plan.create()
    # a version has one answer that counts; another that is to count is a new version
    op.create_index(
        "uq_classification_current",
        "classification",
        ["organisation", "version_id"],
        unique=True,
        sqlite_where=sa.text("purpose = 'current'"),
        postgresql_where=sa.text("purpose = 'current'"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in _functions():
            op.execute(statement)
    for statement in guards(PLANS):
        op.execute(statement)
    if op.get_bind().dialect.name == "sqlite":
        tell_sqlite_what_to_expect()


def downgrade() -> None:
    """Takes all records with it. A laboratory that holds records goes back by restoring a copy, not by this."""
    for plan in reversed(PLANS):
        op.drop_table(plan.name)  # and its triggers
    if op.get_bind().dialect.name == "postgresql":
        for function in ("herald_refuse()", "herald_erase_only()", "herald_expire_only()"):
            op.execute(f"DROP FUNCTION {function}")
        op.execute("DROP FUNCTION herald_expire_idempotency(text)")


def guards(plans: tuple[Plan, ...]) -> Iterator[str]:
    """The triggers of these tables, for the database at hand."""
    return _postgresql(plans) if op.get_bind().dialect.name == "postgresql" else _sqlite(plans)


def _sqlite(plans: tuple[Plan, ...]) -> Iterator[str]:
    for plan in plans:
        t, refuse = plan.name, f"SELECT RAISE(ABORT, 'herald: records are append-only: {plan.name}')"
        emptied = ""
        if plan.erasable:
            same = [f"NEW.{c} IS OLD.{c}" for c in plan.plain] + [f"NEW.{c} IS NULL" for c in plan.erasable]
            emptied = (
                f"WHEN NOT ({' AND '.join(same)} AND EXISTS (SELECT 1 FROM erasure_item WHERE"
                f" organisation = OLD.organisation AND record_kind = '{t}' AND record_id = OLD.{plan.identity}))"
            )
        yield f"CREATE TRIGGER {t}_no_update BEFORE UPDATE ON {t} {emptied} BEGIN {refuse}; END"
        expired = "WHEN OLD.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')" if t in EXPIRING else ""
        yield f"CREATE TRIGGER {t}_no_delete BEFORE DELETE ON {t} {expired} BEGIN {refuse}; END"
        # INSERT OR REPLACE deletes without a DELETE trigger unless a pragma of the connection says otherwise
        there = " OR ".join(
            f"EXISTS (SELECT 1 FROM {t} WHERE " + " AND ".join(f"{c} = NEW.{c}" for c in ("organisation", *names)) + ")"
            for names in plan.keys
        )
        yield f"CREATE TRIGGER {t}_no_replace BEFORE INSERT ON {t} WHEN {there} BEGIN {refuse}; END"


_ROWS = 1_000_000
_COARSE = {"system", "sender", "record_kind", "status", "laboratory"}


def tell_sqlite_what_to_expect(tables: Names = ()) -> None:
    """Statistics of a grown database, written down.

    Without any, SQLite takes the organisation for as good as a key and walks all of its rows in the order asked for.
    Those that a later ANALYZE measures take their place. tables: only of these, where named.
    """
    bind = op.get_bind()
    if not tables:
        bind.exec_driver_sql("ANALYZE")
    indexes = bind.exec_driver_sql("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'").all()
    for index, table in indexes:
        if table == "alembic_version" or (tables and table not in tables):
            continue
        columns = [row[2] for row in bind.exec_driver_sql(f"PRAGMA index_info('{index}')")]
        unique = index.startswith(("sqlite_autoindex", "uq_"))
        each = [_ROWS, *(_ROWS // 10 if column in _COARSE else 5 for column in columns[1:])]
        if unique:
            each[-1] = 1
        values = (table, index, " ".join(map(str, [_ROWS, *each])))
        bind.exec_driver_sql("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", values)


def _functions() -> Iterator[str]:
    bind = op.get_bind()
    schema = bind.dialect.identifier_preparer.quote_identifier(bind.exec_driver_sql("SELECT current_schema()").scalar())
    # pg_temp last: a temporary table named erasure_item must not stand in for the real one
    path = f"SET search_path = pg_catalog, {schema}, pg_temp"
    raising = (
        "RAISE EXCEPTION 'herald: records are append-only: % of % refused', TG_OP, TG_TABLE_NAME"
        " USING ERRCODE = 'insufficient_privilege';"
    )
    yield f"CREATE FUNCTION herald_refuse() RETURNS trigger LANGUAGE plpgsql {path} AS $$ BEGIN {raising} END $$"
    yield f"""
        CREATE FUNCTION herald_erase_only() RETURNS trigger LANGUAGE plpgsql {path} AS $$
        DECLARE identity text := TG_ARGV[0]; erasable text[] := TG_ARGV[1:]; n jsonb := to_jsonb(NEW);
        BEGIN
          IF n - erasable IS DISTINCT FROM to_jsonb(OLD) - erasable
             OR EXISTS (SELECT 1 FROM unnest(erasable) AS c WHERE n->>c IS NOT NULL)
             OR NOT EXISTS (SELECT 1 FROM erasure_item WHERE organisation = OLD.organisation
                            AND record_kind = TG_TABLE_NAME AND record_id = n->>identity)
          THEN {raising} END IF;
          RETURN NEW;
        END $$"""
    yield f"""
        CREATE FUNCTION herald_expire_only() RETURNS trigger LANGUAGE plpgsql {path} AS $$
        BEGIN IF OLD.expires_at > now() THEN {raising} END IF; RETURN OLD; END $$"""
    # runs with its owner's rights: the application's role has no DELETE
    yield f"""
        CREATE FUNCTION herald_expire_idempotency(whose text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER {path}
        AS $$ DECLARE gone bigint;
        BEGIN
          DELETE FROM idempotency_answer WHERE organisation = whose AND expires_at <= now();
          DELETE FROM idempotency WHERE organisation = whose AND expires_at <= now();
          GET DIAGNOSTICS gone = ROW_COUNT;
          RETURN gone;
        END $$"""
    yield "REVOKE ALL ON FUNCTION herald_expire_idempotency(text) FROM PUBLIC"


def _postgresql(plans: tuple[Plan, ...]) -> Iterator[str]:
    for plan in plans:
        t, refuse = plan.name, "EXECUTE FUNCTION herald_refuse()"
        if plan.erasable:
            columns = ", ".join(f"'{c}'" for c in (plan.identity, *plan.erasable))
            yield (
                f"CREATE TRIGGER {t}_no_update BEFORE UPDATE ON {t} FOR EACH ROW"
                f" EXECUTE FUNCTION herald_erase_only({columns})"
            )
        else:
            yield f"CREATE TRIGGER {t}_no_update BEFORE UPDATE ON {t} FOR EACH STATEMENT {refuse}"
        if t in EXPIRING:
            yield (
                f"CREATE TRIGGER {t}_no_delete BEFORE DELETE ON {t} FOR EACH ROW EXECUTE FUNCTION herald_expire_only()"
            )
        else:
            yield f"CREATE TRIGGER {t}_no_delete BEFORE DELETE ON {t} FOR EACH STATEMENT {refuse}"
        yield f"CREATE TRIGGER {t}_no_truncate BEFORE TRUNCATE ON {t} FOR EACH STATEMENT {refuse}"
