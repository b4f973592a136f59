"""A stand-in for AWS: moto, with its checks of signatures and policies on, and a platform that
hands out temporary credentials (STS, the endpoint of a container, the metadata service of EC2).

moto and botocore live in .venv-key-servers; here is spoken to them over HTTP only.
"""

import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / ".venv-key-servers" / "bin" / "python"
REGION = "eu-west-1"
ALIAS = "alias/confiture"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity"}

# Nothing that is tested goes through a proxy.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_there():
    """Whether tools/key-servers-env has been run."""
    return PYTHON.exists()


class Moto:
    """One server of moto with a key, its alias and whoever may use it."""

    def __init__(self):
        self.port = _free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        command = [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"HOME": "/"}
        )
        self._check(False)
        self.key_arn = self.make_key()
        self.kms("CreateAlias", AliasName=ALIAS, TargetKeyId=self.key_arn)
        self.user = self.make_user("confiture", "kms:Encrypt", "kms:Decrypt")
        self.role_arn = self.make_role("confiture-role", "kms:Encrypt", "kms:Decrypt")
        self._check(True)

    def stop(self):
        """Ends the process that was started."""
        self._process.terminate()
        self._process.wait(10)

    def setting(self, *options, key=ALIAS, region=REGION):
        """The value of confiture.key_aws for this server."""
        return " ".join([f"region={region}", f"key={key}", f"endpoint={self.endpoint}", *options])

    # What an administrator does; the checks are off meanwhile ------------------------------------

    @contextmanager
    def unchecked(self):
        """Switches the checks off for a while."""
        with self._lock:
            self._check(False)
            try:
                yield self
            finally:
                self._check(True)

    def kms(self, action, region=REGION, **parameters):
        """A call of KMS."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{action}",
        }
        return json.loads(self._send("kms", headers, json.dumps(parameters), region))

    def make_key(self, region=REGION, **parameters):
        """A new key; returns its ARN."""
        return self.kms("CreateKey", region, **parameters)["KeyMetadata"]["Arn"]

    def make_user(self, name, *actions):
        """A user who may do that; returns id and secret of an access key."""
        self._form("iam", "CreateUser", UserName=name)
        self._form(
            "iam", "PutUserPolicy", UserName=name, PolicyName="keys", PolicyDocument=policy(actions)
        )
        answer = self._form("iam", "CreateAccessKey", UserName=name)
        return _element(answer, "AccessKeyId"), _element(answer, "SecretAccessKey")

    def make_role(self, name, *actions):
        """A role that may do that; returns its ARN."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": [ANYBODY]})
        answer = self._form("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
        self._form(
            "iam", "PutRolePolicy", RoleName=name, PolicyName="keys", PolicyDocument=policy(actions)
        )
        return _element(answer, "Arn")

    def assume(self, role_arn):
        """Temporary credentials for a role, as the metadata services write them."""
        answer = self._form("sts", "AssumeRole", RoleArn=role_arn, RoleSessionName="stand-in")
        return {
            "Code": "Success",
            "AccessKeyId": _element(answer, "AccessKeyId"),
            "SecretAccessKey": _element(answer, "SecretAccessKey"),
            "Token": _element(answer, "SessionToken"),
            "Expiration": re.sub(r"\.\d+", "", _element(answer, "Expiration")),
        }

    def forward(self, headers, body):
        """Sends a request on as it came; returns the status and moto's own answer."""
        request = urllib.request.Request(
            f"{self.endpoint}/", data=body, headers=headers, method="POST"
        )
        try:
            with OPENER.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _form(self, service, action, **parameters):
        fields = {"Action": action, "Version": VERSIONS[service], **parameters}
        return self._send(service, {}, urllib.parse.urlencode(fields), "us-east-1")

    def _send(self, service, headers, body, region):
        # Unchecked, but moto finds the service by it.
        scope = f"Credential=setup/20260101/{region}/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        request = urllib.request.Request(
            f"{self.endpoint}/",
            data=body.encode(),
            headers={"Authorization": signed, **headers},
            method="POST",
        )
        with OPENER.open(request, timeout=10) as answer:
            return answer.read().decode()

    def _check(self, on):
        request = urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth",
            data=b"0" if on else b"inf",
            # As a form, moto would not find it.
            headers={"Content-Type": "text/plain"},
            method="POST",
        )
        for _ in range(300):
            try:
                OPENER.open(request, timeout=10).close()
                return
            except urllib.error.URLError as error:
                if isinstance(error, urllib.error.HTTPError) or self._process.poll() is not None:
                    raise
            time.sleep(0.1)
        raise AssertionError("moto did not start")


class Platform:
    """What a cloud machine or container asks for its credentials, with moto's behind it.

    It is an endpoint of KMS too, for refusals that moto never gives: those in `refusals` come
    first, as pairs of status and code, then what moto answers.
    """

    IMDS_TOKEN = "S3CRET-imds-token"
    CONTAINER_TOKEN = "S3CRET-container-token"
    WEB_TOKEN = "S3CRET.web.token"
    ROLE = "confiture-role"

    def __init__(self, moto):
        self.moto = moto
        self.asked = []
        self.down = False
        self.refusals = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            """Lets the platform answer."""

            def answer(self):
                """Any method."""
                length = int(self.headers.get("Content-Length") or 0)
                path = f"{self.command} {self.path}"
                platform.asked.append(path)
                status, body = platform.answer(path, self.headers, self.rfile.read(length))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()

    def environment(self, token_file):
        """The variables by which a server finds it."""
        # Whoever runs the tests may have some of these; an empty one counts as none.
        absent = (
            "AWS_SESSION_TOKEN",
            "AWS_ROLE_SESSION_NAME",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "AWS_EC2_METADATA_DISABLED",
        )
        return {
            **dict.fromkeys(absent, ""),
            "AWS_ACCESS_KEY_ID": self.moto.user[0],
            "AWS_SECRET_ACCESS_KEY": self.moto.user[1],
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
            "AWS_ROLE_ARN": self.moto.role_arn,
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self.CONTAINER_TOKEN,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{self.url}/",
        }

    def answer(self, path, headers, body):
        """Status and body for one request."""
        roles = "GET /latest/meta-data/iam/security-credentials/"
        if self.down:
            return 503, b"S3CRET"
        if path == "PUT /latest/api/token":
            seconds = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            return (200, self.IMDS_TOKEN.encode()) if seconds.isdigit() else (400, b"")
        if path.startswith(roles):
            if headers.get("X-aws-ec2-metadata-token") != self.IMDS_TOKEN:
                return 401, b"S3CRET"
            if path == roles:
                return 200, self.ROLE.encode()
            return self._given() if path == roles + self.ROLE else (404, b"S3CRET")
        if path == "GET /container":
            given = headers.get("Authorization") == self.CONTAINER_TOKEN
            return self._given() if given else (403, b"S3CRET")
        if path == "POST /" and headers.get("X-Amz-Target"):
            return self._kms(headers, body)
        if path == "POST /":
            return self._sts(headers, body)
        return 404, b"S3CRET"

    def _given(self):
        with self.moto.unchecked():
            return 200, json.dumps(self.moto.assume(self.moto.role_arn)).encode()

    def _kms(self, headers, body):
        if self.refusals:
            status, code = self.refusals.pop(0)
            return status, json.dumps({"__type": code, "message": "S3CRET"}).encode()
        # The name of the host is part of what was signed.
        return self.moto.forward(dict(headers), body)

    def _sts(self, headers, body):
        form = urllib.parse.parse_qs(body.decode())
        # moto takes every token, and no call without a signature while it checks them.
        if form.get("WebIdentityToken") != [self.WEB_TOKEN]:
            code = b"<Code>InvalidIdentityToken</Code><Message>S3CRET</Message>"
            return 400, b"<ErrorResponse><Error>" + code + b"</Error></ErrorResponse>"
        with self.moto.unchecked():
            return self.moto.forward({"Content-Type": headers["Content-Type"]}, body)


def policy(actions):
    """A policy that allows actions. moto looks at no resource but a star, and at no condition."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _element(text, name):
    return re.search(f"<{name}>([^<]+)</{name}>", text).group(1)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
