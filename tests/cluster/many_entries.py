"""A ledger with an entry of every kind that a test can make, and what verification says of it."""

from journal_calls import REVEAL
from samples import make_small, profile

COPY = (
    "INSERT INTO {target} SELECT id,"
    " confiture.track('{table}', 'email', id::text, email, anon_email(email)) FROM prod.people"
)

# What was kept and spent, beside the ledger.
VALUE_OF = "SELECT confiture.reveal(%s, 'mail', 'why')"
SPENT = "SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')"


def make_budget_and_token(db):
    """A budget of which 2 were spent, and the token of "ada", which may be revealed."""
    db.execute("SELECT confiture.create_domain('mail')")
    db.execute("SELECT confiture.grant_access('revealer', session_user::text, 'mail')")
    db.execute("SELECT anon_dp_budget_create('research', 10)")
    db.execute("SELECT anon_dp_budget_grant('research', session_user::text)")
    db.execute("SET confiture.dp_budget = 'research'")
    db.execute("SELECT anon_dp_count(id, 2) FROM prod.people")
    return db.value("SELECT (confiture.tokenize_batch('mail', '{ada}'))[1]")


def declare(db, table="declared", schema="staging", name="by hand"):
    """A declared run into a table of its own; returns its id."""
    db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    db.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{table} (id int PRIMARY KEY, email text)")
    run = db.value("SELECT confiture.begin_run(%s, 'prod', %s)", [name, schema])
    db.execute(f"TRUNCATE {schema}.{table}")
    db.execute(COPY.format(target=f"{schema}.{table}", table=table))
    assert db.value("SELECT confiture.end_run('{\"rows\": 3, \"good\": true}')") == "match"
    return run


def make_entries(db):
    """Keys, runs, declared runs, a failure, a shredded key, an anchor, reveals, guards."""
    make_small(db)
    db.load(profile({"people": {"email": "mail", "note": "hash"}}, version="2"))
    db.sync()
    db.execute(REVEAL)
    declare(db)
    db.value("SELECT confiture.begin_run('goes wrong', 'prod', 'staging')")
    db.execute("SELECT confiture.fail_run('disk full')")
    db.execute("SELECT confiture.rotate_key('masking')")
    db.execute("SELECT confiture.create_key('ledger')")
    db.execute(REVEAL)
    db.execute("SELECT confiture.export_anchor()")
    db.execute(
        "SELECT confiture.shred_run_key(run_id) FROM confiture.audit_log"
        " WHERE event = 'COMPLETED' ORDER BY seq LIMIT 1"
    )
    db.execute("SELECT confiture.disarm('a test'); SELECT confiture.rearm()")
    db.execute(REVEAL)


def said(db):
    """Everything that verify_ledger says, as it says it."""
    return db.rows("SELECT v::text FROM confiture.verify_ledger() AS v ORDER BY 1")


def by_chain(db):
    """What verify_ledger says: {(code, status, chain)}."""
    return set(db.rows("SELECT check_code, status, chain FROM confiture.verify_ledger()"))
