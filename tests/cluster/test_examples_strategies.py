"""The tour of the examples, end to end: every strategy on the web shop and its club."""

import re
import unicodedata

import pytest

from catalog import crossings, structure
from server import ROOT

SHOP = ROOT / "examples" / "webshop"
TOUR = ROOT / "examples" / "strategies"

SEED = 12345
# Which schema was masked with which seed.
TARGETS = {"staging": 0, "seeded": SEED}
# Strategies that draw anew at each run.
RANDOM = {"dp_choice", "dp_noise", "shuffle"}
KEY = "anon_fpe({}, seed => {seed}, min => 1, max => 1000000000)"

# Columns of which no value at all may be in the target.
SENSITIVE = {
    "members": "first_name last_name full_name email handle employer photo street city"
    " holiday_home contact_email phone nir ssn dni passport tax_number iban card_number club_card"
    " secret_word remark diary complaint document settings religion state reset_token next_of_kin",
    "visits": "member_id member_email session network device user_agent page referrer raw_cookie",
    # Their first and family names are real ones, which are drawn by chance as well.
    "customers": "customer_no company email phone password_hash",
    "addresses": "recipient street delivery_note",
    "staff": "email phone iban",
    "orders": "contact_email client_ip gift_message",
    "payments": "card_number card_holder iban",
    "support_tickets": "subject contact_phone",
}
COLUMNS = [(table, column) for table, names in SENSITIVE.items() for column in names.split()]

# So few digits are drawn that a value of one row can come out in another.
NARROW = {"dni", "club_card", "card_number", "member_id"}

# What a hand-written call must say to give what the run wrote; {seed} is the seed of the run.
BY_HAND = {
    ("members", "sponsor_id"): KEY.replace("{}", "p.sponsor_id"),
    ("members", "first_name"): "anon_name(p.first_name, seed => {seed}, part => 'first',"
    " locale => 'fr', entity => p.id::text, sex => p.sex)",
    ("members", "last_name"): "anon_name(p.last_name, {seed}, part => 'last', locale => 'fr',"
    " entity => p.id::text, sex => p.sex)",
    ("members", "full_name"): "anon_name(p.full_name, {seed}, locale => 'fr',"
    " entity => p.id::text, sex => p.sex)",
    ("members", "contact_email"): "anon_email(p.contact_email, {seed}, locale => 'fr',"
    " format => '{{first}}.{{last}}.{{hash}}@example.com', entity => p.id::text, sex => p.sex)",
    ("members", "handle"): "anon_username(p.handle, {seed}, locale => 'fr',"
    " entity => p.id::text, sex => p.sex)",
    ("members", "email"): "anon_email(p.email::text, seed => {seed})",
    ("members", "aliases"): "anon_apply('email', p.aliases, seed => {seed})",
    ("members", "phone"): "anon_phone(p.phone, seed => {seed})",
    ("members", "employer"): "anon_company(p.employer, seed => {seed}, max_length => 60)",
    ("members", "job_title"): "anon_job(p.job_title, seed => {seed}, max_length => 40)",
    ("members", "birth_date"): "anon_generalize(p.birth_date, seed => {seed})",
    ("members", "street"): "anon_address(p.street, {seed}, part => 'line', country => 'fr',"
    " entity => p.id::text)",
    ("members", "region"): "anon_address(p.region, {seed}, part => 'region', country => 'fr',"
    " entity => p.id::text)",
    ("members", "zip"): "anon_generalize(p.zip, seed => {seed}, method => 'zip3')",
    ("members", "latitude"): "anon_geo(p.latitude, part => 'latitude', seed => {seed})",
    ("members", "longitude"): "anon_geo(p.longitude, part => 'longitude', seed => {seed},"
    " latitude => p.latitude::text)",
    ("members", "nir"): "anon_national_id(p.nir, country => 'fr', seed => {seed})",
    ("members", "ssn"): "anon_national_id(p.ssn, country => 'us', seed => {seed})",
    ("members", "dni"): "anon_national_id(p.dni, country => 'es', seed => {seed})",
    ("members", "passport"): "anon_mask(p.passport, seed => {seed}, keep_last => 4)",
    ("members", "tax_number"): "anon_fpe(p.tax_number, seed => {seed})",
    ("members", "iban"): "anon_iban(p.iban, seed => {seed})",
    ("members", "card_number"): "anon_credit_card(p.card_number, seed => {seed})",
    ("members", "club_card"): "anon_fpe(p.club_card, seed => {seed}, keep_prefix => 6,"
    " preserve_luhn => true)",
    ("members", "car"): "anon_fpe(p.car, seed => {seed}, alphabet => 'pattern')",
    ("members", "salary"): "anon_dp_noise_sticky(p.salary, epsilon => 2, sensitivity => 100000,"
    " seed => {seed}, lower => 0, upper => 100000, clamp => true, label => 'salary',"
    " row_key => p.id::text)",
    ("members", "age"): "anon_round(p.age, step => 10, seed => {seed}, min => 20, max => 90)",
    ("members", "points"): "anon_noise(p.points, seed => {seed}, ratio => 0.2, min => 0)",
    ("members", "rent"): "anon_round(p.rent, step => 100, seed => {seed}, mode => 'nearest')",
    ("members", "opinion"): "anon_choice(p.opinion, seed => {seed},"
    " choices => '{{delighted,content,indifferent,annoyed}}', weights => '{{1,4,4,1}}')::text"
    "::{target}.mood",
    ("members", "tier"): """anon_map(p.tier, seed => {seed}, on_miss => 'fallback',"""
    """ fallback => 'Z', pairs => '{{"gold": "A", "silver": "B"}}')""",
    ("members", "religion"): "anon_constant(p.religion, replacement => 'undisclosed',"
    " seed => {seed})",
    ("members", "reset_token"): "anon_null(p.reset_token, seed => {seed})",
    ("members", "complaint"): "anon_redact(p.complaint, seed => {seed})",
    ("members", "diary"): "anon_lorem(p.diary, seed => {seed})",
    ("members", "remark"): "anon_text(p.remark, seed => {seed},"
    " names => ARRAY[p.first_name::text, p.last_name::text], emails => ARRAY[p.email::text])",
    ("members", "document"): "anon_json(p.document, seed => {seed}, paths => '"
    """{{"$.id": {{"type": "fpe", "config": {{"min": 1, "max": 1000000000}}}},"""
    """ "$.language": "keep", "$.contacts[*].email": "email", "$.contacts[*].phone": "phone","""
    """ "$.born": {{"type": "generalize", "config": {{"unit": "year"}}}},"""
    """ "$.height": {{"type": "round", "config": {{"step": 10}}}},"""
    """ "$..password": "drop", "$.friends.*~": "email", "$.friends": "keep"}}')""",
    ("members", "settings"): "anon_apply('json', p.settings,"
    """ '{{"paths": {{"mail": "email", "theme": "keep"}}}}', {seed})""",
    ("members", "joined_on"): "anon_date_shift(p.joined_on, {seed}, max_days => 90,"
    " entity => p.id::text)",
    ("members", "last_seen"): "anon_date_shift(p.last_seen, {seed}, max_days => 90,"
    " entity => p.id::text)",
    ("members", "next_of_kin"): "anon_tokenize(p.next_of_kin, 'kin', p.id::text)",
    ("visits", "session"): "anon_uuid(p.session, seed => {seed})",
    ("visits", "ip"): "anon_ip(p.ip, seed => {seed})",
    ("visits", "network"): "anon_ip(p.network, seed => {seed})",
    ("visits", "device"): "anon_mac(p.device, seed => {seed})",
    ("visits", "user_agent"): "anon_user_agent(p.user_agent, seed => {seed})",
    ("visits", "page"): "anon_url(p.page, seed => {seed}, keep_names => true)",
    ("visits", "referrer"): "anon_url(p.referrer, seed => {seed}, part => 'domain')",
    ("visits", "raw_cookie"): "anon_hash(p.raw_cookie, seed => {seed})",
}


@pytest.fixture(scope="module")
def tour(server):
    """The tour, run twice into "staging", and with a literal seed into "seeded"."""
    db = server.create_database()
    sources = [SHOP / "schema.sql", SHOP / "data.sql", TOUR / "more.sql"]
    files = [word for path in sources for word in ("-f", path)]
    db.psql("-o", "/dev/null", "-v", "customers=300", *files)
    document = (TOUR / "profile.yaml").read_text(encoding="utf-8")
    db.execute("SELECT confiture.create_domain('kin')")
    db.load(document)
    db.decisions = db.plan("strategies")
    db.sync("strategies")
    db.first = steady(db)
    db.sync("strategies")
    # Strict coverage refuses a seed that can be read.
    seeded = f"\ncoverage: detect\nglobal_seed: {SEED}\n"
    db.load(document.replace("\ncoverage: strict\n", seeded).replace('"1"', '"2"'))
    db.sync("strategies", target="seeded")
    yield db
    db.drop()


def kinds(db):
    """{(table, column): type of the strategy} of every masked column."""
    masked = {place: row for place, row in db.decisions.items() if row["decision"] == "masked"}
    return {place: re.search(r"\((\w+)\)$", row["strategy"])[1] for place, row in masked.items()}


def steady(db):
    """{(table, column): digest of its values} of all columns that no run draws anew."""
    drawn = {place for place, kind in kinds(db).items() if kind in RANDOM}
    found = {}
    for table, column in db.decisions:
        if (table, column) in drawn:
            continue
        found[table, column] = db.value(
            f"SELECT md5(string_agg(v, ',' ORDER BY v COLLATE \"C\")) FROM (SELECT"
            f" to_jsonb(t) ->> 'id' || coalesce(to_jsonb(t) ->> '{column}', '') AS v"
            f" FROM staging.{table} AS t) AS every"
        )
    return found


def test_every_strategy_there_is_has_its_column(tour):
    used = set(kinds(tour).values())
    assert used == set(tour.column("SELECT name FROM confiture.strategies"))


def test_the_profile_gives_no_cause_for_complaint(tour):
    document = (TOUR / "profile.yaml").read_text(encoding="utf-8")
    ask = "SELECT item, name, detail FROM confiture.validate_profile(%s)"
    assert [row for row in tour.rows(ask, [document]) if row[0] in ("error", "warning")] == []


def test_the_second_run_gives_what_the_first_one_gave(tour):
    now = steady(tour)
    assert [place for place in now if now[place] != tour.first[place]] == []
    assert len(now) > 90


def test_columns_that_are_drawn_anew_keep_what_they_must(tour):
    for column in ("plan", "shirt || shoe"):
        ask = f"SELECT array_agg(v ORDER BY v) FROM (SELECT {column} AS v FROM {{}}.members) AS m"
        assert tour.value(ask.format("staging")) == tour.value(ask.format("prod"))
    assert tour.value("SELECT bool_and(savings BETWEEN 0 AND 100000) FROM staging.members")
    assert set(tour.column("SELECT DISTINCT smokes FROM staging.members")) == {"yes", "no"}


def test_every_row_arrives(tour):
    for table in {table for table, _ in tour.decisions}:
        ask = f"SELECT count(*) FROM {{}}.{table}"
        assert tour.value(ask.format("staging")) == tour.value(ask.format("prod")) > 0
    assert tour.value("SELECT count(*) FROM staging.members") == 3000


def test_keys_indexes_and_checks_are_those_of_prod(tour):
    source, target = structure(tour, "prod"), structure(tour, "staging")
    for sort in source:
        assert target[sort] == source[sort], sort
    assert crossings(tour, "prod", "staging") == []


def test_every_foreign_key_leads_to_a_row(tour):
    keys = tour.rows(
        "SELECT conrelid::regclass::text, confrelid::regclass::text,"
        " (SELECT array_agg(quote_ident(attname) ORDER BY n) FROM unnest(conkey) WITH ORDINALITY"
        "   AS k (num, n) JOIN pg_attribute ON attrelid = conrelid AND attnum = num),"
        " (SELECT array_agg(quote_ident(attname) ORDER BY n) FROM unnest(confkey) WITH ORDINALITY"
        "   AS k (num, n) JOIN pg_attribute ON attrelid = confrelid AND attnum = num)"
        " FROM pg_constraint WHERE contype = 'f' AND connamespace = 'staging'::regnamespace"
        " AND convalidated AND conparentid = 0"
    )
    assert len(keys) > 10
    for here, there, ours, theirs in keys:
        pairs = " AND ".join(f"a.{x} = b.{y}" for x, y in zip(ours, theirs, strict=True))
        given = " AND ".join(f"a.{x} IS NOT NULL" for x in ours)
        lost = f"SELECT count(*) FROM {here} a WHERE {given} AND NOT EXISTS"
        assert tour.value(f"{lost} (SELECT FROM {there} b WHERE {pairs})") == 0, (here, ours)


def test_unique_columns_stay_unique(tour):
    for table, column in (
        ("members", "id"),
        ("members", "email"),
        ("members", "handle"),
        ("members", "contact_email"),
        ("members", "tax_number"),
        ("members", "club_card"),
        ("visits", "session"),
        ("visits", "member_id"),
        ("customers", "customer_no"),
        ("staff", "email"),
    ):
        ask = f"SELECT count(*) - count(DISTINCT {column}) FROM staging.{table}"
        assert tour.value(ask) == 0, (table, column)


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda word: word)
def test_no_original_survives(tour, table, column):
    # Of a composite value IS NOT NULL would ask every field.
    ask = f"SELECT lower({column}::text) FROM {{}}.{table} WHERE num_nonnulls({column}) = 1"
    originals = set(tour.column(ask.format("prod")))
    copies = set(tour.column(ask.format("staging")))
    assert originals and len(originals & copies) <= (4 if column in NARROW else 0)
    if column != "reset_token":
        assert copies, "the mask left nothing at all"


def test_no_original_hides_in_another_column(tour):
    dump = tour.server.run("pg_dump", "-n", "staging", database=tour.name).stdout.lower()
    for column in ("email", "contact_email", "phone", "handle", "iban", "tax_number", "nir", "ssn"):
        ask = f"SELECT lower({column}::text) FROM prod.members WHERE {column} IS NOT NULL"
        assert [value for value in tour.column(ask) if value in dump] == [], column


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda word: word)
def test_null_stays_null_and_nothing_becomes_null(tour, table, column):
    if column == "reset_token":
        return
    ask = f"SELECT count(*) - count({column}) FROM {{}}.{table}"
    assert tour.value(ask.format("staging")) == tour.value(ask.format("prod"))


def plain(name):
    """As names are written in addresses: small letters without accents, hyphens for the rest."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("œ", "oe").replace("æ", "ae"))
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return re.sub("[^a-z]+", "", letters)


def test_columns_of_one_member_show_one_person(tour):
    rows = tour.rows(
        "SELECT first_name, last_name, full_name, contact_email, handle FROM staging.members"
    )
    for first, last, full, mail, handle in rows:
        assert full == f"{first} {last}"
        shown = mail.split("@")[0].split(".")
        assert [plain(shown[0]), plain(shown[1])] == [plain(first), plain(last)]
        assert plain(handle).startswith((plain(first) + plain(last))[:12])
    assert len({row[2] for row in rows}) > 2500


def test_names_follow_the_sex_of_the_row(tour):
    both = tour.value(
        "SELECT count(*) FROM (SELECT first_name FROM staging.members GROUP BY 1"
        " HAVING count(DISTINCT sex) > 1) AS names"
    )
    every = tour.value("SELECT count(DISTINCT first_name) FROM staging.members")
    assert both < every / 10, "few names are of both sexes"


def test_the_parts_of_an_address_are_one_place(tour):
    told = tour.rows(
        "SELECT s.street, s.postcode, s.city,"
        " anon_address('x', entity => p.id::text, country => 'fr')"
        f" FROM prod.members p JOIN staging.members s ON s.id = {KEY.format('p.id', seed=0)}"
    )
    for street, postcode, city, full in told:
        assert street in full and f"{postcode} {city}" in full
    regions = tour.rows(
        "SELECT postcode, city, count(DISTINCT region) FROM staging.members GROUP BY 1, 2"
    )
    assert {row[2] for row in regions} == {1}


def test_a_recipient_bears_the_name_of_the_customer(tour):
    ask = (
        "SELECT count(*) FILTER (WHERE recipient <> first_name || ' ' || last_name), count(*)"
        " FROM staging.addresses a JOIN staging.customers c ON c.id = a.customer_id"
        " WHERE first_name IS NOT NULL"
    )
    wrong, every = tour.rows(ask)[0]
    assert wrong == 0 and every > 300


def test_intervals_of_a_member_stay_true(tour):
    ask = (
        "SELECT md5(string_agg(d, ',' ORDER BY d)) FROM (SELECT concat_ws(' ', left_on - joined_on,"
        " last_seen - joined_on::timestamptz, v.seen_at - last_seen) AS d FROM {0}.members m"
        " JOIN {0}.visits v ON v.member_id = m.id) AS every"
    )
    assert tour.value(ask.format("staging")) == tour.value(ask.format("prod"))


def test_a_position_stays_within_reach(tour):
    far = tour.value(
        "SELECT max(sqrt(((s.latitude - p.latitude) * 111.2) ^ 2 + ((s.longitude - p.longitude)"
        " * 111.2 * cosd(p.latitude)) ^ 2)) FROM prod.members p"
        f" JOIN staging.members s ON s.id = {KEY.format('p.id', seed=0)}"
    )
    assert 0 < far < 15


def test_what_stands_in_a_text_is_what_stands_in_the_columns(tour):
    assert tour.value(
        "SELECT bool_and(remark LIKE '%(' || email || ', ' || phone || ')%') FROM staging.members"
    )
    assert tour.value(
        "SELECT bool_and(document #>> '{contacts,0,email}' = email"
        " AND document #>> '{contacts,0,phone}' = phone AND (document ->> 'id')::bigint = id"
        " AND document -> 'friends' ? email::text AND settings -> 'mail' = email::text"
        " AND (cardinality(aliases) < 2 OR aliases[1] = email::text) AND NOT document ? 'password')"
        " FROM staging.members"
    )
    told = tour.rows(
        "SELECT body, c.email, c.phone FROM staging.support_tickets t"
        " JOIN staging.customers c ON c.id = t.customer_id WHERE body IS NOT NULL"
    )
    assert len(told) > 40
    assert all(mail in body for body, mail, _ in told)


def test_a_number_in_a_ticket_is_the_number_of_the_customer(tour):
    # SHOWS A FAULT: French numbers of the shop have a digit too many (+33 6 55 160 6760). The
    # scanner of "text" takes the first groups for a number and leaves the last one in clear.
    told = tour.rows(
        "SELECT t.body, c.phone FROM staging.support_tickets t"
        " JOIN staging.customers c ON c.id = t.customer_id"
        " JOIN prod.support_tickets p ON p.id = t.id WHERE p.body LIKE '%or call%'"
    )
    assert len(told) > 20
    assert [body for body, phone in told if f"or call {phone}." not in body] == []


def luhn(digits):
    """Whether the last digit is the check digit of ISO/IEC 7812-1."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(sum(divmod(d, 10)) for d in doubled) % 10 == 0


def mod97(iban):
    """Whether the check digits are those of ISO 13616."""
    text = iban.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def nir(number):
    """Whether the key of a French number is right."""
    digits = number.replace(" ", "")
    return len(digits) == 15 and int(digits[13:]) == 97 - int(digits[:13]) % 97


def dni(number):
    """Whether the letter of a Spanish number is right."""
    return number[8:] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:8]) % 23]


def ssn(number):
    """Whether it has the form of a number of the United States that nobody has."""
    return re.fullmatch(r"666-\d\d-\d{4}", number)


@pytest.mark.parametrize("schema", ["prod", "staging", "seeded"])
@pytest.mark.parametrize(
    ("place", "valid"),
    [
        ("members.card_number", luhn),
        ("members.club_card", luhn),
        ("payments.card_number", luhn),
        ("members.iban", mod97),
        ("payments.iban", mod97),
        ("staff.iban", mod97),
        ("members.nir", nir),
        ("members.dni", dni),
        ("members.ssn", ssn),
    ],
    ids=lambda word: word if isinstance(word, str) else word.__name__,
)
def test_check_digits_are_right(tour, schema, place, valid):
    table, column = place.split(".")
    values = tour.column(f"SELECT {column} FROM {schema}.{table} WHERE {column} IS NOT NULL")
    if schema == "prod" and valid is ssn:
        assert not any(map(ssn, values))
        return
    assert len(values) > 20
    assert [value for value in values if not valid(value)] == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("table", "column"), BY_HAND, ids=lambda word: word)
def test_an_insert_by_hand_equals_the_synced_column(tour, table, column, target):
    seed = TARGETS[target]
    call = BY_HAND[table, column].format(seed=seed, target=target)
    key = KEY.format("p.id", seed=seed) if table == "members" else "p.id"
    tour.execute("BEGIN")
    try:
        tour.execute(f"CREATE TEMP TABLE hand AS SELECT id, {column} FROM {target}.{table} LIMIT 0")
        tour.execute(f"INSERT INTO hand SELECT {key}, {call} FROM prod.{table} AS p")
        ask = (
            f"SELECT count(*), count(*) FILTER (WHERE h.{column} IS DISTINCT FROM t.{column})"
            f" FROM hand h JOIN {target}.{table} t USING (id)"
        )
        assert tour.rows(ask) == [(3000, 0)]
    finally:
        tour.execute("ROLLBACK")


def test_most_strategies_are_compared_by_hand(tour):
    compared = {kind for place, kind in kinds(tour).items() if place in BY_HAND}
    # These have no function, draw anew, or have a salt that only the column knows.
    assert set(kinds(tour).values()) - compared == RANDOM | {"default", "record", "salted_hash"}


def test_a_seed_selects_other_pseudonyms(tour):
    same = "SELECT count(*) FROM staging.members JOIN seeded.members USING ({})"
    for column in ("email", "handle", "tax_number", "secret_word", "full_name"):
        assert tour.value(same.format(column)) < 10, column


def test_a_handle_of_one_entity_and_a_sex_may_be_unique(tour):
    # SHOWS A FAULT: the plan asks every input to be unique, the sex of a person too.
    tour.execute("CREATE SCHEMA few")
    tour.execute("CREATE TABLE few.t (id integer PRIMARY KEY, sex text, handle text UNIQUE)")
    tour.load(
        "{name: few, version: '1', strategies: {handle: {type: username}}, tables: {t: {rules:"
        " [{column: handle, strategy: handle, entity: id, sex: sex}],"
        " preserve: [{column: '*', why: nothing personal}]}}}"
    )
    assert tour.plan("few", source="few", target="few_staging")


def test_the_ledger_verifies(tour):
    findings = tour.findings()
    assert findings["OK"][0] == "ok"
    assert not any(status == "fail" for status, *_ in findings.values())
    assert tour.events().count("COMPLETED") == 3


def test_the_script_that_looks_shows_something(tour):
    shown = tour.psql("-f", TOUR / "look.sql").stdout
    assert shown.count("full_name") == 3
    for name in tour.column("SELECT name FROM confiture.strategies"):
        assert name in shown
