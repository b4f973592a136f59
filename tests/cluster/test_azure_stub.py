"""The stand-in for Azure: what Microsoft's own clients get from it, in each way to sign in."""

import json
import subprocess
from pathlib import Path

import pytest

from azure_setup import PYTHON


@pytest.fixture(scope="module")
def found(azure):
    """The outcomes of azure_client.py."""
    client = Path(__file__).with_name("azure_client.py")
    done = subprocess.run(
        [str(PYTHON), str(client), azure.authority, azure.authority, azure.metadata, azure.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_key_is_made_wraps_and_unwraps(found):
    assert found["created"] == ["RSA", ["wrapKey", "unwrapKey"], 256]
    assert found["length"] == 256
    assert found["unwrapped"] is True
    # The client's own RSA-OAEP-256 and the one of the stand-in are the same.
    assert found["wrapped by the client"] is True


def test_a_version_unwraps_what_it_wrapped_and_nothing_else(found):
    assert found["rotated"] is True and found["versions"] == 2
    assert found["old unwraps"] is True
    assert found["new unwraps"] == [400, None]


def test_each_way_to_sign_in_is_there_and_checked(found):
    assert found["workload"] is found["machine"] is found["machine's other"] is True
    assert found["wrong secret"][0] == "not signed in"
    assert found["no right"] == [403, "ForbiddenByRbac"]


def test_keys_out_of_use_are_refused_in_the_form_of_azure(found):
    assert found["disabled"] == [403, "KeyDisabled"]
    assert found["absent"] == found["deleted"] == [404, None]
    assert found["created again"] == [409, "ObjectIsDeletedButRecoverable"]
    assert found["recovered"] is True
