"""Writes sigv4.json: signatures of AWS Signature Version 4, computed by Amazon's own botocore.

`published` vectors are those of Amazon's signature test suite; their signature is written down here
and botocore must agree with it. Needs the environment that tools/key-servers-env makes.
Run: .venv-key-servers/bin/python tests/vectors/sigv4.py > tests/vectors/sigv4.json
"""

import json

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EXAMPLE = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
STAMP = "20150830T123600Z"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDry"
    "pNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = {"content-type": "application/x-www-form-urlencoded"}
FORM_LENGTH = {
    **FORM,
    "content-length": "13",
    "x-amz-content-sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
}

# Name, method, headers, body, session token, signature.
PUBLISHED = [
    (
        "get-vanilla", "GET", {}, "", None,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla", "POST", {}, "", None,
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-header-key-sort", "POST", {"my-header1": "value1"}, "", None,
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "post-sts-header-before", "POST", {}, "", TOKEN,
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ),
    (
        "post-x-www-form-urlencoded", "POST", FORM, "Param1=value1", None,
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    (
        "post-x-www-form-urlencoded with the hash", "POST", FORM_LENGTH, "Param1=value1", None,
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
]

CONTEXT = (
    '{"confiture:installation":"00112233-4455-6677-8899-aabbccddeeff","confiture:key":"masking",'
    '"confiture:purpose":"masking","confiture:version":"3"}'
)
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

# Name, host, region, stamp, credentials, operation, body.
KMS = [
    (
        "wrap", "kms.eu-west-1.amazonaws.com", "eu-west-1", STAMP, (*EXAMPLE, None), "Encrypt",
        f'{{"EncryptionContext":{CONTEXT},"KeyId":"alias/confiture",'
        '"Plaintext":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}',
    ),
    (
        "unwrap", "kms.eu-west-1.amazonaws.com", "eu-west-1", STAMP, (*EXAMPLE, TOKEN), "Decrypt",
        f'{{"CiphertextBlob":"AQID","EncryptionContext":{CONTEXT},"KeyId":"{ARN}"}}',
    ),
    (
        "rotate", "kms.eu-west-1.amazonaws.com", "eu-west-1", STAMP, (*EXAMPLE, None),
        "RotateKeyOnDemand", f'{{"KeyId":"{ARN}"}}',
    ),
    (
        "encrypt", "kms.eu-west-1.amazonaws.com", "eu-west-1", "20261122T010203Z", (*EXAMPLE, None),
        "Encrypt", '{"KeyId":"alias/confiture","Plaintext":"AAECAw=="}',
    ),
    (
        "decrypt with a session token", "kms.us-east-1.amazonaws.com", "us-east-1",
        "20270101T000000Z", (*EXAMPLE, TOKEN), "Decrypt", '{"CiphertextBlob":"AAECAw=="}',
    ),
    (
        "another port", "127.0.0.1:5566", "us-gov-east-1", "20280229T235959Z",
        ("AKIA0000000000000000", "/" * 40, None), "RotateKeyOnDemand", "{}",
    ),
    (
        "china", "kms.cn-north-1.amazonaws.com.cn", "cn-north-1", "20301231T120000Z",
        ("ASIAQWERTYUIOPASDFGH", "a+b/c=", "t+o/k=e~n"), "Encrypt", '{"KeyId":"\u00e9"}',
    ),
    (
        "an empty body", "[::1]:8443", "eu-central-2", "20260101T000001Z", ("A", "B", "C"),
        "Decrypt", "",
    ),
]


class Frozen(SigV4Auth):
    """The signer at a time that is given: add_auth would take that of the clock."""

    def at(self, stamp, request):
        """Signs; returns the value of the header Authorization."""
        request.context["timestamp"] = stamp
        request.headers["X-Amz-Date"] = stamp
        if self.credentials.token:
            request.headers["X-Amz-Security-Token"] = self.credentials.token
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))
        return request.headers["Authorization"]


def vector(name, method, host, region, service, stamp, credentials, headers, body):
    """One request with what botocore makes of it."""
    request = AWSRequest(
        method=method, url=f"https://{host}/", data=body.encode(), headers={"Host": host, **headers}
    )
    authorization = Frozen(Credentials(*credentials), service, region).at(stamp, request)
    return {
        "name": name,
        "method": method,
        "host": host,
        "region": region,
        "service": service,
        "stamp": stamp,
        "id": credentials[0],
        "secret": credentials[1],
        "token": credentials[2],
        "headers": headers,
        "body": body,
        "authorization": authorization,
    }


def main():
    """Prints all of them."""
    found = []
    for name, method, headers, body, token, signature in PUBLISHED:
        made = vector(
            f"published: {name}", method, "example.amazonaws.com", "us-east-1", "service", STAMP,
            (*EXAMPLE, token), headers, body,
        )
        assert made["authorization"].endswith(f"Signature={signature}"), made
        found.append(made)
    for name, host, region, stamp, credentials, operation, body in KMS:
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"TrentService.{operation}",
        }
        found.append(
            vector(name, "POST", host, region, "kms", stamp, credentials, headers, body)
        )
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
