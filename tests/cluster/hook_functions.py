"""Functions to be called as hooks, and what they have noted down."""

BEFORE, AFTER, ON_ERROR = (
    "BEFORE_ANONYMIZATION",
    "AFTER_ANONYMIZATION",
    "ON_ANONYMIZATION_ERROR",
)

# A sequence counts calls also where the run is rolled back; the table goes with it.
SETUP = """
CREATE SCHEMA app;
CREATE SEQUENCE app.calls;
CREATE TABLE app.seen (number bigserial, name text, context jsonb, who text);
"""


def set_up(db):
    """A schema for hooks."""
    db.execute(SETUP)


def make_hook(db, name, body="RETURN NULL;", options="", schema="app"):
    """Makes a hook that notes its context down, and then does something."""
    db.execute(
        f'CREATE OR REPLACE FUNCTION {schema}."{name}"(context jsonb) RETURNS jsonb'
        f" LANGUAGE plpgsql {options} AS $hook$ BEGIN PERFORM nextval('app.calls');"
        " INSERT INTO app.seen (name, context, who)"
        f" VALUES ('{name}', context, current_user); {body} END $hook$"
    )


def register(db, phase, function, profile=None, position=100, settings="{}"):
    """Registers a hook."""
    db.execute(
        "SELECT confiture.register_hook(%s, %s, %s, %s, %s)",
        [phase, function, profile, position, settings],
    )


def seen(db, name=None):
    """The contexts that hooks were called with, as far as they are committed."""
    return db.column(
        "SELECT context FROM app.seen WHERE %s::text IS NULL OR name = %s ORDER BY number",
        [name, name],
    )


def names(db):
    """The hooks that were called, in order."""
    return db.column("SELECT name FROM app.seen ORDER BY number")


def calls(db):
    """How many calls there were, committed or not."""
    return db.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM app.calls")


def of_run(db, event):
    """What the newest entry of an event says of hooks: (phase, function, outcome)."""
    hooks = db.value(
        "SELECT details -> 'hooks' FROM confiture.audit_log WHERE event = %s"
        " ORDER BY seq DESC LIMIT 1",
        [event],
    )
    return [(hook["phase"], hook["function"], hook["outcome"]) for hook in hooks or []]
