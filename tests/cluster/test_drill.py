"""The drill of examples/keys, from every provider to another, and a restore of what it leaves."""

import pytest

from azure_setup import OFFICER
from server import ROOT
from softhsm import PIN

DRILL = ROOT / "examples" / "keys"
KEK = "0123456789abcdeffedcba9876543210" * 2

# From, to: each provider once on either side.
WAYS = [
    ("file", "env"),
    ("env", "aws"),
    ("aws", "vault"),
    ("vault", "azure"),
    ("azure", "pkcs11"),
    ("pkcs11", "file"),
]


@pytest.fixture(scope="module")
def everywhere(private_server, request):
    """Settings and environment for every provider there is here; those that are not are left out."""
    settings, environment, secrets = {}, {"CONFITURE_KEK": KEK}, [KEK]

    def wanted(name):
        try:
            return request.getfixturevalue(name)
        except pytest.skip.Exception:
            return None

    if moto := wanted("moto"):
        with moto.unchecked():
            user = moto.make_user("drill", "kms:Encrypt", "kms:Decrypt", "kms:RotateKeyOnDemand")
        settings["aws"] = moto.setting()
        environment |= {"AWS_ACCESS_KEY_ID": user[0], "AWS_SECRET_ACCESS_KEY": user[1]}
        secrets.append(user[1])
    if bao := wanted("bao"):
        bao.mount("drill")
        bao.make_key(mount="drill")
        token = bao.token(bao.allow("drill", mount="drill"))
        secrets.append(token)
        settings["vault"] = f"address={bao.address} mount=drill key=confiture"
    if azure := wanted("azure"):
        settings["azure"] = azure.setting("managed_identity", client_id=OFFICER)
    if hsm := wanted("hsm"):
        # What rotate_kek does for a token without a key-encryption key.
        hsm.plant("kek", "01", "--sensitive")
        settings["pkcs11"] = hsm.setting()
        environment |= hsm.environment
        secrets.append(PIN)

    def start():
        server = private_server(environment=environment)
        with server.connect("postgres") as connection:
            connection.execute("LOAD 'confiture'")
            for name, text in settings.items():
                if name == "vault":
                    path = server.folder / "keys" / "vault-token"
                    connection.execute(
                        f"COPY (SELECT '{token}') TO PROGRAM 'umask 077; cat > {path}'"
                    )
                    text += f" token_file={path}"
                quoted = text.replace("'", "''")
                connection.execute(f"ALTER SYSTEM SET confiture.key_{name} = '{quoted}'")
        database = server.create_database(key=False)
        if not server.key_file_is_there():
            database.execute("SELECT confiture.init_key_file()")
        # Reloads, and waits until that is seen.
        database.configure(key_provider="file")
        database.drop()
        return server

    return {"file", "env", *settings}, start, secrets


@pytest.fixture(scope="module")
def here(everywhere):
    """The server of the drill, which writes down all that it does from the drill on."""
    server = everywhere[1]()
    # Only now: what set it up had tokens in its statements.
    with server.connect("postgres") as connection:
        connection.execute("ALTER SYSTEM SET log_min_messages = debug5")
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
    return server


@pytest.mark.parametrize(("origin", "to"), WAYS, ids=[" to ".join(way) for way in WAYS])
def test_the_drill_passes_from_each_provider_to_another(everywhere, here, origin, to):
    there, start, secrets = everywhere
    if missing := {origin, to} - there:
        pytest.skip(f"not here: {', '.join(missing)}")
    db = here.create_database(extension=False)
    db.configure(key_provider=origin)
    done = db.psql(
        *("-v", f"to={to}", "-v", f"profile={(DRILL / 'profile.yaml').read_text()}"),
        *("-f", str(DRILL / "drill.sql")),
    )
    said = done.stdout
    assert said.count("no pseudonym changed") == 2
    assert "every pseudonym is another one" in said
    assert "55006" in said and "55000" in said
    assert "OK" in said and "fail" not in said and "unverifiable" not in said
    assert db.rows("SELECT version, state, provider FROM confiture.key_version ORDER BY 1") == [
        (1, "destroyed", to),
        (2, "active", to),
    ]
    masked = db.value("SELECT anon_email('person1@mail.example')")

    # The restore drill: dump and provider on a new server.
    dump = here.run("pg_dump", database=db.name).stdout
    digits = db.value("SELECT trim(pg_read_file(%s), E'\\n')", [str(here.key_file)])
    log = here.log()
    assert "CALL confiture.rewrap_keys" in log and "DEBUG" in log
    for secret in [*secrets, digits]:
        assert secret not in dump and secret not in log and secret not in said
    other = start()
    restored = other.create_database(extension=False)
    # The key file travels by a way of its own.
    restored.execute(f"COPY (SELECT '{digits}') TO PROGRAM 'cat > {other.key_file}'")
    other.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", database=restored.name, stdin=dump)
    assert restored.value("SELECT anon_email('person1@mail.example')") == masked
    assert restored.findings()["OK"][0] == "ok"
    restored.drop()
    db.drop()
    other.stop()
