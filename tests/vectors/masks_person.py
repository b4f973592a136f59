"""Writes masks_person.json: the strategies of persons, redone independently of the Rust code.

Standard library only. Reads the lists of src/strategies/person/data.
Run: python3 tests/vectors/masks_person.py > tests/vectors/masks_person.json
"""

import json
import unicodedata
from pathlib import Path

import keyed
from keyed import KEY, OTHER_KEY, below, canonical_text

DATA = Path(__file__).resolve().parents[2] / "src/strategies/person/data"


def entries(locale, what):
    return (DATA / locale / f"{what}.txt").read_text(encoding="utf-8").splitlines()


class Label:
    """HMAC under a label: the name of a strategy, or of a field that several share."""

    def __init__(self, label, key, seed):
        self.of = label, key, seed

    def block(self, value, counter=0):
        return keyed.block(*self.of, value, counter)

    def words(self, of):
        digest = self.block(of.encode())
        return [int.from_bytes(digest[at : at + 8], "big") for at in range(0, 32, 8)]

    def stream(self, value):
        return keyed.stream(*self.of, value)


def below_u64(stream, bound):
    while True:
        product = int.from_bytes(bytes(next(stream) for _ in range(8)), "big") * bound
        if product % 2**64 >= 2**64 % bound:
            return product >> 64


def pick(among, word):
    return among[word * len(among) >> 64]


def source(value, inputs):
    return inputs.get("entity", canonical_text(value))


def width(name):
    return len(name) + name.count("ß")


WOMEN = {"f", "w", "2", "female", "mrs", "madame", "frau", "mujer"}
MEN = {"m", "h", "1", "male", "mr", "monsieur", "herr", "hombre", "männlich"}


def person(params, key, seed, of, sex):
    locale = params.get("locale", "en")
    sexes, first, family, second = Label("person", key, seed).words(of)
    drawn = "male" if sexes >> 63 else "female"
    said = canonical_text(sex or "").rstrip(".")
    drawn = "female" if said in WOMEN else "male" if said in MEN else drawn
    if params.get("gender", "any") != "any":
        drawn = params["gender"]
    families = entries(locale, "family")
    return {
        "sex": drawn,
        "first": pick(entries(locale, drawn), first),
        "family": [pick(families, family)] + ([pick(families, second)] if locale == "pt" else []),
    }


def tail(label, of):
    return keyed.tail(label.stream(of.encode()))


def cased(value, name):
    letters = [c for c in value if c.upper() != c.lower()]
    if len(letters) > 1 and all(c == c.upper() for c in letters):
        return name.upper()
    if len(letters) > 1 and all(c == c.lower() for c in letters):
        return name.lower()
    return name


def name(params, key, seed, value, inputs):
    part, locale = params.get("part", "full"), params.get("locale", "en")
    of = source(value, inputs)
    drawn = person(params, key, seed, of, inputs.get("sex"))
    firsts, families = entries(locale, drawn["sex"]), entries(locale, "family")
    again = Label("person/again", key, seed).words(of)[1:3]
    if part in ("middle", "second"):
        _, word, *again = Label(f"person/{part}", key, seed).words(of)
        if part == "middle":
            drawn["first"] = pick(firsts, word)
        else:
            drawn["family"] = [pick(families, word)]

    def write():
        family = " ".join(drawn["family"])
        return {
            "full": drawn["first"] + " " + family, "first": drawn["first"], "last": family,
            "middle": drawn["first"], "second": family, "initials": drawn["first"][0] + family[0],
        }[part]

    limit = params.get("max_length", 1000) - (27 if params.get("keep_unique") else 0)
    if width(write()) > limit:
        first = (limit - 1) // 2 if part == "full" else limit
        last = limit - 1 - first if part == "full" else limit
        if part in ("full", "first", "middle") and width(drawn["first"]) > first:
            drawn["first"] = pick([n for n in firsts if width(n) <= first], again[0])
        if part in ("full", "last", "second"):
            if width(" ".join(drawn["family"])) > last:
                del drawn["family"][1:]
            if width(drawn["family"][0]) > last:
                drawn["family"] = [pick([n for n in families if width(n) <= last], again[1])]
    made = write()
    if params.get("keep_unique"):
        made += tail(Label("person/tail", key, seed), of)
    return cased(value, made) if params.get("keep_case", True) else made


def plain(text, locale):
    text = text.lower().replace("ß", "ss").replace("œ", "oe").replace("æ", "ae").replace("'", "")
    text = text.replace(" ", "-").replace("ø", "o").replace("ł", "l")
    if locale == "de":
        for umlaut in "äöü":
            text = text.replace(umlaut, {"ä": "ae", "ö": "oe", "ü": "ue"}[umlaut])
    folded = unicodedata.normalize("NFD", text)
    return "".join(c for c in folded if c in "-abcdefghijklmnopqrstuvwxyz")


def username(params, key, seed, value, inputs):
    of, locale = source(value, inputs), params.get("locale", "en")
    drawn = person(params, key, seed, of, inputs.get("sex"))
    unique = params.get("keep_unique", True)
    made = plain(drawn["first"], locale) + "." + plain(" ".join(drawn["family"]), locale)
    space = params.get("max_length", 40) - (18 if unique else 4)
    if len(made) > space:
        made = made[:space].rstrip(".-")
    stream = Label("person/handle", key, seed).stream(of.encode())
    if unique:
        signs = "0123456789bcdfghjkmnpqrstvwxyz"
        return made + "." + "".join(signs[below(stream, 30)] for _ in range(17))
    return made + "".join(str(below(stream, 10)) for _ in range(4))


def job(params, key, seed, value, inputs):
    jobs = entries(params.get("locale", "en"), "job")
    of, unique = source(value, inputs), params.get("keep_unique", False)
    most = params.get("max_length", 1000) - (27 if unique else 0)
    made = pick([j for j in jobs if len(j) <= most], Label("job", key, seed).words(of)[0])
    return made + (tail(Label("job/tail", key, seed), of) if unique else "")


FORMS = {
    "de": ["GmbH", "AG", "KG", "OHG", "e. K.", "GmbH & Co. KG"],
    "en": ["Inc.", "Ltd.", "LLC", "Corp.", "PLC", "LLP"],
    "es": ["S.L.", "S.A.", "S.L.U.", "S.A.U.", "S. Coop."],
    "fr": ["SARL", "SAS", "SA", "EURL", "SCOP"],
    "pt": ["Lda.", "S.A.", "Ltda.", "Unipessoal Lda."],
}


def company(params, key, seed, value, inputs):
    of, locale = source(value, inputs), params.get("locale", "en")
    families, trades = entries(locale, "family"), entries(locale, "trade")
    shape, family, trade, second = Label("company", key, seed).words(of)
    order, unique = shape >> 62, params.get("keep_unique", False)
    trade_first = locale in ("es", "fr", "pt") and order < 2
    form = " " + pick(FORMS[locale], shape * 4 % 2**64) if params.get("suffix", True) else ""
    both = ""
    if order == 3 and not unique:
        both = (" y " if locale == "es" else " & ") + pick(families, second)
    family, trade = pick(families, family), pick(trades, trade)

    def write():
        head = family + (tail(Label("company/tail", key, seed), of) if unique else "") + both
        return (f"{trade} {head}" if trade_first else f"{head} {trade}") + form

    limit = params.get("max_length", 1000)
    if width(write()) > limit:
        space = limit - 1 - (27 if unique else 0)
        _, again_family, again_trade, _ = Label("company/again", key, seed).words(of)
        if width(family) > space // 2:
            family = pick([n for n in families if width(n) <= space // 2], again_family)
        if width(trade) > space - space // 2:
            trade = pick([n for n in trades if width(n) <= space - space // 2], again_trade)
        both = form = ""
    return write()


def national_id(params, key, seed, value, inputs):
    country = params["country"]
    is_number = isinstance(value, int)
    if is_number:
        digits = {"es": 8, "us": 9, "fr": 15 if value >= 10**13 else 13}[country]
        value = str(value).zfill(digits)
    signs = "".join(c for c in value if c.isascii() and c.isalnum()).upper()
    body = {"es": 8, "fr": 13, "us": 9}[country]
    of = country + inputs.get("entity", signs[:body])
    stream = Label("national_id", key, seed).stream(of.encode())
    if country == "us":
        group = 1 + below(stream, 99)
        made = f"666{group:02}{1 + below_u64(stream, 9999):04}"
    elif country == "es":
        if signs[0].isdigit():
            made = f"{below_u64(stream, 10**8):08}"
        else:
            made = "XYZ"[below(stream, 3)]
            made += f"{below_u64(stream, 10**7):07}"
        number = int(made.translate(str.maketrans("XYZ", "012")))
        made += "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
    else:
        birth = f"{1 + below(stream, 2)}{below(stream, 100):02}{1 + below(stream, 12):02}"
        department = [n for n in range(1, 91) if n != 20][below(stream, 89)]
        commune = 910 + below(stream, 80)
        made = f"{department:02}{commune}{1 + below_u64(stream, 999):03}"
        made = (signs[:5] if params.get("keep_birth") else birth) + made
        made += f"{97 - int(made) % 97:02}"
    if is_number:
        return int(made[: len(signs)])
    rest = iter(made)
    out = ""
    for c in value:
        sign = next(rest) if c.isascii() and c.isalnum() else c
        out += sign.lower() if c.islower() else sign
    return out


def email(params, key, seed, value, inputs):
    of, locale = source(value, inputs), params.get("locale", "en")
    drawn = person(params, key, seed, of, inputs.get("sex"))
    made = Label("email", key, seed).block(of.encode()).hex()[: params.get("hash_length", 20)]
    local, _, domain = params.get("format", "user_{hash}@example.com").partition("@")
    for word, text in (("first", drawn["first"]), ("last", " ".join(drawn["family"]))):
        local = local.replace("{" + word + "}", plain(text, locale))
    return local.replace("{hash}", made) + "@" + (domain or "example.com")


LOCALES = ("en", "de", "es", "fr", "pt")
NAMED = {"format": "{first}.{last}.{hash}@mail.test"}
CASES = []


def case(strategy, params, value, inputs=None, seed=12345, kind="text"):
    CASES.append((strategy, params, seed, kind, value, inputs or {}))


for seed in (0, -(2**63), 2**63 - 1):
    case(name, {}, "Ada Lovelace", seed=seed)
    case(username, {}, "ada1815", seed=seed)
    case(job, {}, "Mathematician", seed=seed)
    case(company, {}, "Analytical Engines", seed=seed)
    case(national_id, {"country": "fr"}, "2 69 05 49 588 157 80", seed=seed)
for value in ("", " \u00a0", "ADA LOVELACE", "ada lovelace", " Zoe\u0308\u3000", "J.", "李明", "x" * 300):
    case(name, {"locale": "de"}, value)
    case(username, {"locale": "de"}, value)
for locale in LOCALES:
    of = {"locale": locale}
    for entity in ("17", "18", "3f0c2b4e", " Ada "):
        for part in ("full", "first", "last", "middle", "second", "initials"):
            case(name, {**of, "part": part}, "Ada", {"entity": entity})
        case(username, of, "ada", {"entity": entity})
        case(email, {**of, **NAMED}, "ada@work.example", {"entity": entity})
    for value in ("Ada Lovelace", "BABBAGE", "grace hopper", "Zoë", "17"):
        case(name, {**of, "keep_unique": True}, value)
        case(name, {**of, "max_length": 10}, value)
        case(name, {**of, "max_length": 8, "part": "last", "keep_case": False}, value)
        case(name, {**of, "max_length": 5, "part": "first"}, value)
        case(name, {**of, "max_length": 6, "part": "middle"}, value)
        case(name, {**of, "max_length": 6, "part": "second"}, value)
        case(name, {**of, "max_length": 38, "keep_unique": True, "part": "last"}, value)
        case(username, {**of, "max_length": 24}, value)
        case(username, {**of, "max_length": 12, "keep_unique": False}, value)
        case(job, of, value)
        case(job, {**of, "max_length": 10}, value)
        case(job, {**of, "keep_unique": True}, value)
        case(job, {**of, "max_length": 38, "keep_unique": True}, value)
        case(company, of, value)
        case(company, {**of, "suffix": False}, value)
        case(company, {**of, "keep_unique": True}, value)
        case(company, {**of, "max_length": 18}, value)
        case(company, {**of, "max_length": 50, "keep_unique": True}, value)
for sex in ("f", "M", " Mrs. ", "Herr", "2", "MÄNNLICH", "d", ""):
    case(name, {"part": "first"}, "Ada", {"entity": "17", "sex": sex})
    case(username, {}, "Ada", {"entity": "17", "sex": sex})
    case(email, NAMED, "a@b.com", {"entity": "17", "sex": sex})
for gender in ("female", "male"):
    case(name, {"gender": gender}, "Ada", {"sex": "m"})
    case(username, {"gender": gender, "keep_unique": False}, "Ada")
    case(email, {"gender": gender, **NAMED}, "Ada@B.com")
case(job, {}, "Poet", {"entity": "17"})
case(company, {}, "Poets", {"entity": "17"})
case(email, {}, "a@b.com", {"entity": "17"})
for value in ("2 69 05 49 588 157 80", "269054958815780", "2690549588157", "1 99 12 2A 004 001",
              "199122B004001", "1.99.12.2b.004.001-77", "7-00-00-99-999-999"):
    case(national_id, {"country": "fr"}, value)
    case(national_id, {"country": "fr", "keep_birth": True}, value)
for value in ("12345678Z", "12.345.678-z", "12345678", "X1234567L", "y-1234567-x", "Z0000000"):
    case(national_id, {"country": "es"}, value)
for value in ("123-45-6789", "123456789", "000 00 0000"):
    case(national_id, {"country": "us"}, value)
    case(national_id, {"country": "us"}, value, {"entity": "17"})
for country, value in (("fr", 2690549588157), ("fr", 269054958815780), ("es", 1), ("us", 12345678)):
    case(national_id, {"country": country}, value, kind="bigint")
case(national_id, {"country": "us"}, 999999999, kind="integer")

if __name__ == "__main__":
    vectors = []
    for key in (KEY, OTHER_KEY):
        for strategy, params, seed, kind, value, inputs in CASES:
            vectors.append({
                "strategy": strategy.__name__, "params": params, "key": key.hex(), "seed": seed,
                "type": kind, "input": value, "inputs": inputs,
                "output": strategy(params, key, seed, value, inputs),
            })
    print("[\n" + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]")
