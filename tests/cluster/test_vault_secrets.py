"""Values, subjects and tokens: in no log of a server that writes down every plan and parameter."""

import pytest

from test_run_tokens import profile
from test_secrets import LOUD, be_verbose
from test_vault_races import LATE

# Plans are written down as trees too, where texts stand as numbers of bytes.
TREES = ["debug_print_parse=on", "debug_print_rewritten=on", "debug_print_plan=on"]
ROWS = [(i, f"person-{i}@work.example", f"subject-{i % 7}") for i in range(1, 301)]


def forms(text):
    """What a text might stand in a log as."""
    raw = text.encode()
    return [text, raw.hex(), " ".join(str(byte) for byte in raw)]


@pytest.fixture(scope="module")
def loud(private_server):
    """A server that writes down all it can."""
    server = private_server(*LOUD, *TREES)
    be_verbose(server)
    return server


def fill(db):
    db.execute(
        "CREATE SCHEMA prod; CREATE SCHEMA staging;"
        "CREATE TABLE prod.people (id int PRIMARY KEY, email text UNIQUE, whose text)"
    )
    with db.connection.cursor().copy("COPY prod.people FROM STDIN") as copy:
        for row in ROWS:
            copy.write_row(row)


@pytest.mark.parametrize("subject", ["", ", subject: whose"])
def test_no_value_no_subject_and_no_token_is_in_a_plan_that_is_logged(loud, subject):
    db = loud.create_database()
    db.execute("SELECT confiture.create_domain('mail', ttl => '1 hour', bound => true)")
    fill(db)
    db.load(profile(subject=subject))
    db.sync()
    whose = "array_agg(whose ORDER BY id)" if subject else "NULL"
    batch = f"SELECT confiture.tokenize_batch('mail', array_agg(email ORDER BY id), {whose})"
    tokens = db.column("SELECT email FROM staging.people ORDER BY id")
    assert db.value(f"{batch} FROM prod.people") == tokens and len(set(tokens)) == len(ROWS)
    # Renewed, by the batch and by a run.
    for again in (lambda: db.execute(f"{batch} FROM prod.people"), db.sync):
        db.execute(LATE)
        again()
    owner = "whose" if subject else "NULL"
    db.execute(
        "CREATE TABLE public.by_hand AS"
        f" SELECT anon_tokenize(email, 'mail', {owner}) AS token FROM prod.people"
    )
    db.execute("SELECT confiture.rotate_key('masking')")
    db.execute("CALL confiture.rewrap_tokens('mail')")
    db.execute("SELECT confiture.forget_subject('mail', whose) FROM prod.people WHERE id = 3")
    db.execute(LATE)
    db.execute("SELECT confiture.cleanup_expired_tokens('mail')")
    told = ["Query Text: INSERT INTO confiture.token", "pg_temp.confiture_tok", "{PLANNEDSTMT"]
    assert loud.in_log(told) == told
    secrets = [*tokens, *(text for _, *texts in ROWS for text in texts)]
    assert loud.in_log(form for secret in secrets for form in forms(secret)) == []
    db.drop()
