"""A stand-in for Azure Key Vault, Microsoft Entra ID and the metadata service of a machine.

Run by the Python of .venv-key-servers, it serves on 127.0.0.1 until its standard input ends; the
tests start it by azure_setup.py. The cryptography is real (RSA-OAEP-256, TLS by an authority made
at the start), tokens are checked and expire, and test_azure_stub.py holds it against the clients of
Microsoft. It is written from Microsoft's documentation and was never compared with Azure itself.
"""

import base64
import datetime
import json
import secrets
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from azure_setup import AUDIENCE, CLIENTS, RESOURCE, SUBJECT, TENANT, USER, VAULT_HOST

API_VERSIONS = ("7.4", "7.5", "7.6", "2025-07-01")


class Refused(Exception):
    """An answer that is not the one hoped for."""

    def __init__(self, status, code, inner=None, message="refused by the stand-in"):
        super().__init__(code)
        self.status = status
        error = {"code": code, "message": message}
        if inner:
            error["innererror"] = {"code": inner}
        self.body = {"error": error}


class Denied(Refused):
    """A refusal of the token endpoint, which has a form of its own."""

    def __init__(self, status, error, number):
        super().__init__(status, error)
        text = f"AADSTS{number}: refused by the stand-in"
        self.body = {"error": error, "error_description": text, "error_codes": [number]}


class State:
    """Keys, tokens and switches; one request at a time."""

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.secret = secrets.token_urlsafe(30)
        self.keys = {}
        self.deleted = {}
        self.tokens = {}
        self.lifetime = 3600
        self.throttled = 0
        self.broken = 0
        self.requests = []
        self.issuer = ec.generate_private_key(ec.SECP256R1())
        self.write("secret", self.secret, 0o600)
        self.write_federated()
        self.create("confiture", {"kty": "RSA", "key_size": 2048})

    def write(self, name, text, mode):
        path = self.folder / name
        path.touch(mode=mode)
        path.write_text(text, encoding="utf-8")

    def told(self, what):
        """The switches of AzureStub.tell."""
        for name in ("lifetime", "throttled", "broken"):
            setattr(self, name, what.pop(name, getattr(self, name)))
        if what.pop("forget_tokens", False):
            self.tokens.clear()
        if "federated" in what:
            self.write_federated(**what.pop("federated"))
        if "enable" in what:
            name, enabled = what.pop("enable")
            for version in self.keys[name].values():
                version["enabled"] = enabled
        if "create_ec" in what:
            self.create(what.pop("create_ec"), {"kty": "EC", "key_ops": ["wrapKey", "unwrapKey"]})
        if "delete" in what:
            name = what.pop("delete")
            self.deleted[name] = self.keys.pop(name)
        if "recover" in what:
            name = what.pop("recover")
            self.keys[name] = self.deleted.pop(name)
        noted, self.requests = self.requests, []
        return {"requests": noted, "unknown": list(what)}

    # Tokens

    def write_federated(self, lifetime=3600, subject=SUBJECT):
        """What Kubernetes would put beside a pod: a signed token of its own."""
        claims = {"aud": [AUDIENCE], "sub": subject, "exp": int(time.time()) + lifetime}
        signed = ".".join(packed(json.dumps(part).encode()) for part in ({"alg": "ES256"}, claims))
        signature = self.issuer.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        self.write("federated-token", f"{signed}.{packed(signature)}", 0o644)

    def check_federated(self, token):
        try:
            head, claims, signature = token.split(".")
            self.issuer.public_key().verify(
                unpacked(signature), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
            )
            claims = json.loads(unpacked(claims))
        except (ValueError, InvalidSignature):
            raise Denied(401, "invalid_client", 50027) from None
        if claims["exp"] < time.time():
            raise Denied(401, "invalid_client", 700024)
        if claims["sub"] != SUBJECT or claims["aud"] != [AUDIENCE]:
            raise Denied(401, "invalid_client", 700213)

    def issue(self, client, resource):
        token = secrets.token_urlsafe(300)
        self.tokens[token] = (client, resource, time.time() + self.lifetime)
        return token

    def sign_in(self, tenant, fields):
        """The client credentials grant."""
        if tenant != TENANT:
            raise Denied(400, "invalid_request", 90002)
        if fields.get("grant_type") != "client_credentials":
            raise Denied(400, "unsupported_grant_type", 70003)
        if fields.get("client_id") not in CLIENTS:
            raise Denied(400, "unauthorized_client", 700016)
        if fields.get("scope") != f"{RESOURCE}/.default":
            raise Denied(400, "invalid_resource", 500011)
        if "client_assertion" in fields:
            if not fields.get("client_assertion_type", "").endswith(":jwt-bearer"):
                raise Denied(400, "invalid_request", 900144)
            self.check_federated(fields["client_assertion"])
        elif not secrets.compare_digest(fields.get("client_secret", ""), self.secret):
            raise Denied(401, "invalid_client", 7000215)
        token = self.issue(fields["client_id"], RESOURCE)
        lasts = {"expires_in": self.lifetime, "ext_expires_in": self.lifetime}
        return {"token_type": "Bearer", **lasts, "access_token": token}

    def machine_token(self, query):
        """What the metadata service answers: numbers are texts."""
        if query.get("api-version") != "2018-02-01":
            raise Denied(400, "bad_request_102", 0)
        client = query.get("client_id", USER)
        if client not in CLIENTS:
            raise Denied(400, "invalid_request", 0)
        if query.get("resource") != RESOURCE:
            raise Denied(400, "invalid_resource", 500011)
        return {
            "access_token": self.issue(client, RESOURCE),
            "client_id": client,
            "expires_in": str(self.lifetime),
            "expires_on": str(int(time.time()) + self.lifetime),
            "resource": RESOURCE,
            "token_type": "Bearer",
        }

    def client_of(self, authorization):
        kind, _, token = (authorization or "").partition(" ")
        client, resource, until = self.tokens.get(token, (None, None, 0))
        if kind != "Bearer" or resource != RESOURCE or until < time.time():
            raise Refused(401, "Unauthorized")
        return client

    # Keys

    def create(self, name, wanted):
        if name in self.deleted:
            raise Refused(409, "Conflict", "ObjectIsDeletedButRecoverable")
        kind = wanted.get("kty")
        if kind == "RSA":
            size = wanted.get("key_size", 2048)
            if size not in (2048, 3072, 4096):
                raise Refused(400, "BadParameter")
            private = rsa.generate_private_key(public_exponent=65537, key_size=size)
        elif kind == "EC":
            private = ec.generate_private_key(ec.SECP256R1())
        else:
            raise Refused(400, "BadParameter")
        ops = wanted.get("key_ops", ["wrapKey", "unwrapKey"] if kind == "RSA" else ["sign"])
        version = {"private": private, "ops": ops, "enabled": True, "created": int(time.time())}
        identifier = secrets.token_hex(16)
        self.keys.setdefault(name, {})[identifier] = version
        return identifier

    def find(self, name, version):
        versions = self.keys.get(name) or {}
        version = version or next(reversed(versions), None)
        if version not in versions:
            raise Refused(404, "KeyNotFound")
        return version, versions[version]

    def crypt(self, kid, key, operation, wanted):
        """wrapKey and unwrapKey."""
        if not key["enabled"]:
            raise Refused(403, "Forbidden", "KeyDisabled")
        if operation not in key["ops"]:
            raise Refused(403, "Forbidden", "KeyOperationForbidden")
        if wanted.get("alg") != "RSA-OAEP-256" or not hasattr(key["private"], "decrypt"):
            raise Refused(400, "BadParameter")
        sha = hashes.SHA256()
        oaep = padding.OAEP(mgf=padding.MGF1(sha), algorithm=sha, label=None)
        try:
            value = unpacked(wanted["value"])
            if operation == "wrapKey":
                value = key["private"].public_key().encrypt(value, oaep)
            else:
                value = key["private"].decrypt(value, oaep)
        except (KeyError, ValueError):
            raise Refused(400, "BadParameter") from None
        return {"kid": kid, "value": packed(value)}


def bundle(kid, key):
    """A key as `get` shows it: the public half."""
    attributes = {"enabled": key["enabled"], "created": key["created"], "updated": key["created"]}
    jwk = {"kid": kid, "kty": "EC", "key_ops": key["ops"]}
    if isinstance(key["private"], rsa.RSAPrivateKey):
        numbers = key["private"].public_key().public_numbers()
        jwk |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    return {"key": jwk, "attributes": attributes}


def number(value):
    return packed(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def packed(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpacked(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Handler(BaseHTTPRequestHandler):
    """What both ports share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10

    def log_message(self, *arguments):
        pass

    def handle_one(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        status, answer, challenge = 200, None, None
        with self.server.state.lock:
            try:
                if self.command == "POST" and "Content-Length" not in self.headers:
                    raise Refused(411, "LengthRequired")
                answer = self.answer(parts.path, query, body)
            except Refused as refused:
                status, answer = refused.status, refused.body
                if status == 401 and not isinstance(refused, Denied):
                    authority = f"https://localhost:{self.server.server_port}/{TENANT}"
                    challenge = f'Bearer authorization="{authority}", resource="{RESOURCE}"'
            if not parts.path.startswith("/_stub"):
                self.server.state.requests.append([self.command, parts.path, status])
        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one


class Plain(Handler):
    """The metadata service, and the switches of the tests."""

    def answer(self, path, query, body):
        state = self.server.state
        if path == "/_stub" and self.command == "POST":
            return state.told(json.loads(body))
        if path != "/metadata/identity/oauth2/token" or self.command != "GET":
            raise Refused(404, "NotFound")
        if self.headers.get("Metadata") != "true" or self.headers.get("X-Forwarded-For"):
            raise Denied(400, "bad_request_102", 0)
        return state.machine_token(query)


class Tls(Handler):
    """The vault and the token endpoint."""

    def setup(self):
        # Here and not in the listening thread, which a silent client would hold up.
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def answer(self, path, query, body):
        state = self.server.state
        words = [word for word in path.split("/") if word]
        here = f"https://{self.headers['Host']}"
        if words[1:] == ["v2.0", ".well-known", "openid-configuration"]:
            return {
                "issuer": f"{here}/{words[0]}/v2.0",
                "authorization_endpoint": f"{here}/{words[0]}/oauth2/v2.0/authorize",
                "token_endpoint": f"{here}/{words[0]}/oauth2/v2.0/token",
            }
        if words[1:] == ["oauth2", "v2.0", "token"] and self.command == "POST":
            if self.headers.get_content_type() != "application/x-www-form-urlencoded":
                raise Denied(400, "invalid_request", 900144)
            fields = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
            return state.sign_in(words[0], fields)
        permissions = CLIENTS[state.client_of(self.headers.get("Authorization"))]
        if query.get("api-version") not in API_VERSIONS:
            raise Refused(400, "BadParameter")
        if state.throttled > 0:
            state.throttled -= 1
            raise Refused(429, "Throttled")
        if state.broken > 0:
            state.broken -= 1
            raise Refused(503, "ServiceUnavailable")
        if len(words) < 2 or words[0] not in ("keys", "deletedkeys"):
            raise Refused(404, "NotFound")
        if body and self.headers.get_content_type() != "application/json":
            raise Refused(415, "UnsupportedMediaType")
        return self.operate(here, permissions, words, json.loads(body or b"{}"))

    def operate(self, here, permissions, words, wanted):
        state, name = self.server.state, words[1]
        last = words[-1].lower() if len(words) > 2 else ""
        named = words[2] if len(words) > 2 and is_version(words[2]) else None
        operation = {
            ("POST", "wrapkey"): "wrapKey",
            ("POST", "unwrapkey"): "unwrapKey",
            ("POST", "rotate"): "rotate",
            ("POST", "create"): "create",
            ("POST", "recover"): "recover",
            ("GET", "versions"): "list",
            ("GET", ""): "get",
            ("DELETE", ""): "delete",
        }.get((self.command, "" if last == named else last))
        if self.command == "PATCH":
            operation = "update"
        if operation is None:
            raise Refused(404, "NotFound")
        if operation not in permissions:
            raise Refused(403, "Forbidden", "ForbiddenByRbac")
        if words[0] == "deletedkeys" and operation == "get":
            if name not in state.deleted:
                raise Refused(404, "KeyNotFound")
            version, key = next(reversed(state.deleted[name].items()))
            return bundle(f"{here}/keys/{name}/{version}", key)
        if operation == "recover":
            state.keys[name] = state.deleted.pop(name)
        if operation == "create":
            named = state.create(name, wanted)
        version, key = state.find(name, named)
        if operation == "rotate":
            size = key["private"].key_size
            version = state.create(name, {"kty": "RSA", "key_size": size, "key_ops": key["ops"]})
            key = state.keys[name][version]
        kid = f"{here}/keys/{name}/{version}"
        if operation in ("wrapKey", "unwrapKey"):
            return state.crypt(kid, key, operation, wanted)
        if operation == "update":
            key["enabled"] = wanted.get("attributes", {}).get("enabled", key["enabled"])
        if operation == "list":
            prefix = f"{here}/keys/{name}"
            items = [
                {"kid": f"{prefix}/{version}", "attributes": bundle("", key)["attributes"]}
                for version, key in state.keys[name].items()
            ]
            return {"value": items}
        if operation == "delete":
            state.deleted[name] = state.keys.pop(name)
            return {"recoveryId": f"{here}/deletedkeys/{name}", **bundle(kid, key)}
        return bundle(kid, key)


def is_version(word):
    return len(word) == 32


def make_certificates(folder):
    """An authority and a certificate by it (rustls takes no authority as a server), in PEM."""

    def make(name, issuer, issuer_key, names):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        builder = (
            x509.CertificateBuilder(issuer or subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )
        if names:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(issuer_key or key, hashes.SHA256()), key

    authority, authority_key = make("stand-in for Azure", None, None, [])
    wrong, _ = make("somebody else", None, None, [])
    leaf, key = make("vault", authority.subject, authority_key, [VAULT_HOST, "localhost"])
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "wrong-ca.pem").write_bytes(wrong.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(
        leaf.public_bytes(pem)
        + key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def main():
    folder = Path(sys.argv[1])
    make_certificates(folder)
    state = State(folder)
    ports = {}
    for name, handler in (("plain", Plain), ("tls", Tls)):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.state = state
        server.handle_error = lambda *arguments: None
        ports[name] = server.server_port
        if name == "tls":
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(folder / "leaf.pem")
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(ports), flush=True)
    # Whoever started it closes this when it ends, however it ends.
    sys.stdin.read()


if __name__ == "__main__":
    main()
