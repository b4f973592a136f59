"""Places where a run can be held, by what anybody could put in its way: one for each phase."""

from hook_functions import AFTER, BEFORE, make_hook, register, set_up
from samples import make_small
from test_concurrency import Background, wait_until

LOCK = 42
WAIT = f"PERFORM pg_advisory_xact_lock_shared({LOCK});"

FUNCTIONS = f"""
CREATE FUNCTION app.wait_trigger() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN {WAIT} RETURN NULL; END $$;
CREATE FUNCTION app.wait_value(v integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN {WAIT} RETURN v; END $$;
"""

TRIGGER = (
    "CREATE TRIGGER wait BEFORE {} ON staging.people FOR EACH STATEMENT"
    " EXECUTE FUNCTION app.wait_trigger()"
)

# Where the run stands then, in the words of its record, and what holds it there.
IN_THE_WAY = {
    "preparing the target": TRIGGER.format("TRUNCATE"),
    "loading": TRIGGER.format("INSERT"),
    "adding keys and indexes": "CREATE INDEX waits ON staging.people (app.wait_value(id))",
    "analyzing": "CREATE STATISTICS app.waits ON (app.wait_value(id)) FROM staging.people",
}

STOPS = [
    "starting",
    "running hook before",
    "locking",
    *IN_THE_WAY,
    "running hook after",
    "recording",
]

FIRE = '{"triggers": "fire"}'


class Held:
    """The second run on a target, whose rows have changed since the first one, held at a stop."""

    def __init__(self, db, stop, **settings):
        self._prepare(db, stop)
        if stop in IN_THE_WAY:
            db.execute(IN_THE_WAY[stop])
        elif stop == "locking":
            self.holder.execute("SELECT FROM staging.people")
        elif stop == "starting":
            self._hold_the_ledger()
        else:
            make_hook(db, "wait", f"{WAIT} RETURN NULL;")
            register(db, BEFORE if stop == "running hook before" else AFTER, "app.wait")
            self.events += 1
        if stop not in ("locking", "starting"):
            self.holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        self.runner = db.session()
        self.pid = self.runner.pid()
        for name, value in settings.items():
            self.runner.execute(f"SET {name} = '{value}'")
        self.run = Background(lambda: self.runner.sync(options=FIRE))
        wait_until(self._is_blocked)
        if stop == "recording":
            # On from the hook, and held again at the last step.
            ledger = db.session(autocommit=False)
            ledger.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")
            self.holder.connection.rollback()
            self.holder = ledger
            wait_until(lambda: self.waits_for(ledger.pid()))

    def _prepare(self, db, stop):
        """The first run, and rows that are not those that it had."""
        self.db, self.stop = db, stop
        make_small(db)
        set_up(db)
        db.execute(FUNCTIONS)
        db.sync()
        db.execute("UPDATE prod.people SET note = 'new'")
        self.events = len(db.all_events())
        self.before = db.content("staging")
        self.holder = db.session(autocommit=False)

    @property
    def phase(self):
        """The phase, as it is on record."""
        return "running hook" if self.stop.startswith("running hook") else self.stop

    @property
    def is_on_record(self):
        """Whether the run has begun."""
        return self.stop != "starting"

    def let_go(self):
        """Takes away what holds the run."""
        if not self.holder.connection.closed:
            self.holder.connection.close()

    def _hold_the_ledger(self):
        self.holder.execute("SELECT * FROM confiture.ledger_head FOR UPDATE")

    def _is_blocked(self):
        return self.db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.pid])

    def waits_for(self, pid):
        return self.db.value("SELECT %s = ANY (pg_blocking_pids(%s))", [pid, self.pid])

    def waits_since(self):
        """When its wait for a lock began."""
        return self.db.value(
            "SELECT max(waitstart) FROM pg_locks WHERE pid = %s AND NOT granted", [self.pid]
        )


def unchanged(db, before):
    """The rows of the target are as they were."""
    return db.content("staging") == before
