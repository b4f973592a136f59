"""Keys wrapped by AWS KMS: moto in its place, which checks every signature and policy."""

import itertools
import shutil
import tempfile
from pathlib import Path

import pytest

from moto_server import ALIAS, REGION

NUMBERS = itertools.count()
ROTATION = ("kms:Encrypt", "kms:Decrypt", "kms:RotateKeyOnDemand")


@pytest.fixture(scope="module")
def aws_server(private_server, platform):
    """A server with every source of credentials in its environment, and the file provider too."""
    folder = Path(tempfile.mkdtemp(prefix="confiture-aws-"))
    folder.chmod(0o711)
    token = folder / "token"
    token.write_text(f"{platform.WEB_TOKEN}\n")
    token.chmod(0o644)
    yield private_server(
        "confiture.key_provider=aws",
        f"confiture.key_aws={platform.moto.setting()}",
        environment=platform.environment(token),
    )
    shutil.rmtree(folder)


@pytest.fixture
def aws(aws_server, platform):
    """A database on it; what a test sets is taken back."""
    platform.asked.clear()
    platform.refusals.clear()
    database = aws_server.create_database(key=False)
    yield database
    platform.down = False
    database.execute("ALTER SYSTEM RESET confiture.key_aws")
    database.execute("SELECT pg_reload_conf()")
    database.drop()


def configure(db, value):
    """Sets confiture.key_aws and returns a session that sees it."""
    return db.configure(key_aws=value)


def credentials_file(db, user, *, mode="600", token=None):
    """Lets the server write a file that only it can read; returns the option that names it."""
    path = db.server.folder / "keys" / f"aws-{next(NUMBERS)}"
    lines = ["[default]", f"aws_access_key_id = {user[0]}", f"aws_secret_access_key = {user[1]}"]
    lines += [f"aws_session_token = {token}"] if token else []
    text = "'), ('".join(lines)
    program = f"umask 077; cat > {path}; chmod {mode} {path}"
    db.execute(f"COPY (VALUES ('{text}')) TO PROGRAM '{program}'")
    return f"credentials_file={path}"


def user(moto, name, *actions):
    """One more user."""
    with moto.unchecked():
        return moto.make_user(name, *actions)


def masked(session):
    """A pseudonym, by the active key."""
    return session.value("SELECT anon_email('x')")


def test_a_key_is_wrapped_by_kms_and_opened_in_every_session(aws, moto):
    aws.execute("SELECT confiture.create_key('masking')")
    assert masked(aws.session()) == masked(aws)
    assert aws.rows(
        "SELECT provider, kek_ref, kek_version, reachable, problem FROM confiture.key_status"
    ) == [("aws", moto.key_arn, None, True, None)]
    assert aws.value("SELECT alg FROM confiture.key_version") == "aws-kms-symmetric"


@pytest.mark.parametrize("source", ["environment", "web_identity", "container", "imds"])
def test_every_source_of_credentials_opens_the_key(aws, platform, source):
    aws.execute("SELECT confiture.create_key('masking')")
    before = masked(aws)
    session = configure(aws, platform.moto.setting(f"credentials={source}"))
    session.execute("SET confiture.key_cache_ttl = 0")
    # Asked for once and kept.
    assert [masked(session), masked(session)] == [before, before]
    assert platform.asked == {
        "environment": [],
        "web_identity": ["POST /"],
        "container": ["GET /container"],
        "imds": [
            "PUT /latest/api/token",
            "GET /latest/meta-data/iam/security-credentials/",
            f"GET /latest/meta-data/iam/security-credentials/{platform.ROLE}",
        ],
    }[source]


def test_a_file_comes_before_the_environment_and_is_read_at_each_use(aws, moto):
    aws.execute("SELECT confiture.create_key('masking')")
    option = credentials_file(aws, moto.user)
    session = configure(aws, moto.setting(option))
    session.execute("SET confiture.key_cache_ttl = 0")
    assert masked(session) == masked(aws)
    path = option.removeprefix("credentials_file=")
    aws.execute(f"COPY (SELECT) TO PROGRAM 'mv {path} {path}.away'")
    assert path in session.refused("55000", "SELECT anon_email('x')").message_primary
    aws.execute(f"COPY (SELECT) TO PROGRAM 'mv {path}.away {path}'")
    assert masked(session) == masked(aws)


def test_temporary_credentials_need_their_token(aws, moto):
    with moto.unchecked():
        given = moto.assume(moto.role_arn)
    pair = given["AccessKeyId"], given["SecretAccessKey"]
    for token, sqlstate in [(None, "28000"), ("other", "28000")]:
        option = credentials_file(aws, pair, token=token)
        configure(aws, moto.setting(option)).refused(
            sqlstate, "SELECT confiture.create_key('masking')"
        )
    session = configure(aws, moto.setting(credentials_file(aws, pair, token=given["Token"])))
    session.execute("SELECT confiture.create_key('masking')")


def test_credentials_that_are_not_accepted_are_told_from_those_that_do_not_suffice(aws, moto):
    aws.execute("SELECT confiture.create_key('masking')")
    reader = user(moto, f"reader-{aws.name}", "kms:Decrypt")
    for who, sqlstate in [
        ((moto.user[0], "S3CRET" + moto.user[1][6:]), "28000"),
        (("AKIAUNKNOWNUNKNOWN00", moto.user[1]), "28000"),
        (reader, "42501"),
    ]:
        session = configure(aws, moto.setting(credentials_file(aws, who)))
        report = session.refused(sqlstate, "SELECT confiture.create_key('other')")
        text = f"{report.message_primary} {report.message_detail} {report.message_hint}"
        assert who[0] not in text and who[1] not in text
    # What the reader may do, works.
    assert masked(session) == masked(aws)


def test_an_open_credentials_file_is_refused(aws, moto):
    option = credentials_file(aws, moto.user, mode="644")
    report = configure(aws, moto.setting(option)).refused(
        "55000", "SELECT confiture.create_key('masking')"
    )
    assert "permissions" in report.message_detail


def test_a_key_that_does_not_exist_is_said(aws, moto):
    for key in ("alias/none", moto.key_arn[:-4] + "0000"):
        session = configure(aws, moto.setting(key=key))
        report = session.refused("42704", "SELECT confiture.create_key('masking')")
        assert key in report.message_primary


@pytest.mark.parametrize(
    ("code", "sqlstate"),
    [
        ("DisabledException", "55000"),
        ("KMSInvalidStateException", "55000"),
        ("InvalidKeyUsageException", "0A000"),
        ("IncorrectKeyException", "XX001"),
        ("UnrecognizedClientException", "28000"),
        ("S3CRET", "08P01"),
    ],
)
def test_what_only_kms_itself_refuses_keeps_its_meaning(aws, platform, code, sqlstate):
    aws.execute("SELECT confiture.create_key('masking')")
    value = platform.moto.setting().replace(platform.moto.endpoint, platform.url)
    session = configure(aws, value)
    platform.refusals.append((400, code))
    report = session.refused(sqlstate, "SELECT anon_email('x')")
    assert "S3CRET" not in f"{report.message_primary} {report.message_detail}"
    # It is over when KMS thinks so.
    assert masked(session) == masked(aws)


def test_a_busy_service_is_asked_three_times(aws, platform):
    aws.execute("SELECT confiture.create_key('masking')")
    session = configure(aws, platform.moto.setting().replace(platform.moto.endpoint, platform.url))
    busy, broken = (400, "ThrottlingException"), (500, "KMSInternalException")
    platform.refusals += [busy, broken, busy]
    session.refused("53000", "SELECT anon_email('x')")
    platform.refusals += [busy, broken]
    assert masked(session) == masked(aws)


def test_kept_credentials_that_expire_are_renewed(aws, platform):
    aws.execute("SELECT confiture.create_key('masking')")
    before = masked(aws)
    value = platform.moto.setting("credentials=container")
    session = configure(aws, value.replace(platform.moto.endpoint, platform.url))
    session.execute("SET confiture.key_cache_ttl = 0")
    assert masked(session) == before
    assert platform.asked[:2] == ["GET /container", "POST /"]
    assert platform.asked.count("GET /container") == 1
    platform.asked.clear()
    platform.refusals.append((400, "ExpiredTokenException"))
    assert masked(session) == before
    assert platform.asked[:3] == ["POST /", "GET /container", "POST /"]


@pytest.mark.parametrize("source", ["web_identity", "container", "imds"])
def test_a_source_that_is_broken_is_said(aws, platform, source):
    session = configure(aws, platform.moto.setting(f"credentials={source}"))
    platform.down = True
    session.refused("58000", "SELECT confiture.create_key('masking')")
    platform.down = False
    session.execute("SELECT confiture.create_key('masking')")


def test_a_service_that_is_not_there_is_said_soon(aws, platform):
    aws.execute("SELECT confiture.create_key('masking')")
    nobody = platform.moto.setting().replace(platform.moto.endpoint, "http://127.0.0.1:9")
    session = configure(aws, nobody)
    session.refused("08001", "SELECT anon_email('x')")
    assert session.rows("SELECT reachable, problem IS NULL FROM confiture.key_status") == [
        (False, False)
    ]
    # No plain HTTP to another machine, whatever is there.
    session = configure(aws, f"region={REGION} key={ALIAS} endpoint=http://192.0.2.1")
    session.refused("22023", "SELECT anon_email('x')")


@pytest.mark.parametrize(
    "edit",
    [
        "SET wrapped = set_byte(wrapped, 60, 255 - get_byte(wrapped, 60)) WHERE version = 2",
        "SET wrapped = (SELECT wrapped FROM confiture.key_version WHERE version = 1)"
        " WHERE version = 2",
        "SET version = 7 WHERE version = 2",
        "SET kek_ref = 'https://evil.example/' WHERE version = 2",
    ],
    ids=["altered", "another version's", "renumbered", "another address"],
)
def test_a_row_that_was_tampered_with_does_not_open(aws, edit):
    aws.execute("SELECT confiture.create_key('masking')")
    aws.execute("SELECT confiture.rotate_key('masking')")
    masked(aws)
    aws.execute(f"UPDATE confiture.key_version {edit}")
    aws.session().refused("XX001", "SELECT anon_email('x')")


def test_a_key_of_another_region_or_account_opens_only_if_it_is_listed(aws, moto):
    aws.execute("SELECT confiture.create_key('masking')")
    elsewhere = moto.key_arn.replace(REGION, "us-east-1")
    aws.execute("UPDATE confiture.key_version SET kek_ref = %s", [elsewhere])
    report = aws.session().refused("55000", "SELECT anon_email('x')")
    assert elsewhere in report.message_detail and "former_keys" in report.message_hint


def test_rotating_the_kek_keeps_its_name_and_every_pseudonym(aws, moto):
    aws.execute("SELECT confiture.create_key('masking')")
    before = masked(aws)
    report = aws.refused("42501", "CALL confiture.rotate_kek('aws')")
    assert "kms:RotateKeyOnDemand" in report.message_primary
    rotator = user(moto, f"rotator-{aws.name}", *ROTATION)
    session = configure(aws, moto.setting(credentials_file(aws, rotator)))
    (blob,) = aws.column("SELECT wrapped FROM confiture.key_version")
    session.execute("CALL confiture.rotate_kek('aws')")
    assert moto.key_arn in session.notices[-1]["message_primary"]
    session.execute("CALL confiture.rewrap_keys('aws')")
    assert aws.column("SELECT wrapped FROM confiture.key_version") != [blob]
    assert masked(aws.session()) == before


def test_an_alias_that_moves_takes_new_keys_with_it(aws, moto):
    with moto.unchecked():
        moto.kms("CreateAlias", AliasName=f"alias/{aws.name}", TargetKeyId=moto.make_key())
    session = configure(aws, moto.setting(key=f"alias/{aws.name}"))
    session.execute("SELECT confiture.create_key('masking')")
    before = masked(session)
    with moto.unchecked():
        second = moto.make_key()
        moto.kms("UpdateAlias", AliasName=f"alias/{aws.name}", TargetKeyId=second)
    session = aws.session()
    assert masked(session) == before
    assert session.column("SELECT kek_ref FROM confiture.key_version") != [second]
    session.execute("CALL confiture.rewrap_keys()")
    assert session.column("SELECT kek_ref FROM confiture.key_version") == [second]
    assert masked(aws.session()) == before


def test_keys_move_from_the_file_to_kms_and_back(aws):
    aws.execute("SELECT confiture.create_key('masking')")
    if not aws.server.key_file_is_there():
        aws.execute("SELECT confiture.init_key_file()")
    before = masked(aws)
    for provider in ("file", "aws"):
        aws.execute(f"CALL confiture.rewrap_keys('{provider}')")
        assert aws.column("SELECT provider FROM confiture.key_version") == [provider]
        assert masked(aws.session()) == before


def test_no_secret_reaches_the_log(aws, platform):
    # The last one here: the log is that of all of them.
    aws.execute("SELECT confiture.create_key('masking')")
    log = aws.server.log()
    for secret in (
        "S3CRET",
        platform.moto.user[0],
        platform.moto.user[1],
        platform.IMDS_TOKEN,
        platform.CONTAINER_TOKEN,
        platform.WEB_TOKEN,
    ):
        assert secret not in log
