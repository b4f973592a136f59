"""The stand-in for Azure as the tests start it: its names, its files, its switches."""

import json
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / ".venv-key-servers" / "bin" / "python"
# In the certificate, and known to no resolver: see hostaddr.
VAULT_HOST = "confiture.vault.test"
RESOURCE = "https://vault.azure.net"
TENANT = "11111111-2222-3333-4444-555555555555"
# By client id; the first is also the machine's own.
CLIENTS = {
    "aaaaaaaa-0000-0000-0000-000000000001": ["wrapKey", "unwrapKey"],
    "aaaaaaaa-0000-0000-0000-000000000002": ["wrapKey", "unwrapKey", "get", "list", "create",
                                             "update", "delete", "recover", "rotate"],
    "aaaaaaaa-0000-0000-0000-000000000003": ["get"],
}
USER, OFFICER, READER = CLIENTS
AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "system:serviceaccount:confiture:postgres"


class AzureStub:
    """The stand-in in a process of its own, and the files a client of it needs."""

    def __init__(self):
        # Not pytest's folder, which is closed to the user of the server under test.
        self.folder = Path(tempfile.mkdtemp(prefix="confiture-azure-"))
        self.folder.chmod(0o755)
        self.process = subprocess.Popen(
            [str(PYTHON), str(Path(__file__).with_name("azure_stub.py")), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line, "the stand-in for Azure did not start"
        ports = json.loads(line)
        self.port, self.plain_port = ports["tls"], ports["plain"]
        self.vault = f"https://{VAULT_HOST}:{self.port}"
        self.authority = f"https://localhost:{self.port}"
        self.metadata = f"http://127.0.0.1:{self.plain_port}"
        self.ca_file = self.folder / "ca.pem"
        self.wrong_ca_file = self.folder / "wrong-ca.pem"
        self.secret_file = self.folder / "secret"
        self.token_file = self.folder / "federated-token"

    def setting(self, auth="client_secret", client=USER, **more):
        """The text of confiture.key_azure."""
        words = {
            "vault": self.vault,
            "key": "confiture",
            "auth": auth,
            "ca_file": self.ca_file,
            "hostaddr": "127.0.0.1",
        }
        if auth == "managed_identity":
            words |= {"metadata": self.metadata}
        else:
            words |= {"authority": self.authority, "tenant": TENANT, "client_id": client}
            words |= {"client_secret_file": self.secret_file} if auth == "client_secret" else {}
            words |= {"federated_token_file": self.token_file} if auth != "client_secret" else {}
        words |= more
        return " ".join(f"{name}={value}" for name, value in words.items() if value is not None)

    def tell(self, **what):
        """Changes how it behaves: see State.told. Returns what it noted down so far."""
        request = urllib.request.Request(
            f"{self.metadata}/_stub", data=json.dumps(what).encode(), method="POST"
        )
        # Whoever runs the tests may have a proxy set.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            return json.load(response)

    def stop(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        shutil.rmtree(self.folder)
