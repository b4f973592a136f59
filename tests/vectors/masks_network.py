"""Writes masks_network.json: ip, mac, url, user_agent and uuid, redone independently of the Rust code.

Standard library only; AES is in aes.py. Reads the list of user agents.
Run: python3 tests/vectors/masks_network.py > tests/vectors/masks_network.json
"""

import ipaddress
import json
import re
import string
from pathlib import Path

from aes import Aes
from keyed import KEY, OTHER_KEY, below, canonical_text, block, stream
from masks_cipher import Domain

DATA = Path(__file__).resolve().parent.parent.parent / "src/strategies/network/data"


def pan(secret, address, width, kept):
    """Crypto-PAn, bit by bit."""
    aes = Aes(secret[:16])
    pad = int.from_bytes(aes.encrypt(secret[16:]), "big")
    made = 0
    for bit in range(width):
        known = address >> (width - bit) << (128 - bit)
        block = (known | pad & (1 << (128 - bit)) - 1).to_bytes(16, "big")
        flip = 0 if bit < kept else aes.encrypt(block)[0] >> 7
        made = made << 1 | (address >> (width - 1 - bit) & 1) ^ flip
    return made


def ip(params, key, seed, type_, value):
    text, slash, prefix = value.strip().partition("/")
    parsed = ipaddress.ip_address(text)
    width, address = parsed.max_prefixlen, int(parsed)
    length = int(prefix) if slash else width
    hosts = (1 << (width - length)) - 1
    if params.get("method") == "documentation":
        octets = address.to_bytes(16, "big") if width == 128 else address.to_bytes(4, "big")
        if width == 32:
            source = stream("ip", key, seed, octets)
            net = ["192.0.2.0", "198.51.100.0", "203.0.113.0"][below(source, 3)]
            made = int(ipaddress.ip_address(net)) + 1 + below(source, 254)
        else:
            made = int.from_bytes(
                bytes.fromhex("20010db8") + block("ip", key, seed, octets)[4:16], "big"
            )
    else:
        v4 = width == 32
        secret = block("ip", key, seed, b"4" if v4 else b"6")
        kept = params.get("keep_bits" if v4 else "keep_bits_v6", 0)
        made = pan(secret, address, width, kept)
        if type_ == "cidr":
            made &= ~hosts
        elif type_ == "text" and slash and length < width:
            if address & hosts == 0:
                made &= ~hosts
            elif made & hosts == 0:
                made |= pan(secret, address & ~hosts, width, kept) & hosts
    cls = ipaddress.IPv4Address if width == 32 else ipaddress.IPv6Address
    # The mixed notation is what Python writes for mapped addresses from 3.13 on; made by hand.
    shown = str(cls(made))
    if width == 128 and made >> 32 == 0xFFFF:
        shown = f"::ffff:{ipaddress.IPv4Address(made & 0xFFFFFFFF)}"
    return shown + slash + (str(length) if slash else "")


def unique_mac(params, key, seed, value):
    """FF1 over what is not kept, as one number: of the digits, if there is no letter."""
    domain = Domain(key, seed, ["mac"], {})
    octets = bytes.fromhex(re.sub("[:.-]", "", value.strip()))
    vendor, flags = params.get("keep_vendor"), octets[0] % 4
    kind = octets[:3] if vendor else bytes([flags])
    if octets.hex().isdigit():
        free = list(octets.hex())[6 if vendor else 0 :]
        digits = [[str(d) for d in range(10)] for _ in free]
        if not vendor:
            digits[1] = [str(d) for d in range(10) if d % 4 == flags]
        number, size = 0, 1
        for among, digit in zip(digits, free):
            number, size = number * len(among) + among.index(digit), size * len(among)
        number, made = domain.number(size, number, kind + b"\n"), ""
        for among in reversed(digits):
            number, digit = divmod(number, len(among))
            made = among[digit] + made
        made = (octets.hex()[:6] if vendor else "") + made
    else:
        while True:
            bits = "".join(f"{octet:08b}" for octet in octets)
            free = bits[24:] if vendor else bits[:6] + bits[8:]
            number = domain.number(2 ** len(free), int(free, 2), kind)
            free = f"{number:0{len(free)}b}"
            bits = bits[:24] + free if vendor else free[:6] + f"{flags:02b}" + free[6:]
            octets = int(bits, 2).to_bytes(len(octets), "big")
            made = octets.hex()
            if not made.isdigit():
                break
    digits = iter(made.upper() if any(map(str.isupper, value)) else made)
    return "".join(next(digits) if c in string.hexdigits else c for c in value)


def mac(params, key, seed, _, value):
    if params.get("keep_unique"):
        # The vectors have one key for both uses.
        return unique_mac(params, key, seed, value)
    text = value.strip()
    octets = bytes.fromhex(re.sub("[:.-]", "", text))
    made = bytearray(block("mac", key, seed, octets)[: len(octets)])
    if params.get("keep_vendor"):
        made[:3] = octets[:3]
    else:
        made[0] = made[0] & ~3 | 2
    digits = made.hex().upper() if any(map(str.isupper, text)) else made.hex()
    digits = iter(digits)
    return "".join(c if c in ":.-" else next(digits) for c in text)


def uuid(params, key, seed, type_, value):
    def drawn(octets):
        made = bytearray(block("uuid", key, seed, octets)[:16])
        made[6] = made[6] % 16 + 16 * params.get("version", 4)
        made[8] = made[8] % 64 + 128
        return made.hex()

    if type_ == "uuid":
        return drawn(bytes.fromhex(value))
    text = value.strip()
    prefix, body, suffix = re.fullmatch("({|(?i:urn:uuid:)|)([0-9a-fA-F-]+)(}|)", text).groups()
    made = drawn(bytes.fromhex(body.replace("-", "")))
    digits = iter(made.upper() if any(map(str.isupper, body)) else made)
    return prefix + "".join("-" if c == "-" else next(digits) for c in body) + suffix


def signs(label, alphabet, key, seed, value):
    """Sixteen characters of five bits, of the whole text."""
    source = stream(label, key, seed, value.strip().encode())
    return "".join(alphabet[below(source, 32)] for _ in range(16))


def url(params, key, seed, type_, value):
    if params.get("keep_unique"):
        plain = {name: of for name, of in params.items() if name != "keep_unique"}
        if "max_length" in plain:
            plain["max_length"] -= 17
        made = url(plain, key, seed, type_, value)
        token = signs("url/unique", "abcdefghijklmnopqrstuvwxyz234567", key, seed, value)
        return made + ("#" if "#" not in made else "" if made.endswith("#") else "-") + token
    least = params.get("token_length", 8)

    def token(origin, length):
        source = stream("url", key, seed, origin.encode())
        alphabet = "abcdefghijklmnopqrstuvwxyz234567"
        return "".join(alphabet[below(source, 32)] for _ in range(length))

    def part(origin, text):
        return token(origin, max(least, min(24, len(text)))) if text else ""

    def host_of(host):
        return token(host, 16) + "." + params.get("domain", "example.com")

    text = value.strip()
    if params.get("part") == "domain":
        return host_of(canonical_text(text.removesuffix(".")))
    scheme, user, host, port, path, query, fragment = re.fullmatch(
        r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://)?(?:([^/?#]*)@)?(\[.*\]|[^/?#:]*)(?::(\d*))?"
        r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", text,
    ).groups()
    host = canonical_text(host.removesuffix("."))
    out = []
    if scheme:
        known = "amqp file ftp git http https postgres s3 ssh".split()
        keeps = params.get("keep_scheme", True) and scheme.lower() in known
        out.append((scheme.lower() if keeps else "https") + ":")
    if "//" in text[: len(scheme or "") + 3]:
        out.append("//")
    if host:
        out.append(host_of(host))
        if params.get("keep_port") and port:
            out.append(f":{int(port)}")
    if params.get("path") == "drop":
        return "".join(out)
    head, drawn, origin = len(out), bool(host), host
    for n, segment in enumerate(path.split("/")):
        if n:
            out.append("/")
            origin += "/"
        origin += segment
        out.append(part(origin, segment))
        drawn |= bool(segment)
    base = origin
    if query is not None:
        for n, pair in enumerate(query.split("&")):
            out.append("&" if n else "?")
            name, equals, of = pair.partition("=")
            if params.get("keep_names") and equals:
                out.append(name)
            else:
                out.append(part(f"{base}?{name}", name))
                drawn |= bool(name)
            if equals:
                out += ["=", part(f"{base}?{name}={of}", of)]
                drawn |= bool(of)
    if fragment is not None:
        out += ["#", part(f"{base}#{fragment}", fragment)]
        drawn |= bool(fragment)
    if not drawn:
        # The vectors have no query or fragment here.
        out.append(token(base, least))
    most = params.get("max_length")
    while most and len("".join(out)) > most and len(out) > head:
        out.pop()
    return "".join(out)


def family(agent):
    agent = agent.lower()
    if any(w in agent for w in ["bot", "crawl", "spider", "slurp", "externalhit", "preview"]):
        return "bot"
    if any(w in agent for w in ["ipad", "tablet", "kindle"]):
        return "tablet"
    if "android" in agent and "mobile" not in agent:
        return "tablet"
    if any(w in agent for w in ["mobile", "iphone", "ipod"]):
        return "mobile"
    if "/" in agent and not agent.startswith(("mozilla/", "opera/")):
        return "library"
    return "desktop"


def user_agent(params, key, seed, _, value):
    lines = (DATA / "agents.txt").read_text(encoding="utf-8").splitlines()
    by_family = {}
    for line in lines:
        if not line.startswith("#"):
            by_family.setdefault(family(line), []).append(line)
    text = value.strip()
    if params.get("keep_family"):
        agents = by_family[family(text)]
    else:
        agents = by_family["desktop"] + by_family["mobile"] + by_family["tablet"]
    made = agents[below(stream("user_agent", key, seed, text.encode()), len(agents))]
    if params.get("keep_unique"):
        alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        made += " Build/" + signs("user_agent/unique", alphabet, key, seed, value)
    return made


UUID = "0190f5e8-7c3b-7a5c-9d2e-1f3a4b5c6d7e"
FULL = "https://Ada:pw@Work.Example.:8443/users/ada lovelace/Zoë?tab=orders&id=4711&x#top"
CASES = [
    (ip, {}, 0, "inet", "192.0.2.1"),
    (ip, {}, 12345, "inet", "192.0.2.1"),
    (ip, {}, 12345, "inet", "192.0.2.2"),
    (ip, {}, 12345, "inet", "192.0.2.1/24"),
    (ip, {}, -1, "inet", "255.255.255.255"),
    (ip, {}, 12345, "cidr", "192.0.2.0/24"),
    (ip, {}, 12345, "cidr", "10.0.0.0/8"),
    (ip, {}, 12345, "cidr", "0.0.0.0/0"),
    (ip, {"keep_bits": 8}, 12345, "inet", "10.1.2.3"),
    (ip, {"keep_bits": 24}, 12345, "cidr", "10.1.0.0/16"),
    (ip, {}, 12345, "inet", "2001:db8::1"),
    (ip, {}, 12345, "inet", "2001:db8::1/64"),
    (ip, {"keep_bits_v6": 32}, 12345, "cidr", "2001:db8:1::/48"),
    (ip, {}, 12345, "inet", "::ffff:192.0.2.1"),
    (ip, {}, 12345, "text", " 2001:0DB8:0::1 "),
    (ip, {}, 12345, "text", "192.0.2.1"),
    (ip, {}, 12345, "text", "192.0.2.0/24"),
    (ip, {}, 12345, "text", "192.0.2.77/24"),
    (ip, {}, 12345, "text", "192.0.2.77/32"),
    (ip, {"keep_bits": 4}, 12345, "text", "10.0.0.0/8"),
    (ip, {"method": "documentation"}, 12345, "inet", "8.8.8.8"),
    (ip, {"method": "documentation"}, 12345, "inet", "10.1.2.3/8"),
    (ip, {"method": "documentation"}, 12345, "inet", "fe80::1/10"),
    (ip, {"method": "documentation"}, 12345, "text", "8.8.4.4"),
    (mac, {}, 0, "macaddr", "08:00:2b:01:02:03"),
    (mac, {}, 12345, "macaddr", "08:00:2b:01:02:03"),
    (mac, {}, 12345, "macaddr", "ff:ff:ff:ff:ff:ff"),
    (mac, {"keep_vendor": True}, 12345, "macaddr", "08:00:2b:01:02:03"),
    (mac, {}, 12345, "macaddr8", "08:00:2b:01:02:03:04:05"),
    (mac, {"keep_vendor": True}, -9, "macaddr8", "08:00:2b:ff:fe:03:04:05"),
    (mac, {}, 12345, "text", "08-00-2B-01-02-03"),
    (mac, {}, 12345, "text", " 0800.2b01.0203"),
    (mac, {}, 12345, "text", "08002b:010203"),
    (mac, {}, 12345, "text", "08002b010203"),
    (mac, {}, 12345, "text", "123456789012"),
    (mac, {"keep_vendor": True}, 12345, "text", "08002B010203FFEE"),
    (uuid, {}, 0, "uuid", UUID.replace("-", "")),
    (uuid, {}, 12345, "uuid", UUID.replace("-", "")),
    (uuid, {"version": 8}, 12345, "uuid", UUID.replace("-", "")),
    (uuid, {}, 12345, "uuid", "00" * 16),
    (uuid, {"version": 8}, -1, "uuid", "ff" * 16),
    (uuid, {}, 12345, "text", UUID),
    (uuid, {}, 12345, "text", UUID.upper()),
    (uuid, {}, 12345, "text", UUID.replace("-", "")),
    (uuid, {"version": 8}, 12345, "text", "{" + UUID + "}"),
    (uuid, {}, 12345, "text", " urn:uuid:" + UUID),
    (uuid, {}, 12345, "text", "0190-f5e8-7c3b-7a5c-9d2e-1f3a-4b5c-6d7e"),
    (uuid, {}, 2**63 - 1, "text", UUID),
    (url, {}, 0, "text", FULL),
    (url, {}, 12345, "text", FULL),
    (url, {"keep_port": True, "keep_names": True}, 12345, "text", FULL),
    (url, {"path": "drop", "domain": "test"}, 12345, "text", FULL),
    (url, {"keep_scheme": False, "token_length": 16}, 12345, "text", "ftp://a.b/c"),
    (url, {"token_length": 4}, 12345, "text", "S3://bucket/" + "x" * 40),
    (url, {"max_length": 64}, 12345, "text", FULL),
    (url, {}, 12345, "text", "odd-scheme://a.b"),
    (url, {}, 12345, "text", "work.example/a"),
    (url, {}, 12345, "text", "//work.example/a/?=&b="),
    (url, {}, 12345, "text", "/users/ada//"),
    (url, {}, 12345, "text", "/"),
    (url, {}, 12345, "text", "file:///"),
    (url, {}, 12345, "text", "https://[2001:DB8::1]:8080/"),
    *[
        (mac, {"keep_unique": True, "keep_vendor": vendor}, 12345, type_, value)
        for vendor in [False, True]
        for type_, value in [
            ("macaddr", "08:00:2b:01:02:03"), ("macaddr", "00:11:22:33:44:55"),
            ("macaddr8", "08:00:2b:ff:fe:03:04:05"), ("macaddr8", "02:11:22:33:44:55:66:77"),
            ("text", "08-00-2B-01-02-03"), ("text", " 0011.2233.445a\n"), ("text", "031122334455"),
            ("text", "0111223344556677"),
        ]
    ],
    *[
        (url, {"keep_unique": True} | more, 12345, "text", value)
        for more in [
            {}, {"path": "drop"}, {"max_length": 64}, {"keep_names": True, "token_length": 4},
        ]
        for value in [
            FULL, "https://a.b", "https://a.b/c#", "https://a.b/c?d", " odd://a.b ", "a.b/c#d",
        ]
    ],
    (url, {"keep_unique": True}, 12345, "text", "/"),
    (url, {"part": "domain"}, 12345, "text", "Work.Example"),
    (url, {"part": "domain", "domain": "invalid"}, -5, "text", "MÜLLER.example."),
    *[
        (user_agent, {"keep_family": keeps}, seed, "text", agent)
        for keeps, seed in [(False, 0), (True, 12345)]
        for agent in [
            "", "curl/8.5.0", " Mozilla/5.0 (X11; Linux x86_64) ", "Googlebot/2.1", "iPad",
            "Mozilla/5.0 (iPhone)", "Dalvik/2.1.0 (Linux; U; Android 9)", "Opera/9.80 (Windows)",
        ]
    ],
    *[
        (user_agent, {"keep_family": keeps, "keep_unique": True}, 12345, "text", agent)
        for keeps in [False, True]
        for agent in ["", "curl/8.5.0", "Curl/8.5.0", " iPad ", "Googlebot/2.1"]
    ],
]

if __name__ == "__main__":
    vectors = []
    for key in (KEY, OTHER_KEY):
        for strategy, params, seed, type_, value in CASES:
            vectors.append({
                "strategy": strategy.__name__, "params": params, "key": key.hex(),
                **({"fpe_key": key.hex()} if "keep_unique" in params else {}), "seed": seed,
                "type": type_, "input": value, "output": strategy(params, key, seed, type_, value),
            })
    print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
