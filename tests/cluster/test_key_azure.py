"""Keys wrapped by Azure Key Vault, or rather by our stand-in for it: see azure_stub.py."""

import pytest

from azure_setup import OFFICER, READER, TENANT, USER


@pytest.fixture(scope="module")
def cloud(private_server, azure):
    """A server whose environment says who it is, as that of a pod does."""
    environment = {
        "AZURE_AUTHORITY_HOST": f"{azure.authority}/",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": USER,
        "AZURE_FEDERATED_TOKEN_FILE": str(azure.token_file),
    }
    return private_server("confiture.key_provider=azure", key_file=False, environment=environment)


@pytest.fixture
def fresh(cloud, azure):
    """A database on it, whose keys the vault wraps; the machine's identity signs in."""
    database = cloud.create_database(key=False)
    secret = azure.secret_file.read_text(encoding="utf-8")
    # The server's user is another than the one that runs the tests.
    write(database, database_secret(database), secret)
    set_up(database, azure.setting("managed_identity"))
    azure.tell()
    yield database
    azure.tell(throttled=0, broken=0, lifetime=3600)
    database.execute("ALTER SYSTEM RESET confiture.key_azure")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


def database_secret(db):
    return db.server.folder / "keys" / "azure-secret"


def write(db, path, text):
    """Writes a file as the server, for itself alone."""
    db.execute(f"COPY (SELECT '{text}') TO PROGRAM 'umask 077; cat > {path}'")


def set_up(db, setting):
    """Sets the provider up and waits until new sessions see it; returns one of them."""
    return db.configure(key_azure=setting)


def with_key(db):
    """Makes the masking key and a pseudonym."""
    session = db.session()
    session.execute("SELECT confiture.create_key('masking')")
    return session.value("SELECT anon_email('x')")


def settings(db, azure):
    """The setting for each way to sign in."""
    secret = database_secret(db)
    environment = {"authority": None, "tenant": None, "client_id": None}
    return {
        "client_secret": azure.setting("client_secret", client_secret_file=secret),
        "managed_identity": azure.setting("managed_identity"),
        "managed_identity of several": azure.setting("managed_identity", client_id=USER),
        "workload_identity": azure.setting("workload_identity"),
        "workload_identity by environment": azure.setting(
            "workload_identity", federated_token_file=None, **environment
        ),
    }


def test_each_way_to_sign_in_opens_the_same_key(fresh, azure):
    masked = with_key(fresh)
    azure.tell()
    for name, setting in settings(fresh, azure).items():
        session = set_up(fresh, setting)
        assert session.value("SELECT anon_email('x')") == masked, name
        requests = azure.tell()["requests"]
        assert [status for _, _, status in requests] == [200, 200], requests
    (row,) = fresh.rows("SELECT provider, kek_ref, reachable, problem FROM confiture.key_status")
    assert row == ("azure", f"{azure.vault}/keys/confiture", True, None)


def test_one_sign_in_serves_many_calls_and_a_refused_token_is_replaced(fresh, azure):
    masked = with_key(fresh)
    session = fresh.session()
    session.execute("SET confiture.key_cache_ttl = 0")
    azure.tell()
    for _ in range(3):
        assert session.value("SELECT anon_email('x')") == masked
    signed_in = [path for _, path, _ in azure.tell()["requests"] if "oauth2" in path]
    assert len(signed_in) == 1
    azure.tell(forget_tokens=True)
    assert session.value("SELECT anon_email('x')") == masked
    statuses = [status for _, _, status in azure.tell()["requests"]]
    assert statuses == [401, 200, 200]


def test_after_a_rotation_in_the_vault_old_keys_open_and_can_be_moved(fresh, azure):
    masked = with_key(fresh)
    versions = "SELECT kek_version FROM confiture.key_status"
    before = fresh.value(versions)
    fresh.session().refused("42501", "CALL confiture.rotate_kek('azure')")
    setting = azure.setting(
        "client_secret", client=OFFICER, client_secret_file=database_secret(fresh)
    )
    set_up(fresh, setting).execute("CALL confiture.rotate_kek('azure')")
    session = set_up(fresh, azure.setting("managed_identity"))
    assert session.value("SELECT anon_email('x')") == masked
    assert fresh.value(versions) == before
    session.execute("CALL confiture.rewrap_keys('azure')")
    assert fresh.value(versions) != before
    assert fresh.session().value("SELECT anon_email('x')") == masked


def test_whoever_is_not_accepted_gets_28000(fresh, azure):
    with_key(fresh)
    wrong = fresh.server.folder / "keys" / "azure-wrong"
    write(fresh, wrong, "S3CRET")
    good = azure.setting("client_secret", client_secret_file=database_secret(fresh))
    for setting in (
        good.replace("azure-secret", "azure-wrong"),
        good.replace(USER, "nobody"),
        good.replace(TENANT, "example.org"),
        azure.setting("managed_identity", client_id="nobody"),
    ):
        report = set_up(fresh, setting).refused("28000", "SELECT anon_email('x')")
        assert "not accepted" in report.message_primary
    azure.tell(federated={"subject": "somebody else"})
    session = set_up(fresh, azure.setting("workload_identity"))
    session.refused("28000", "SELECT anon_email('x')")
    azure.tell(federated={})
    assert session.value("SELECT anon_email('x')")


def test_whoever_has_no_right_gets_42501(fresh, azure):
    with_key(fresh)
    setting = azure.setting(
        "client_secret", client=READER, client_secret_file=database_secret(fresh)
    )
    report = set_up(fresh, setting).refused("42501", "SELECT anon_email('x')")
    assert "Key Vault Crypto Service Encryption User" in report.message_hint


def test_a_key_out_of_use_is_said_and_comes_back(fresh, azure):
    masked = with_key(fresh)
    try:
        azure.tell(enable=["confiture", False])
        report = fresh.session().refused("55000", "SELECT anon_email('x')")
        assert "disabled" in report.message_detail
        (status,) = fresh.rows("SELECT reachable, problem IS NOT NULL FROM confiture.key_status")
        assert status == (False, True)
        azure.tell(delete="confiture")
        fresh.session().refused("42704", "SELECT anon_email('x')")
        azure.tell(recover="confiture")
    finally:
        azure.tell(enable=["confiture", True])
    assert fresh.session().value("SELECT anon_email('x')") == masked


def test_a_busy_vault_is_asked_again_and_then_53000(fresh, azure):
    masked = with_key(fresh)
    azure.tell(throttled=2)
    assert fresh.session().value("SELECT anon_email('x')") == masked
    azure.tell(throttled=100)
    fresh.session().refused("53000", "SELECT anon_email('x')")
    azure.tell(throttled=0, broken=100)
    fresh.session().refused("58000", "SELECT anon_email('x')")


def test_a_vault_that_cannot_prove_its_name_hears_nothing(fresh, azure):
    with_key(fresh)
    azure.tell()
    setting = azure.setting("managed_identity", ca_file=azure.wrong_ca_file)
    report = set_up(fresh, setting).refused("08001", "SELECT anon_email('x')")
    assert "not trusted" in report.message_detail
    # The stored key is of another vault than this one, which is not even asked.
    setting = azure.setting("managed_identity", vault=f"https://x.test:{azure.port}")
    session = set_up(fresh, setting)
    session.refused("55000", "SELECT anon_email('x')")
    report = session.refused("08001", "SELECT confiture.rotate_key('masking')")
    assert "another host name" in report.message_detail
    assert not [path for _, path, _ in azure.tell()["requests"] if "/keys/" in path]


@pytest.mark.parametrize(
    "edit, sqlstate",
    [
        ("SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20))", "XX001"),
        ("SET wrapped = substr(wrapped, 2)", "XX001"),
        # RSA binds nothing to a row, so that this is the work of the MAC.
        ("SET wrapped = o.wrapped, kek_ref = o.kek_ref, kek_version = o.kek_version"
         " FROM confiture.key_version o WHERE o.version = 1 AND v.version = 2", "XX001"),
        ("SET binding_mac = set_byte(binding_mac, 0, 255 - get_byte(binding_mac, 0))", "XX001"),
        ("SET kek_version = '../../secrets/x'", "XX001"),
        ("SET kek_ref = replace(kek_ref, '/keys/', '/keys/../secrets/')", "XX001"),
        ("SET kek_ref = 'https://evil.example/keys/confiture'", "55000"),
        ("SET kek_version = repeat('0', 32)", "42704"),
        ("SET alg = 'RSA1_5'", "0A000"),
    ],
)
def test_a_stored_row_that_was_tampered_with_is_refused(fresh, edit, sqlstate):
    with_key(fresh)
    fresh.session().execute("SELECT confiture.rotate_key('masking')")
    where = "" if " FROM " in edit else " WHERE v.version = 2"
    fresh.execute(f"UPDATE confiture.key_version v {edit}{where}")
    fresh.session().refused(sqlstate, "SELECT anon_email('x')")


def test_no_secret_reaches_the_log_or_an_error(fresh, azure):
    secret = azure.secret_file.read_text(encoding="utf-8")
    token = azure.token_file.read_text(encoding="utf-8")
    # The fixture itself wrote the secret, by a statement.
    before = len(fresh.server.log())
    fresh.execute("ALTER SYSTEM SET log_min_messages = debug5")
    fresh.execute("SELECT pg_reload_conf()")
    try:
        masked = with_key(fresh)
        for setting in settings(fresh, azure).values():
            assert set_up(fresh, setting).value("SELECT anon_email('x')") == masked
        azure.tell(broken=3)
        fresh.session().refused("58000", "SELECT anon_email('x')")
    finally:
        fresh.execute("ALTER SYSTEM RESET log_min_messages")
        fresh.execute("SELECT pg_reload_conf()")
    log = fresh.server.log()[before:]
    for word in (secret, token, "Bearer"):
        assert word not in log
