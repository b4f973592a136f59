"""Writes masks_payment.json: credit_card and iban, redone independently of the Rust code.

Standard library only; reads the registry of src/strategies/payment/data/.
Run: python3 tests/vectors/masks_payment.py > tests/vectors/masks_payment.json
"""

import json
import re
from pathlib import Path

from keyed import KEY, OTHER_KEY, below, stream

DATA = Path(__file__).resolve().parent.parent.parent / "src/strategies/payment/data"

BINS = {
    "amex": ["371449", "378282"],
    "diners": ["305693", "362596", "385200"],
    "discover": ["601100", "601111"],
    "jcb": ["353011", "356600"],
    "maestro": ["630400", "675964"],
    "mastercard": ["222300", "510510", "555555"],
    "reserved": ["9999"],
    "unionpay": ["620000", "624303"],
    "visa": ["401288", "411111", "424242"],
}
BRANDS = [
    ("amex", "3[47]"), ("diners", "30[0-5]|3095|3[689]"), ("discover", "6011|64[4-9]|65"),
    ("jcb", "352[89]|35[3-8]"), ("maestro", "5018|5020|5038|5893|6304|6759|676[123]"),
    ("mastercard", "5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), ("unionpay", "62|81"),
    ("visa", "4"),
]


def luhn(digits):
    total = 0
    for n, digit in enumerate(reversed(digits)):
        double = int(digit) * (1 + n % 2)
        total += double // 10 + double % 10
    return total % 10


def credit_card(params, key, seed, type_, value):
    text = str(value)
    fraction = ""
    if type_ == "numeric" and "." in text:
        text, _, fraction = text.partition(".")
        fraction = "." + fraction
    digits = re.sub("[^0-9]", "", text)
    source = stream("credit_card", key, seed, digits.encode())
    begun = digits[:6]
    if params.get("test_bin", True):
        brand = params.get("brand", "keep")
        if brand == "keep":
            brand = next((b for b, head in BRANDS if re.match(head, digits)), "reserved")
        begun = BINS[brand][below(source, len(BINS[brand]))]
    last = digits[-4:] if params.get("keep_last4") else ""
    count = len(digits) - len(begun) - len(last) - 1
    begun += "".join(str(below(source, 10)) for _ in range(count))
    made = next(d for n in range(10) if luhn(d := begun + str(n) + last) == 0)
    if type_ == "bigint":
        return int(made)
    made = iter(made)
    return "".join(next(made) if c.isdigit() else c for c in text) + fraction


REGISTRY = {}
for line in (DATA / "iban.txt").read_text(encoding="utf-8").splitlines():
    if not line.startswith("#"):
        code, structure, *rule = line.split()
        kinds = "".join(k * int(n) for n, k in re.findall(r"(\d+)([acn])", structure))
        REGISTRY[code] = (kinds, rule[0] if rule else None)


def number(text, letters):
    return int("".join(c if c.isdigit() else str(letters(c)) for c in text))


def plain(c):
    return int(c, 36)


def french(c):
    return int("12345678912345678923456789"[ord(c) - 65])


ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]


def national(rule, text):
    """Puts the country's own check digits in."""
    if rule == "mod97":
        return text[:-2] + f"{98 - number(text[:-2], plain) * 100 % 97:02}"
    if rule == "rib":
        return text[:-2] + f"{97 - number(text[:-2], french) * 100 % 97:02}"
    if rule == "ogm":
        return text[:-2] + f"{number(text[:-2], plain) % 97 or 97:02}"
    if rule == "ccc":
        weights = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]
        checks = ""
        for part in ("00" + text[:8], text[10:]):
            rest = 11 - sum(w * int(c) for w, c in zip(weights, part)) % 11
            checks += str({11: 0, 10: 1}.get(rest, rest))
        return text[:8] + checks + text[10:]
    if rule == "cin":
        total = 0
        for n, c in enumerate(text[1:]):
            index = int(c) if c.isdigit() else ord(c) - 65
            total += index if n % 2 else ODD[index]
        return chr(65 + total % 26) + text[1:]
    return text


def checks(rule, length):
    if rule is None:
        return set()
    return {"ccc": {8, 9}, "cin": {0}}.get(rule, {length - 2, length - 1})


def iban(params, key, seed, _, value):
    compact = re.sub("[ -]", "", value).upper()
    source = stream("iban", key, seed, compact.encode())
    code = params.get("country", compact[:2])
    kinds, rule = REGISTRY[code]
    own = code == compact[:2]
    made = ""
    for n, kind in enumerate(kinds):
        if n in checks(rule, len(kinds)):
            made += "0"
        elif kind == "a" or kind == "c" and own and compact[4 + n].isalpha():
            made += chr(65 + below(source, 26))
        else:
            made += str(below(source, 10))
    made = national(rule, made)
    check = 98 - number(made + code + "00", plain) % 97
    made = f"{code}{check:02}{made}"
    if value == value.lower():
        made = made.lower()
    if own:
        made = iter(made)
        return "".join(c if c in " -" else next(made) for c in value)
    if re.search("[ -]", value):
        return " ".join(made[n : n + 4] for n in range(0, len(made), 4))
    return made


CASES = [
    (credit_card, {}, 0, "text", "4012888888881881"),
    (credit_card, {}, 12345, "text", "4012888888881881"),
    (credit_card, {}, 12345, "text", " 4012-8888 8888.1881"),
    (credit_card, {}, 12345, "text", "378734493671000"),
    (credit_card, {}, 12345, "text", "36227206271667"),
    (credit_card, {}, 12345, "text", "6500000000000002"),
    (credit_card, {}, 12345, "text", "3566002020360505"),
    (credit_card, {}, 12345, "text", "6759649826438453"),
    (credit_card, {}, 12345, "text", "2720999999999996"),
    (credit_card, {}, 12345, "text", "6200000000000005"),
    (credit_card, {}, 12345, "text", "4222222222222"),
    (credit_card, {}, 12345, "text", "1000000000000008"),
    (credit_card, {"keep_last4": True}, 12345, "text", "4012 8888 8888 1881"),
    (credit_card, {"keep_last4": True}, 12345, "text", "378734493671000"),
    (credit_card, {"test_bin": False}, 12345, "text", "4012888888881881"),
    (credit_card, {"test_bin": False, "keep_last4": True}, -1, "text", "4012888888881881"),
    (credit_card, {"require_luhn": False}, 12345, "text", "4012888888881882"),
    (credit_card, {"brand": "reserved"}, 12345, "text", "4012888888881881"),
    (credit_card, {"brand": "jcb", "keep_last4": True}, 12345, "text", "4012888888881881"),
    (credit_card, {"require_luhn": False}, 12345, "text", "000000000000"),
    (credit_card, {}, 12345, "bigint", 4012888888881881),
    (credit_card, {}, -(2**63), "bigint", 4000000000000000006),
    (credit_card, {}, 12345, "numeric", "4012888888881881"),
    (credit_card, {}, 12345, "numeric", "4012888888881881.000"),
    (iban, {}, 0, "text", "GB82WEST12345698765432"),
    (iban, {}, 12345, "text", "GB82WEST12345698765432"),
    (iban, {}, 12345, "text", "gb82 west 1234 5698 7654 32"),
    (iban, {}, 12345, "text", " DE89-3704-0044-0532-0130-00"),
    (iban, {}, 12345, "text", "FR1420041010050500013M02606"),
    (iban, {}, 12345, "text", "MC5811222000010123456789030"),
    (iban, {}, 12345, "text", "BE68 5390 0754 7034"),
    (iban, {}, 12345, "text", "ES9121000418450200051332"),
    (iban, {}, 12345, "text", "IT60X0542811101000000123456"),
    (iban, {}, 12345, "text", "PT50000201231234567890154"),
    (iban, {}, 12345, "text", "MK07250120000058984"),
    (iban, {}, 12345, "text", "TN5910006035183598478831"),
    (iban, {}, 12345, "text", "NO9386011117947"),
    (iban, {}, 12345, "text", "MT84MALT011000012345MTLCAST001S"),
    (iban, {}, -1, "text", "SC18SSCB11010000000000001497USD"),
    (iban, {"country": "BE"}, 12345, "text", "GB82WEST12345698765432"),
    (iban, {"country": "FR"}, 12345, "text", "GB82 WEST 1234 5698 7654 32"),
    (iban, {"country": "IT"}, 12345, "text", "it60x0542811101000000123456"),
    (iban, {"country": "MT"}, 2**63 - 1, "text", "de89370400440532013000"),
]

if __name__ == "__main__":
    vectors = []
    for key in (KEY, OTHER_KEY):
        for strategy, params, seed, type_, value in CASES:
            vectors.append({
                "strategy": strategy.__name__, "params": params, "key": key.hex(), "seed": seed,
                "type": type_, "input": value, "output": strategy(params, key, seed, type_, value),
            })
    print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
