"""What the PGXN Meta Spec 1.0 (https://pgxn.org/spec/) asks of a META.json."""

import re

REQUIRED = {"abstract", "license", "maintainer", "meta-spec", "name", "provides", "version"}
OPTIONAL = {"description", "generated_by", "no_index", "prereqs", "release_status", "resources", "tags"}
LICENSES = set(
    "agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2"
    " gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay"
    " sun zlib open_source restricted unrestricted unknown".split()
)
PHASES = {"configure", "build", "test", "runtime", "develop"}
RELATIONS = {"requires", "recommends", "suggests", "conflicts"}
# Semantic versions as of that specification: three numbers, and a tag that begins with a letter.
VERSION = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-?[A-Za-z][0-9A-Za-z.-]*)?"
RANGE = rf"(?:(?:[<>=!]=?|==)?\s*{VERSION})(?:\s*,\s*(?:[<>=!]=?|==)\s*{VERSION})*"


def violations(meta):
    """What is wrong with it, one sentence each."""
    found = [f"{key} is missing" for key in sorted(REQUIRED - meta.keys())]
    found += [f"{key} is no key" for key in meta
              if key not in REQUIRED | OPTIONAL and not key.lower().startswith("x_")]
    checks = {
        "name": is_term, "version": is_version, "abstract": is_text, "description": is_text,
        "generated_by": is_text, "maintainer": is_text_or_list, "license": is_license,
        "provides": is_provided, "prereqs": is_prereqs, "meta-spec": is_spec, "tags": is_tags,
        "release_status": lambda value: value in ("stable", "testing", "unstable"),
    }
    return found + [f"{key} is wrong" for key, check in checks.items()
                    if key in meta and not check(meta[key])]


def is_text(value):
    return isinstance(value, str) and bool(value.strip())


def is_text_or_list(value):
    return is_text(value) or (isinstance(value, list) and bool(value) and all(map(is_text, value)))


def is_term(value):
    return is_text(value) and len(value) >= 2 and not re.search(r"[\s/\\\x00-\x1f\x7f]", value)


def is_version(value):
    return isinstance(value, str) and re.fullmatch(VERSION, value) is not None


def is_license(value):
    if isinstance(value, dict):
        return bool(value) and all(re.match(r"https?://", str(url)) for url in value.values())
    several = value if isinstance(value, list) else [value]
    return bool(several) and all(one in LICENSES for one in several)


def is_provided(value):
    if not isinstance(value, dict) or not value:
        return False
    for name, about in value.items():
        if not is_term(name) or not isinstance(about, dict) or not {"file", "version"} <= about.keys():
            return False
        if about.keys() - {"file", "version", "abstract", "docfile"} or not is_version(about["version"]):
            return False
        if not all(is_text(text) for text in about.values()):
            return False
    return True


def is_prereqs(value):
    return isinstance(value, dict) and all(
        phase in PHASES and isinstance(relations, dict) and all(
            relation in RELATIONS and isinstance(wanted, dict) and all(
                is_term(name) and (version in (0, "0") or re.fullmatch(RANGE, str(version)))
                for name, version in wanted.items())
            for relation, wanted in relations.items())
        for phase, relations in value.items())


def is_spec(value):
    return isinstance(value, dict) and is_version(value.get("version")) and value["version"].startswith(
        "1.0.") and re.match(r"https?://", value.get("url", "https://")) is not None


def is_tags(value):
    return isinstance(value, list) and bool(value) and all(
        is_text(tag) and len(tag) < 256 and not re.search(r"[/\\\x00-\x1f\x7f]", tag) for tag in value)
