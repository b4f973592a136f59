"""Fixtures: one server for most tests, a fresh database for each of them."""

import os

import azure_setup
import bao_server
import browser
import moto_server
import pytest
import softhsm

from retention import fill, forget_directories, set_directories
from samples import make_small
from server import Server

# What these files look at is the same on every server: key services, documents of rules and profiles,
# formats, pages, examples. `-m "not any_server"` leaves them out.
ANY_SERVER = {
    "test_accounting_oracle",
    "test_advisories",
    "test_anchor_directory",
    "test_anchors",
    "test_anonymity_report",
    "test_anonymity_search",
    "test_azure_stub",
    "test_chinook",
    "test_compliance",
    "test_compliance_facts",
    "test_custody",
    "test_dp_neighbors",
    "test_everyday",
    "test_extension_update",
    "test_key_aws",
    "test_key_azure",
    "test_key_cache",
    "test_key_http",
    "test_key_pkcs11",
    "test_key_vault",
    "test_ledger_mutations",
    "test_lineage_report",
    "test_links",
    "test_load",
    "test_mask_attacks",
    "test_mask_extremes",
    "test_matrix",
    "test_migration",
    "test_offline_verifier",
    "test_openlineage",
    "test_package",
    "test_pictures",
    "test_profile",
    "test_promises",
    "test_prune",
    "test_prune_archive",
    "test_prune_attacks",
    "test_prune_copies",
    "test_rules",
    "test_site",
    "test_strategies",
    "test_suggest",
    "test_validate_value",
}


def pytest_collection_modifyitems(items):
    """Marks what is the same on every server."""
    for item in items:
        name = item.module.__name__
        if name in ANY_SERVER or name.startswith(("test_docs_", "test_example")):
            item.add_marker(pytest.mark.any_server)


NO_KEY_SERVERS = "there is no .venv-key-servers (tools/key-servers-env makes it)"


@pytest.fixture(scope="session")
def server():
    """The server that most tests share."""
    server = Server("main")
    yield server
    server.stop()


@pytest.fixture
def db(server):
    """A fresh database with the extension and a masking key."""
    database = server.create_database()
    yield database
    database.drop()


@pytest.fixture
def numbered(server):
    """As `db`, with a small profile that was loaded before the key was made: entry 1 is about the
    key, and the first run has 2 and 3."""
    database = server.create_database(key=False)
    make_small(database)
    database.make_key()
    yield database
    database.drop()


@pytest.fixture
def anchored(numbered):
    """Eight entries, of which an anchor covers five; directories for anchors and archives."""
    set_directories(numbered)
    fill(numbered)
    yield numbered
    forget_directories(numbered)


@pytest.fixture(scope="module")
def chromium():
    """A browser."""
    if why := browser.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    page = browser.Browser()
    yield page
    page.stop()


@pytest.fixture
def bare(server):
    """A fresh database without the extension."""
    database = server.create_database(extension=False)
    yield database
    database.drop()


@pytest.fixture(scope="module")
def private_server(request):
    """Makes servers with other settings or another environment for the tests of one file."""
    servers = []

    def make(*settings, **more):
        noun = request.module.__name__.removeprefix("test_")[:10]
        servers.append(Server(f"{noun}{len(servers)}", *settings, **more))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def azure():
    """The stand-in for Azure Key Vault."""
    if not azure_setup.PYTHON.exists():
        pytest.skip(NO_KEY_SERVERS)
    stub = azure_setup.AzureStub()
    yield stub
    stub.stop()


@pytest.fixture(scope="module")
def moto():
    """AWS, as far as a key provider sees it: moto, which checks signatures and policies."""
    if not moto_server.is_there():
        pytest.skip(NO_KEY_SERVERS)
    server = moto_server.Moto()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def platform(moto):
    """What hands out temporary credentials for it."""
    platform = moto_server.Platform(moto)
    yield platform
    platform.stop()


@pytest.fixture(scope="module")
def bao():
    """OpenBao, which speaks as Vault does."""
    if not bao_server.BAO.exists():
        pytest.skip(NO_KEY_SERVERS)
    bao = bao_server.Bao()
    yield bao
    bao.stop()


@pytest.fixture(scope="module")
def hsm():
    """A token of SoftHSM."""
    if why := softhsm.missing():
        pytest.skip(why)
    token = softhsm.Softhsm()
    yield token
    token.remove()
