"""Fixtures: one server for most tests, a fresh database for each of them."""

import pytest

from server import Server


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
