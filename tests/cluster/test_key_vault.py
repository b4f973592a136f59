"""The vault provider against OpenBao: every way to sign in, and what is said if it will not do."""

import base64
import re
import time

import pytest

from bao_server import POLICY, ROTATION, Bao, Cluster
from server import ROOT

PEOPLE = "SELECT anon_email('x')"
WRAPPED = "SELECT kek_ref, kek_version FROM confiture.key_version ORDER BY version"


@pytest.fixture(scope="module")
def home(private_server):
    """A server without a key file."""
    return private_server(key_file=False)


@pytest.fixture
def fresh(home):
    """A database on it without a key; the server's settings are taken back afterwards."""
    database = home.create_database(key=False)
    yield database
    for name in ("key_provider", "key_vault"):
        database.execute(f"ALTER SYSTEM RESET confiture.{name}")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


class Site:
    """A database, an OpenBao, and what connects them."""

    def __init__(self, db, bao):
        self.db = db
        self.bao = bao
        self.folder = db.server.folder / "keys"

    def put(self, name, text, mode="077"):
        """Has the server itself write a file, so that it belongs to the server's user."""
        path = self.folder / name
        text = base64.b64encode(text.encode()).decode()
        program = f"umask {mode}; base64 -d > {path}"
        self.db.execute(f"COPY (SELECT '{text}') TO PROGRAM '{program}'")
        return path

    def use(self, **options):
        """Sets the provider up and returns a session that sees it."""
        options = {"address": self.bao.address, "key": "confiture", **options}
        return self.set(" ".join(f"{name}={value}" for name, value in options.items()))

    def set(self, text):
        """Sets this text as it is."""
        session = self.db.configure(key_provider="vault", key_vault=text)
        # Every statement asks the provider.
        session.execute("SET confiture.key_cache_ttl = 0")
        return session

    def use_token(self, token, **options):
        """Sets up a token."""
        return self.use(token_file=self.put("token", token), **options)

    def ready(self, **options):
        """A token with every right, and a key that it has wrapped."""
        session = self.use_token(self.bao.token("all"), **options)
        session.execute("SELECT confiture.create_key('masking')")
        return session


@pytest.fixture
def site(fresh, bao):
    """A database beside an OpenBao that has one transit key, and policies for it."""
    prepare(bao)
    return Site(fresh, bao)


def prepare(bao):
    """A new transit key, and policies for it."""
    if "transit/" not in bao.call("GET", "sys/mounts")["data"]:
        bao.mount()
        bao.allow("all")
        bao.allow("wrapping", POLICY)
    if "confiture" in bao.keys():
        bao.drop_key("confiture")
    bao.make_key()


def said(report):
    """Everything a report says."""
    parts = (report.message_primary, report.message_detail, report.message_hint)
    return " | ".join(part or "" for part in parts)


def test_a_key_wrapped_by_transit_masks_in_every_session(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    assert session.rows(
        "SELECT provider, kek_ref, kek_version, reachable, problem FROM confiture.key_status"
    ) == [("vault", "transit/confiture", "1", True, None)]
    other = site.db.session()
    assert other.value("SELECT confiture.load_keys()") == 1
    assert other.value(PEOPLE) == masked
    text = bytes(session.value("SELECT wrapped FROM confiture.key_version"))
    assert text.startswith(b"vault:v1:")


def test_the_transit_key_is_rotated_and_its_former_version_retired(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    session.execute("CALL confiture.rotate_kek('vault')")
    assert "transit/confiture" in session.notices[-1]["message_primary"]
    assert site.bao.latest() == 2
    assert session.rows(WRAPPED) == [("transit/confiture", "1")]
    site.bao.require_version(2)
    report = session.refused("55000", PEOPLE)
    assert "min_decryption_version" in said(report) and "rewrap_keys" in said(report)
    site.bao.require_version(1)
    session.execute("CALL confiture.rewrap_keys('vault')")
    assert session.rows(WRAPPED) == [("transit/confiture", "2")]
    site.bao.require_version(2)
    assert session.value(PEOPLE) == site.db.session().value(PEOPLE) == masked


def test_rewrap_of_transit_itself_would_lose_the_binding(site):
    site.ready()
    text = bytes(site.db.value("SELECT wrapped FROM confiture.key_version")).decode()
    status, answer = site.bao.ask(
        "POST", "transit/rewrap/confiture", {"ciphertext": text, "associated_data": "eA=="}
    )
    assert (status, answer["errors"]) == (400, ["cipher: message authentication failed"])


def test_keys_move_from_the_file_to_vault(bao, private_server):
    server = private_server()
    database = server.create_database()
    try:
        masked = database.value(PEOPLE)
        prepare(bao)
        session = Site(database, bao).use_token(bao.token("all"))
        session.execute("CALL confiture.rewrap_keys('vault')")
        assert session.column("SELECT provider FROM confiture.key_version") == ["vault"]
        database.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm {server.key_file}'")
        assert database.session().value(PEOPLE) == masked
    finally:
        database.drop()


@pytest.mark.parametrize(
    "edit",
    [
        "wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1)",
        "wrapped = (SELECT wrapped FROM confiture.key_version WHERE version = 1)",
        r"wrapped = '\x00'",
        "wrapped = overlay(wrapped placing 'vault:v0:'::bytea from 1), kek_version = '0'",
        "kek_version = '2'",
        "kek_ref = 'transit/../sys/seal'",
        "kek_ref = 'https://elsewhere/confiture'",
        "kek_ref = 'sys/confiture'",
        "kek_ref = 'confiture'",
        "kek_ref = 'transit/spare'",
    ],
)
def test_a_stored_key_that_was_tampered_with_is_refused(site, edit):
    if "spare" not in site.bao.keys():
        site.bao.make_key("spare")
    site.bao.allow("both", POLICY, key="+")
    session = site.use_token(site.bao.token("both"))
    session.execute("SELECT confiture.create_key('masking')")
    session.execute("SELECT confiture.rotate_key('masking')")
    session.execute(PEOPLE)
    session.execute(f"UPDATE confiture.key_version SET {edit} WHERE version = 2")
    session.refused("XX001", PEOPLE)


@pytest.mark.parametrize("policy", ["update", "create", "root"])
def test_a_name_spelled_wrongly_makes_no_key(site, policy):
    capabilities = '"create", "update"' if policy == "create" else '"update"'
    text = POLICY.replace('"update"', capabilities).format(mount="transit", key="*")
    site.bao.call("PUT", "sys/policies/acl/any", {"policy": text})
    token = site.bao.root if policy == "root" else site.bao.token("any")
    before = site.bao.keys()
    session = site.use_token(token, key="confitrue")
    report = session.refused("42704", "SELECT confiture.create_key('masking')")
    assert '"transit/confitrue"' in report.message_primary
    assert site.bao.keys() == before
    # Transit itself would have made one, where the policy lets it.
    status, _ = site.bao.ask("POST", "transit/encrypt/confitrue", {"plaintext": "eA=="}, token)
    assert status == (403 if policy == "update" else 200)
    if policy != "update":
        site.bao.drop_key("confitrue")


def test_an_engine_that_stores_what_it_is_given_never_sees_a_key(site):
    site.bao.mount("store", "kv", options={"version": "1"})
    session = site.use_token(site.bao.root, mount="store")
    report = session.refused("55000", "SELECT confiture.create_key('masking')")
    assert "no transit engine" in report.message_primary
    assert site.bao.ask("GET", "store/encrypt/confiture")[0] == 404


@pytest.mark.parametrize("kind", ["rsa-2048", "ed25519", "derived"])
def test_a_transit_key_that_cannot_bind_is_refused(site, kind):
    if kind not in site.bao.keys():
        options = {"derived": True} if kind == "derived" else {"type": kind}
        site.bao.make_key(kind, **options)
    session = site.use_token(site.bao.root, key=kind)
    report = session.refused("55000", "SELECT confiture.create_key('masking')")
    assert "aes256-gcm96" in report.message_hint


def test_what_the_policy_does_not_grant_is_named(site):
    site.ready()
    session = site.use_token(site.bao.token("wrapping"))
    session.execute(PEOPLE)
    session.execute("SELECT confiture.rotate_key('masking')")
    report = session.refused("42501", "CALL confiture.rotate_kek('vault')")
    assert '"update" on "transit/keys/confiture/rotate"' in report.message_hint
    assert site.bao.latest() == 1
    only = site.bao.allow("opening", POLICY.split("\n", 2)[2])
    session = site.use_token(site.bao.token(only))
    session.execute(PEOPLE)
    report = session.refused("42501", "SELECT confiture.rotate_key('masking')")
    assert '"update" on "transit/encrypt/confiture"' in report.message_hint


def test_a_revoked_token_is_said_and_a_new_one_in_the_file_heals(site):
    session = site.ready()
    masked = session.value(PEOPLE)
    token = site.bao.token("wrapping")
    session = site.use_token(token)
    assert session.value(PEOPLE) == masked
    site.bao.revoke(token)
    report = session.refused("28000", PEOPLE)
    assert str(site.folder / "token") in report.message_detail
    assert token not in said(report)
    row = session.rows("SELECT reachable, problem FROM confiture.key_status")[0]
    assert row[0] is False and "did not accept" in row[1]
    site.put("token", site.bao.token("wrapping"))
    assert session.value(PEOPLE) == masked


def test_a_token_is_renewed_for_as_long_as_it_is_used(site):
    site.ready()
    token = site.bao.token("wrapping", ttl="3s")
    session = site.use_token(token)
    until = time.monotonic() + 7
    while time.monotonic() < until:
        session.execute(PEOPLE)
        time.sleep(0.5)
    assert site.bao.life(token)["ttl"] <= 3
    time.sleep(3.5)
    session.refused("28000", PEOPLE)


@pytest.mark.parametrize("kind", ["service", "batch"])
def test_an_approle_signs_in_and_again_when_its_token_ends(site, kind):
    masked = site.ready().value(PEOPLE)
    limits = {"token_type": kind, "token_ttl": "2s", "token_max_ttl": "4s"}
    role_id, secret_id = site.bao.approle("wrapping", role=f"postgres-{kind}", **limits)
    file = site.put("secret_id", secret_id)
    session = site.use(auth="approle", role_id=role_id, secret_id_file=file)
    until = time.monotonic() + 6
    while time.monotonic() < until:
        assert session.value(PEOPLE) == masked
        time.sleep(0.3)


def test_an_approle_signs_in_once_and_survives_the_end_of_its_token(site):
    site.ready()
    role_id, secret_id = site.bao.approle("wrapping", token_ttl="1h")
    file = site.put("secret_id", secret_id)
    session = site.use(auth="approle", role_id=role_id, secret_id_file=file)
    session.execute(PEOPLE)
    before = len(site.bao.accessors())
    for _ in range(5):
        session.execute(PEOPLE)
    assert len(site.bao.accessors()) == before, "no login for each call"
    site.bao.revoke_all("approle")
    session.execute(PEOPLE)
    site.put("secret_id", "not-the-secret")
    site.bao.revoke_all("approle")
    report = session.refused("28000", PEOPLE)
    assert "auth/approle" in report.message_detail
    assert "not-the-secret" not in said(report)


def test_a_pod_signs_in_with_its_service_account(site):
    masked = site.ready().value(PEOPLE)
    cluster = Cluster(site.bao)
    try:
        site.bao.kubernetes("wrapping", cluster, token_ttl="2s", token_max_ttl="2s")
        token = cluster.token()
        # As Kubernetes projects it: readable by everybody in the pod.
        file = site.put("jwt", token, mode="022")
        session = site.use(auth="kubernetes", role="postgres", jwt_file=file)
        assert session.value(PEOPLE) == masked
        assert cluster.reviews == 1
        cluster.withdraw(token)
        time.sleep(2.2)
        report = session.refused("28000", PEOPLE)
        assert "auth/kubernetes" in report.message_detail
        # Kubernetes replaces the token in time.
        site.put("jwt", cluster.token(), mode="022")
        assert session.value(PEOPLE) == masked
        site.put("jwt", cluster.token(account="stranger"), mode="022")
        site.use(auth="kubernetes", role="postgres", jwt_file=file).refused("28000", PEOPLE)
    finally:
        cluster.stop()
        site.bao.call("DELETE", "sys/auth/kubernetes")


def test_namespaces_are_kept_apart(site):
    for namespace in ("team", "rest"):
        if f"{namespace}/" not in str(site.bao.ask("LIST", "sys/namespaces")):
            site.bao.make_namespace(namespace)
            site.bao.mount(namespace=namespace)
            site.bao.make_key(namespace=namespace)
            site.bao.allow("all", namespace=namespace)
    session = site.use_token(site.bao.token("all", namespace="team"), namespace="team")
    session.execute("SELECT confiture.create_key('masking')")
    assert session.rows(WRAPPED) == [("team/transit/confiture", "1")]
    masked = session.value(PEOPLE)
    role_id, secret_id = site.bao.approle("all", namespace="team")
    file = site.put("secret_id", secret_id)
    way = {"auth": "approle", "role_id": role_id, "secret_id_file": file}
    assert site.use(namespace="team", **way).value(PEOPLE) == masked
    site.use(namespace="rest", **way).refused("28000", PEOPLE)
    site.use(namespace="absent", **way).refused("42704", PEOPLE)
    # The key of another namespace is another key, whoever asks.
    root = site.use_token(site.bao.root)
    assert root.value(PEOPLE) == masked
    root.execute("UPDATE confiture.key_version SET kek_ref = 'rest/transit/confiture'")
    root.refused("XX001", PEOPLE)


def test_a_sealed_vault_is_said_and_opened_keys_go_on(site):
    session = site.ready()
    holder = site.db.session()
    masked = holder.value(PEOPLE)
    site.bao.seal()
    try:
        report = session.refused("55000", PEOPLE)
        assert report.message_primary == 'key provider "vault" is sealed'
        assert holder.value(PEOPLE) == masked
    finally:
        site.bao.unseal()
    assert session.value(PEOPLE) == masked


def test_a_vault_that_is_too_busy_is_said(site):
    session = site.ready()
    site.bao.throttle()
    try:
        report = session.refused("53000", "SELECT confiture.rotate_key('masking')")
        assert "less often" in report.message_primary
    finally:
        site.bao.throttle(rate=None)
    session.execute(PEOPLE)


def test_tls_is_checked_against_the_authority_that_is_set(site):
    first, second = Bao(tls=True), Bao(tls=True)
    try:
        first.mount()
        first.make_key()
        token = first.token(first.allow("all"))
        site.bao = first
        ca = site.put("ca.pem", first.ca())
        session = site.use_token(token, ca_file=ca)
        session.execute("SELECT confiture.create_key('masking')")
        name = {"address": f"https://localhost:{first.port}", "hostaddr": "127.0.0.1"}
        masked = site.use_token(token, ca_file=ca, **name).value(PEOPLE)
        assert session.value(PEOPLE) == masked
        name["address"] = f"https://vault.test:{first.port}"
        report = site.use_token(token, ca_file=ca, **name).refused("08001", PEOPLE)
        assert "another host name" in report.message_detail
        other = site.put("other.pem", second.ca())
        for options in ({"ca_file": other}, {}):
            report = site.use_token(token, **options).refused("08001", PEOPLE)
            assert "certificate" in report.message_detail
        plain = site.use_token(token, address=f"http://127.0.0.1:{first.port}")
        assert "https://" in plain.refused("55000", PEOPLE).message_hint
        first.stop()
        session.refused("08001", PEOPLE)
        row = session.rows("SELECT reachable, problem FROM confiture.key_status")[0]
        assert row[0] is False and "could not reach" in row[1]
    finally:
        first.stop()
        second.stop()


def test_settings_that_cannot_work_are_refused_without_showing_them(site):
    token = site.put("token", site.bao.root)
    base = f"address={site.bao.address} key=confiture"
    for state, text in [
        ("55000", base),
        ("55000", f"key=confiture token_file={token}"),
        ("22023", f"{base} token=s3cret"),
        ("22023", f"{base} token_file={token} role_id=s3cret"),
        ("22023", f"{base} token_file={token} auth=s3cret"),
        ("22023", f"address=http://vault.test:8200 key=confiture token_file={token}"),
        ("22023", f"address=https://s3cret@vault.test key=confiture token_file={token}"),
    ]:
        report = site.set(text).refused(state, "SELECT confiture.create_key('masking')")
        assert "s3cret" not in said(report), text
    site.db.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; chmod 644 {token}'")
    session = site.use(token_file=token)
    report = session.refused("55000", "SELECT confiture.create_key('masking')")
    assert "permissions" in report.message_detail
    site.db.execute(f"COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm {token}'")
    session.refused("55000", "SELECT confiture.create_key('masking')")


def test_no_credential_and_no_data_key_is_written_down(site):
    role_id, secret_id = site.bao.approle("wrapping", role="quiet")
    token = site.bao.token("all")
    file = site.put("secret_id", secret_id)
    session = site.use_token(token)
    session.execute("SET log_min_messages = debug5")
    session.execute("SELECT confiture.create_key('masking')")
    site.bao.revoke(token)
    session.refused("28000", "SELECT confiture.rotate_key('masking')")
    session = site.use(auth="approle", role_id=role_id, secret_id_file=file)
    session.execute("SET log_min_messages = debug5")
    session.execute(PEOPLE)
    text = bytes(site.db.value("SELECT wrapped FROM confiture.key_version")).decode()
    body = {"ciphertext": text, "associated_data": bound(site.db)}
    data_key = site.bao.call("POST", "transit/decrypt/confiture", body)["data"]["plaintext"]
    opened = base64.b64decode(data_key)
    assert len(opened) == 32
    log = site.db.server.log()
    for secret in (token, secret_id, data_key, opened.hex()):
        assert secret not in log


def test_the_policy_of_the_documentation_is_the_one_tested():
    page = (ROOT / "docs" / "keys" / "vault.md").read_text(encoding="utf-8")
    policies = re.findall(r"```hcl\n(.*?)```", page, re.DOTALL)
    expected = [text.format(mount="transit", key="confiture") for text in (POLICY, ROTATION)]
    assert [text.strip() for text in policies] == [text.strip() for text in expected]


def bound(db):
    """What the key is bound to, as keys/envelope.rs writes it."""
    installation = db.value("SELECT id FROM confiture.installation").bytes
    fields = [b"confiture/key/v1", installation, b"masking", (1).to_bytes(4, "big"), b"masking"]
    data = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return base64.b64encode(data).decode()
