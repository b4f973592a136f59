"""Runs in mode swap, held at places where readers of the target must still see the old rows."""

import json

import stops
from hook_functions import AFTER, BEFORE, make_hook, register
from stops import LOCK, WAIT
from test_concurrency import Background, wait_until

# Where the run stands then, and what holds it there.
IN_THE_WAY = {
    "loading": "ALTER TABLE staging.people ADD CHECK (app.wait_value(id) IS NOT NULL)",
    "adding keys and indexes": "CREATE INDEX waits ON staging.people (app.wait_value(id))",
    "analyzing": "CREATE STATISTICS app.waits ON (app.wait_value(id)) FROM staging.people",
}

# Those at which nobody is kept from reading the old rows.
READABLE = ["running hook before", *IN_THE_WAY, "running hook after", "swapping", "ledger"]


def swap(**more):
    """The options of such a run."""
    return json.dumps({"mode": "swap", **more})


class Held(stops.Held):
    """The same in mode swap, at the stops of that."""

    def __init__(self, db, stop, **options):
        self._prepare(db, stop)
        if stop in IN_THE_WAY:
            db.execute(IN_THE_WAY[stop])
        elif stop == "swapping":
            # Until it has read, it is in nobody's way.
            self.holder.execute("SELECT FROM staging.people")
        else:
            make_hook(db, "wait", f"{WAIT} RETURN NULL;")
            register(db, BEFORE if stop == "running hook before" else AFTER, "app.wait")
            self.events += 1
        if stop != "swapping":
            self.holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        self.runner = db.session()
        self.pid = self.runner.pid()
        self.run = Background(lambda: self.runner.sync(options=swap(**options)))
        wait_until(self._is_blocked)
        if stop == "ledger":
            # On from the hook, and held again when readers are locked out already.
            ledger = db.session(autocommit=False)
            ledger.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")
            self.holder.connection.rollback()
            self.holder = ledger
            wait_until(lambda: self.waits_for(ledger.pid()))


# Everything that the catalog says of the relations of a schema but where their rows are, what is
# counted of them, and what a transaction that renews a file sets.
CATALOG = """
WITH here AS (
  SELECT c.oid, c.reltoastrelid FROM pg_class c WHERE c.relnamespace = 'staging'::regnamespace),
every AS (
  SELECT oid FROM here UNION SELECT reltoastrelid FROM here WHERE reltoastrelid <> 0
  UNION SELECT i.indexrelid FROM pg_index i JOIN here h ON i.indrelid = h.reltoastrelid)
SELECT 'class' AS what, to_jsonb(c) - '{relfilenode,relpages,reltuples,relallvisible,relallfrozen,
    relfrozenxid,relminmxid}'::text[] AS row FROM pg_class c JOIN every USING (oid)
UNION ALL SELECT 'attribute', to_jsonb(a) - '{attmissingval,atthasmissing}'::text[]
  FROM pg_attribute a JOIN every e ON e.oid = a.attrelid
UNION ALL SELECT 'index', to_jsonb(i) FROM pg_index i JOIN every e ON e.oid = i.indexrelid
UNION ALL SELECT 'constraint', to_jsonb(k) FROM pg_constraint k
  JOIN every e ON e.oid IN (k.conrelid, k.confrelid)
UNION ALL SELECT 'default', to_jsonb(d) FROM pg_attrdef d JOIN every e ON e.oid = d.adrelid
UNION ALL SELECT 'trigger', to_jsonb(t) FROM pg_trigger t JOIN every e ON e.oid = t.tgrelid
UNION ALL SELECT 'policy', to_jsonb(p) FROM pg_policy p JOIN every e ON e.oid = p.polrelid
UNION ALL SELECT 'published', to_jsonb(p) FROM pg_publication_rel p JOIN every e ON e.oid = p.prrelid
UNION ALL SELECT 'comment', to_jsonb(d) FROM pg_description d JOIN every e ON e.oid = d.objoid
UNION ALL SELECT 'statistics', to_jsonb(s) FROM pg_statistic_ext s JOIN every e ON e.oid = s.stxrelid
UNION ALL SELECT 'depends', to_jsonb(d) FROM pg_depend d
  JOIN every e ON e.oid IN (d.objid, d.refobjid)
"""


def catalog(db):
    """The catalog of the target, one line for each row."""
    return sorted(f"{what} {json.dumps(row, sort_keys=True)}" for what, row in db.rows(CATALOG))


def files(db):
    """Where the relations of the target keep their rows, by name; TOAST included."""
    return dict(db.rows("""
        SELECT c.oid::regclass::text, pg_relation_filepath(c.oid) FROM pg_class c
         WHERE pg_relation_filepath(c.oid) IS NOT NULL AND c.relkind <> 'S' AND (
           c.relnamespace = 'staging'::regnamespace OR c.oid IN (
             SELECT t.reltoastrelid FROM pg_class t WHERE t.relnamespace = 'staging'::regnamespace)
           OR c.oid IN (SELECT i.indexrelid FROM pg_index i JOIN pg_class t ON i.indrelid = t.reltoastrelid
                         WHERE t.relnamespace = 'staging'::regnamespace))"""))


def check_files(db):
    """Holds every heap and index of the target to what amcheck knows, where the server has it."""
    if not db.server.has("amcheck"):
        return
    db.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
    assert db.rows("""
        SELECT t.oid::regclass, v.msg FROM pg_class t, verify_heapam(t.oid) AS v
         WHERE t.relkind IN ('r', 't') AND (t.relnamespace = 'staging'::regnamespace
            OR t.oid IN (SELECT reltoastrelid FROM pg_class
                          WHERE relnamespace = 'staging'::regnamespace))""") == []
    db.execute("""
        SELECT bt_index_parent_check(i.indexrelid, true) FROM pg_index i
          JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
          JOIN pg_class t ON t.oid = i.indrelid
         WHERE a.amname = 'btree' AND x.relkind = 'i' AND (t.relnamespace = 'staging'::regnamespace
            OR t.oid IN (SELECT reltoastrelid FROM pg_class
                          WHERE relnamespace = 'staging'::regnamespace))""")
    if (db.server.bindir / "pg_amcheck").exists():
        db.server.run("pg_amcheck", "--heapallindexed", "--schema", "staging", database=db.name)
