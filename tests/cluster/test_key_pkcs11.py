"""The pkcs11 provider against SoftHSM: keys that never leave a token, and what happens to them."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import softhsm
from softhsm import PIN, Softhsm

PEOPLE = "SELECT anon_email('x')"
WRAPPED = "SELECT kek_ref, kek_version FROM confiture.key_version ORDER BY version"


@pytest.fixture(scope="module")
def token():
    """A token of its own for this file."""
    why = softhsm.missing()
    if why:
        pytest.skip(why)
    token = Softhsm()
    yield token
    token.remove()


@pytest.fixture(scope="module")
def home(token, private_server):
    """A server that can reach the token."""
    server = private_server(environment=token.environment)
    with server.connect("postgres") as connection:
        try:
            connection.execute("LOAD 'confiture'")
            connection.execute("CREATE EXTENSION confiture")
            connection.execute("CALL confiture.rotate_kek('pkcs11')")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this build has no provider pkcs11 (feature pkcs11)")
        except psycopg.errors.ObjectNotInPrerequisiteState:
            pass
        connection.execute("DROP EXTENSION confiture")
    return server


class Site:
    """A database, and the token beside it."""

    def __init__(self, db, token):
        self.db = db
        self.token = token

    def use(self, text=None, provider="pkcs11", **options):
        """Sets the provider up and returns a session that sees it."""
        text = self.token.setting(**options) if text is None else text
        self.db.configure(key_provider=provider, key_pkcs11=text)
        return self.session()

    def session(self):
        """A session in which every statement asks the provider."""
        session = self.db.session()
        session.execute("LOAD 'confiture'")
        session.execute("SET confiture.key_cache_ttl = 0")
        return session

    def ready(self, **options):
        """A session with a key-encryption key of this test alone, and a key that it wrapped."""
        session = self.use(**{"key": self.db.name, **options})
        session.execute("CALL confiture.rotate_kek('pkcs11')")
        session.execute("SELECT confiture.create_key('masking')")
        return session


@pytest.fixture
def site(home, token):
    """A database on that server without a key; the settings are taken back afterwards."""
    database = home.create_database(key=False)
    yield Site(database, token)
    for name in ("key_provider", "key_pkcs11"):
        database.execute(f"ALTER SYSTEM RESET confiture.{name}")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


def said(report):
    """Everything a report says."""
    parts = (report.message_primary, report.message_detail, report.message_hint)
    return " | ".join(part or "" for part in parts)


def test_a_key_wrapped_by_a_token_masks_in_every_session(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    name = site.db.name
    assert session.rows(
        "SELECT provider, kek_ref, kek_version, reachable, problem FROM confiture.key_status"
    ) == [("pkcs11", f"confiture/{name}", "01", True, None)]
    other = site.session()
    assert other.value("SELECT confiture.load_keys()") == 0, "nothing is kept in this session"
    other.execute("RESET confiture.key_cache_ttl")
    assert other.value("SELECT confiture.load_keys()") == 1
    assert other.value(PEOPLE) == masked
    (key,) = site.token.keys(name).values()
    assert "AES length 32" in key
    assert "sensitive, always sensitive, never extractable, local" in key
    assert "wrap" not in key and "derive" not in key


def test_a_missing_key_is_made_by_rotate_kek_only(site):
    session = site.use(key=site.db.name)
    report = session.refused("42704", "SELECT confiture.create_key('masking')")
    assert "rotate_kek('pkcs11')" in report.message_hint
    assert site.token.keys(site.db.name) == {}


def test_the_key_of_the_token_is_rotated_and_its_former_version_destroyed(site):
    session = site.ready()
    name, masked = site.db.name, session.value(PEOPLE)
    session.execute("CALL confiture.rotate_kek('pkcs11')")
    assert f"confiture/{name}" in session.notices[-1]["message_primary"]
    assert sorted(site.token.keys(name)) == ["01", "02"]
    assert session.rows(WRAPPED) == [(f"confiture/{name}", "01")]
    assert site.session().value(PEOPLE) == masked
    session.execute("CALL confiture.rewrap_keys('pkcs11')")
    assert session.rows(WRAPPED) == [(f"confiture/{name}", "02")]
    site.token.destroy("01", name)
    assert session.value(PEOPLE) == site.session().value(PEOPLE) == masked
    site.token.destroy("02", name)
    report = session.refused("42704", PEOPLE)
    assert "version 02" in report.message_primary
    ((reachable, problem),) = session.rows("SELECT reachable, problem FROM confiture.key_status")
    assert not reachable and problem


def test_keys_move_from_the_file_to_the_token_and_back(site):
    site.db.make_key()
    masked = site.db.value(PEOPLE)
    session = site.use(key=site.db.name)
    session.execute("CALL confiture.rotate_kek('pkcs11')")
    session.execute("CALL confiture.rewrap_keys('pkcs11')")
    assert session.column("SELECT provider FROM confiture.key_version") == ["pkcs11"]
    assert session.value(PEOPLE) == masked
    # To another key of the token: the former one still opens.
    session = site.use(key=f"{site.db.name}-next")
    assert session.value(PEOPLE) == masked
    session.execute("CALL confiture.rotate_kek('pkcs11')")
    session.execute("CALL confiture.rewrap_keys('pkcs11')")
    assert session.rows(WRAPPED) == [(f"confiture/{site.db.name}-next", "01")]
    session.execute("CALL confiture.rewrap_keys('file')")
    assert session.column("SELECT provider FROM confiture.key_version") == ["file"]
    assert site.session().value(PEOPLE) == masked


@pytest.mark.parametrize(
    "sqlstate, edit",
    [
        ("XX001", "wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1)"),
        ("XX001", "wrapped = set_byte(wrapped, 5, get_byte(wrapped, 5) # 1)"),
        ("XX001", "wrapped = (SELECT wrapped FROM confiture.key_version WHERE version = 1)"),
        ("XX001", r"wrapped = '\x01'"),
        ("XX001", "kek_version = '1'"),
        ("XX001", "kek_version = 'x'"),
        ("42704", "kek_version = '77'"),
        ("42704", "kek_ref = 'confiture/absent'"),
        ("55000", "kek_ref = 'elsewhere/kek'"),
    ],
)
def test_a_stored_key_that_was_tampered_with_is_refused(site, sqlstate, edit):
    session = site.ready()
    session.execute("SELECT confiture.rotate_key('masking')")
    session.execute(PEOPLE)
    session.execute(f"UPDATE confiture.key_version SET {edit} WHERE version = 2")
    session.refused(sqlstate, PEOPLE)


def test_a_wrong_pin_is_said_and_the_right_one_heals(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    site.token.setting(pin="s3cret-wrong")
    for _ in range(2):
        report = session.refused("28000", PEOPLE)
        assert "PIN" in report.message_primary
    # The second time it was not even shown to the token.
    assert "tries another one only" in report.message_detail
    site.token.setting()
    assert session.value(PEOPLE) == masked
    site.token.change_pin(PIN, "s3cret-other")
    try:
        site.session().refused("28000", PEOPLE)
        site.token.setting(pin="s3cret-other")
        assert site.session().value(PEOPLE) == masked
    finally:
        site.token.change_pin("s3cret-other", PIN)


def test_a_token_that_is_gone_is_said_and_opened_keys_go_on(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    warm = site.session()
    warm.execute("SET confiture.key_cache_ttl = 300")
    warm.execute(PEOPLE)
    site.token.hide()
    try:
        site.session().refused("55000", PEOPLE)
        assert warm.value(PEOPLE) == masked
    finally:
        site.token.show()
    assert site.session().value(PEOPLE) == masked


def test_a_key_that_could_leave_the_token_wraps_nothing(site):
    name = site.db.name
    site.token.plant(name, "05", "--extractable", "--sensitive", "--usage-decrypt")
    session = site.use(key=name)
    report = session.refused("55000", "SELECT confiture.create_key('masking')")
    assert "version 05" in report.message_primary and "leave the token" in report.message_detail
    session.execute("CALL confiture.rotate_kek('pkcs11')")
    session.execute("SELECT confiture.create_key('masking')")
    assert session.rows(WRAPPED) == [(f"confiture/{name}", "06")]


def test_settings_that_cannot_work_are_refused_without_showing_them(site):
    pin_file = site.token.write("pin", PIN)
    base = f"module={site.token.module} token=confiture key=kek"
    for sqlstate, text in [
        ("55000", ""),
        ("55000", base),
        ("22023", f"{base} pin=hidden"),
        ("22023", f"{base} pin_file={pin_file} hidden"),
        ("55000", f"{base} pin_file=/nowhere/pin"),
        ("55000", f"module=softhsm.so token=confiture key=kek pin_file={pin_file}"),
        ("55000", f"module=/nowhere/x.so token=confiture key=kek pin_file={pin_file}"),
        ("55000", f"module={pin_file} token=confiture key=kek pin_file={pin_file}"),
        ("55000", f"module={site.token.module} token=absent key=kek pin_file={pin_file}"),
    ]:
        report = site.use(text).refused(sqlstate, "SELECT confiture.create_key('masking')")
        assert "hidden" not in said(report), text
    site.db.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; chmod 644 {pin_file}'")
    text = f"{base} pin_file={pin_file}"
    report = site.use(text).refused("55000", "SELECT confiture.create_key('masking')")
    assert "permissions" in report.message_detail
    site.db.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm {pin_file}'")


def test_sessions_use_the_token_at_once(site):
    masked = site.ready().value(PEOPLE)
    sessions = [site.session() for _ in range(12)]

    def work(session):
        return [session.value(PEOPLE) for _ in range(3)]

    with ThreadPoolExecutor(len(sessions)) as pool:
        assert list(pool.map(work, sessions)) == [[masked] * 3] * len(sessions)


def test_a_session_that_used_the_module_has_one_thread_and_ends_well(site):
    session = site.ready()
    session.execute(PEOPLE)
    threads = "SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/task')"
    assert session.value(threads) == 1
    for _ in range(3):
        other = site.session()
        other.execute(PEOPLE)
        other.connection.close()
    assert session.value("SELECT 1") == 1
    log = site.db.server.log()
    assert "was terminated by signal" not in log and "PANIC" not in log


def test_no_pin_and_no_key_is_written_down(site):
    session = site.use(key=site.db.name)
    session.execute("SET log_min_messages = debug5")
    session.execute("CALL confiture.rotate_kek('pkcs11')")
    session.execute("SELECT confiture.create_key('masking')")
    session.execute(PEOPLE)
    site.token.setting(pin="s3cret-wrong")
    session.refused("28000", PEOPLE)
    assert "s3cret" not in site.db.server.log()


def test_only_a_superuser_sees_where_the_token_is(site):
    site.ready()
    role = site.db.role("stranger")
    site.db.execute(f"SELECT confiture.grant_access('masker', '{role}')")
    stranger = site.db.session(role)
    # Masking loads the library, and with it the setting.
    assert stranger.value(PEOPLE)
    stranger.refused("42501", "SHOW confiture.key_pkcs11")
    stranger.refused("42501", "CALL confiture.rotate_kek('pkcs11')")
