"""What Microsoft's own clients make of the stand-in for Azure; run by .venv-key-servers.

`azure_client.py VAULT AUTHORITY METADATA FOLDER` prints the outcomes as one JSON object, by the
names that test_azure_stub.py asks for.
"""

import json
import os
import sys
from pathlib import Path

from azure.core.exceptions import HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

from azure_setup import OFFICER, READER, TENANT, USER

ALG = KeyWrapAlgorithm.rsa_oaep_256
SECRET = bytes(range(32))


def main(vault, authority, metadata, folder):
    folder = Path(folder)
    # The certificate is for localhost too: these clients connect where the name leads.
    checked = {"connection_verify": str(folder / "ca.pem"), "retry_total": 0}
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = metadata
    found = {}

    def by_secret(client, secret=None):
        return ClientSecretCredential(
            TENANT,
            client,
            secret or (folder / "secret").read_text(encoding="utf-8"),
            authority=authority,
            disable_instance_discovery=True,
            **checked,
        )

    def keys(credential):
        return KeyClient(vault, credential, verify_challenge_resource=False, **checked)

    def crypto(credential, kid):
        return CryptographyClient(kid, credential, verify_challenge_resource=False, **checked)

    def outcome(name, call):
        try:
            found[name] = call()
        except HttpResponseError as error:
            inner = (error.error and error.error.innererror) or {}
            found[name] = [error.status_code or "not signed in", inner.get("code")]

    officer = keys(by_secret(OFFICER))
    first = officer.create_rsa_key("tested", size=2048)
    found["created"] = [first.key_type, first.key_operations, len(first.key.n)]
    # This client may not read the public half, so that it asks the vault to wrap.
    user = by_secret(USER)
    unversioned = f"{vault}/keys/tested"
    sealed = crypto(user, unversioned).wrap_key(ALG, SECRET)
    found["length"] = len(sealed.encrypted_key)
    by_first = crypto(user, first.id)
    found["unwrapped"] = by_first.unwrap_key(ALG, sealed.encrypted_key).key == SECRET
    second = officer.rotate_key("tested")
    found["rotated"] = second.id != first.id and officer.get_key("tested").id == second.id
    found["versions"] = len(list(officer.list_properties_of_key_versions("tested")))
    # And here the public half is used by the client itself: both sides do the same.
    local = crypto(by_secret(OFFICER), second.id).wrap_key(ALG, SECRET)
    opened = crypto(user, second.id).unwrap_key(ALG, local.encrypted_key)
    found["wrapped by the client"] = opened.key == SECRET
    found["old unwraps"] = by_first.unwrap_key(ALG, sealed.encrypted_key).key == SECRET
    new = crypto(user, second.id)
    outcome("new unwraps", lambda: new.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    for name, credential in (
        ("workload", WorkloadIdentityCredential(
            tenant_id=TENANT,
            client_id=USER,
            token_file_path=str(folder / "federated-token"),
            authority=authority,
            disable_instance_discovery=True,
            **checked,
        )),
        ("machine", ManagedIdentityCredential()),
        ("machine's other", ManagedIdentityCredential(client_id=USER)),
    ):
        client = crypto(credential, first.id)
        outcome(name, lambda: client.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    outcome("wrong secret", lambda: keys(by_secret(OFFICER, "wrong")).get_key("tested").id)
    reader = crypto(by_secret(READER), first.id)
    outcome("no right", lambda: reader.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    officer.update_key_properties("tested", first.properties.version, enabled=False)
    outcome("disabled", lambda: by_first.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    officer.update_key_properties("tested", first.properties.version, enabled=True)
    outcome("absent", lambda: officer.get_key("absent").id)
    officer.begin_delete_key("tested").wait()
    outcome("deleted", lambda: by_first.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    outcome("created again", lambda: officer.create_rsa_key("tested").id)
    officer.begin_recover_deleted_key("tested").wait()
    outcome("recovered", lambda: by_first.unwrap_key(ALG, sealed.encrypted_key).key == SECRET)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
