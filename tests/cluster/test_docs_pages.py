"""The pages run as they stand, block by block, each in a database of its own; so does the README.

A comment before a block, `<!-- not run: why -->`, keeps it from being run, and
`<!-- output differs -->` has its output compared by the number of lines. Where a page shows output,
it is that of the last statements of the block, with what the server says besides where the page
shows that too. `CONFITURE_WRITE=1` puts the outputs of this run into the pages.
"""

import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import doc_blocks
import pytest

import bao_server
import softhsm
from server import ROOT

DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
SAID = re.compile(r"^(NOTICE|WARNING|ERROR|INFO|DETAIL|HINT):")


@dataclass
class Page:
    """What a page needs before its first block."""

    sample: bool = True        # the SQL of the first page
    schema: str = "prod"       # where that puts its tables
    key_file: bool = True      # the server has one
    before: str = ""           # SQL
    database: str = ""         # its name, where the page says it
    also: tuple = ()           # further databases
    swap: dict = field(default_factory=dict)   # what stands for something else on the page
    first: tuple = ()          # blocks that come before the others, by words in them


def profile(name="production"):
    """The profile of the page of runs, by another name."""
    text = next(b.sql for b in doc_blocks.typed(DOCS / "sync.md") if "load_profile" in b.sql)
    text = text[: text.index("$yaml$);") + len("$yaml$);")]
    return text.replace("name: production", f"name: {name}")


FOLDERS = {"/var/lib/anchors": "{owned}/anchors", "/var/lib/archives": "{owned}/archives"}
RUN = "CALL confiture.sync('production', source => 'prod', target => 'staging');"
FRESH = {"init_key_file()": "init_key_file('{owned}/{page}.key')"}

PAGES = {
    # The first minute makes the key file and the key that the shop above it is masked with.
    "README.md": Page(sample=False, key_file=False, swap=FRESH, first=("init_key_file",)),
    "docs/anchors.md": Page(swap=FOLDERS),
    "docs/dump.md": Page(
        before=profile("shop"), database="shop", swap={"prod.internal": "{PGHOST}"}
    ),
    "docs/guards.md": Page(),
    "docs/in-place.md": Page(schema="app", before=profile(), database="staging"),
    "docs/index.md": Page(sample=False),
    "docs/journal.md": Page(),
    "docs/keys.md": Page(sample=False, key_file=False, swap=FRESH),
    "docs/keys/aws.md": Page(),
    "docs/keys/azure.md": Page(),
    "docs/keys/pkcs11.md": Page(
        sample=False,
        swap={"/usr/lib/softhsm/libsofthsm2.so": "{module}", "/etc/confiture/pin": "{pin}"},
    ),
    "docs/keys/vault.md": Page(
        sample=False,
        swap={
            "https://vault.example.com:8200": "{vault}",
            "5a1c": "{role_id}",
            "/etc/confiture/secret_id": "{owned}/secret_id",
        },
        first=("secrets enable", "auth enable"),
    ),
    "docs/ledger.md": Page(swap=FOLDERS),
    "docs/lineage.md": Page(),
    "docs/monitoring.md": Page(before=profile() + RUN),
    "docs/operations.md": Page(before=profile()),
    "docs/privacy-explained.md": Page(),
    "docs/privacy.md": Page(),
    "docs/profile.md": Page(),
    "docs/scaling.md": Page(before=profile() + RUN),
    "docs/security/architecture.md": Page(),
    "docs/security/seed-management.md": Page(),
    "docs/strategies.md": Page(),
    "docs/sync.md": Page(),
    "docs/troubleshooting.md": Page(),
    "docs/vault.md": Page(),
    "docs/verifier.md": Page(),
    "docs/watch.md": Page(before=profile()),
}

# Pages whose blocks another file runs, because they need more than one server or rows of their own.
ELSEWHERE = {
    "docs/anonymity.md": "test_docs_anonymity.py",
    "docs/cache.md": "test_docs_cache.py",
    "docs/compliance-matrix.md": "test_docs_matrix.py",
    "docs/compliance.md": "test_docs_compliance.py",
    "docs/detect.md": "test_detect.py",
    "docs/help.md": "test_help.py",
    "docs/hooks.md": "test_hooks_ready.py",
    "docs/many-servers.md": "test_docs_fleet.py",
    "docs/migration.md": "test_docs_migration.py",
    "docs/plan.md": "test_docs_plan.py",
    "docs/refresh.md": "test_docs_refresh.py",
    "docs/replication.md": "test_docs_replication.py",
    "docs/views.md": "test_docs_views.py",
}

# How many blocks say that they are not run.
NOT_RUN = {
    "README.md": 2,
    "docs/in-place.md": 1,
    "docs/keys/aws.md": 1,
    "docs/keys/azure.md": 3,
    "docs/keys/pkcs11.md": 3,
    "docs/keys/vault.md": 1,
    "docs/packages.md": 3,
    "docs/verifier.md": 2,
}


def example_env():
    """The variables of the example `.env` on the page of seeds."""
    text = (DOCS / "security" / "seed-management.md").read_text(encoding="utf-8")
    [lines] = re.findall(r"^```text\n# \.env.*\n((?:[A-Z_]+=\S+\n)+)```", text, re.MULTILINE)
    return dict(line.split("=", 1) for line in lines.splitlines())


@pytest.fixture(scope="module")
def site(private_server):
    """A server with a seed in its environment, and with a token of SoftHSM and OpenBao where they are."""
    with ExitStack() as later:
        token = bao = None
        if not softhsm.missing():
            token = softhsm.Softhsm()
            later.callback(token.remove)
        if not bao_server.missing():
            bao = bao_server.Bao()
            later.callback(bao.stop)
        environment = {**example_env(), **(token.environment if token else {})}
        server = private_server(key_file=False, environment=environment)
        # What the server's user may read and write; the pages name folders of the machine.
        owned = server.folder / "keys"
        with server.connect("postgres") as connection:
            connection.execute("COPY (SELECT) TO PROGRAM"
                               f" 'cat >/dev/null; mkdir -m 0750 {owned}/anchors {owned}/archives'")
        yield Site(server, owned, token, bao)


class Site:
    """The server, and what stands for the names on the pages."""

    def __init__(self, server, owned, token, bao):
        self.server, self.owned, self.token, self.bao = server, owned, token, bao
        self.names = {"owned": str(owned), "PGHOST": server.environment["PGHOST"]}
        if token:
            self.names |= {"module": str(token.module), "pin": str(token.write("pin", f"{softhsm.PIN}\n"))}
        if bao:
            self.names["vault"] = bao.address

    def reload(self, *statements):
        """Changes settings, and waits until new sessions have them."""
        with self.server.connect("postgres") as connection:
            connection.execute("LOAD 'confiture'")
            before = self.loaded()
            for statement in statements:
                connection.execute(statement)
            connection.execute("SELECT pg_reload_conf()")
        self.settle(before)

    def loaded(self):
        """When the server last read its configuration."""
        with self.server.connect("postgres") as connection:
            return connection.execute("SELECT pg_conf_load_time()").fetchone()[0]

    def settle(self, before):
        """Waits until it has read it again."""
        for _ in range(200):
            if self.loaded() > before:
                return
            time.sleep(0.02)
        raise AssertionError("the server did not read its configuration")

    def forget(self):
        """Takes settings and roles of a page back."""
        self.reload("ALTER SYSTEM RESET ALL")
        with self.server.connect("postgres") as connection:
            names = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"
            ).fetchall()
            for (name,) in names:
                connection.execute(f'DROP ROLE "{name}"')


class Desk:
    """Where a reader of a page sits: a database, a folder, and what has been typed so far."""

    def __init__(self, site, name, page, folder):
        self.site, self.page, self.folder = site, page, folder
        self.names = {**site.names, "page": name}
        self.environment = {
            **site.server.environment,
            "PATH": f"{EXAMPLES / 'dump'}:{site.server.environment['PATH']}",
        }

    def put_in(self, text):
        """What is typed on this machine where the page has names of another."""
        for shown, name in self.page.swap.items():
            if shown in text:
                text = text.replace(shown, name.format(**self.names))
        return text

    def run(self, block):
        """What a block prints, and what the server or the shell says besides."""
        text = self.put_in(block.sql)
        if block.kind != "sql":
            return self.shell(block, text)
        before = self.site.loaded()
        done = self.start(["psql", "-X", "-q", "-P", "footer=off", "-P", "pager=off", "-f", "-"], text)
        said = [re.sub(r"^psql:<stdin>:\d+: ", "", line).rstrip() for line in done.stderr.splitlines()]
        failed = [int(n) for n in re.findall(r"^psql:<stdin>:(\d+): ERROR: ", done.stderr, re.MULTILINE)]
        assert failed == meant_to_fail(text), f"{block.place}: {done.stderr}"
        if "pg_reload_conf" in text:
            self.site.settle(before)
        return done.stdout, said

    def shell(self, block, text):
        """Runs what is typed into a shell."""
        done = self.start(["bash", "-euo", "pipefail", "-c", text])
        assert done.returncode == 0, f"{block.place}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr.splitlines()

    def start(self, command, stdin=None):
        """Runs a program there."""
        return subprocess.run(
            command, env=self.environment, cwd=self.folder, input=stdin,
            capture_output=True, text=True, check=False,
        )


def meant_to_fail(text):
    """The lines on which the statements end that come after a comment `-- fails`."""
    lines = text.splitlines()
    return [
        next(n + 1 for n in range(i + 1, len(lines)) if re.search(r";\s*(--.*)?$", lines[n]))
        for i, line in enumerate(lines)
        if line.startswith("-- fails")
    ]


def compare(block, output, said):
    """Holds what a block has printed to what the page shows; returns what it should show."""
    shown = (block.shown or "").splitlines()
    told = shown[: max((n + 1 for n, line in enumerate(shown) if SAID.match(line)), default=0)]
    printed = [line.rstrip() for line in output.rstrip("\n").splitlines()]
    said = said if told else []
    # The last statements, from the beginning of a result.
    rest = len(shown) - len(told)
    results = "\n".join(printed).split("\n\n")
    wanted = "\n".join(shown[len(told):]).split("\n\n")
    tail = "\n\n".join(results[-len(wanted):]).strip("\n").splitlines() if rest else []
    got = "\n".join([*said, *tail]) + "\n"
    if block.how == "output differs":
        alike = len(shown) == len(got.splitlines())
    else:
        alike = doc_blocks.steady(block.shown) == doc_blocks.steady(got)
    if alike:
        return block.shown
    # No assertion about the environment, which a failure would print.
    if "CONFITURE_WRITE" not in os.environ:
        raise AssertionError(f"{block.place}:\n{got}")
    return got


def blocks(name):
    """The blocks of a page in the order in which they are run."""
    found = [block for block in doc_blocks.typed(ROOT / name) if not block.why_not]
    first = [b for b in found if any(words in b.sql for words in PAGES[name].first)]
    return first + [b for b in found if b not in first]


@pytest.fixture
def desk(site, request, tmp_path):
    """A database, prepared as the page says."""
    name = request.param
    page = PAGES[name]
    if name.endswith("pkcs11.md") and not site.token:
        pytest.skip(softhsm.missing())
    if name.endswith("keys/vault.md") and not site.bao:
        pytest.skip(bao_server.missing())
    if page.key_file:
        site.reload(f"ALTER SYSTEM SET confiture.key_file = '{site.owned}/pages.key'")
    database = site.server.create_database(page.database or None, key=False)
    if page.key_file:
        with site.server.connect(database.name) as connection:
            if not connection.execute(
                "SELECT (pg_stat_file(%s, true)).size", [f"{site.owned}/pages.key"]
            ).fetchone()[0]:
                connection.execute("SELECT confiture.init_key_file()")
            if page.sample:
                connection.execute("SELECT confiture.create_key('masking')")
                connection.execute(re.sub(r"\bprod\b", page.schema, doc_blocks.sample()))
    if page.before:
        database.psql("-f", "-", stdin=page.before)
    made = Desk(site, name.rsplit("/", 1)[-1], page, tmp_path)
    made.environment["PGDATABASE"] = database.name
    prepare(name, made)
    yield made
    database.drop()
    with site.server.connect("postgres") as connection:
        for other in ("shop_test", "shop_dev"):
            connection.execute(f'DROP DATABASE IF EXISTS "{other}" WITH (FORCE)')
    site.forget()


def prepare(name, desk):
    """What a page needs beside SQL."""
    if name == "docs/keys/vault.md":
        programs = desk.folder / "bin"
        programs.mkdir()
        (programs / "vault").symlink_to(bao_server.BAO)
        desk.environment |= {
            "PATH": f"{programs}:{desk.environment['PATH']}", "HOME": str(desk.folder),
            **{f"{word}_ADDR": desk.site.bao.address for word in ("VAULT", "BAO")},
            **{f"{word}_TOKEN": desk.site.bao.root for word in ("VAULT", "BAO")},
        }
        text = (ROOT / name).read_text(encoding="utf-8")
        policy = "".join(re.findall(r"```hcl\n(.*?)```", text, re.DOTALL))
        (desk.folder / "confiture.hcl").write_text(policy, encoding="utf-8")


@pytest.mark.parametrize("desk", PAGES, indirect=True)
def test_every_block_of_a_page_runs_and_prints_what_the_page_shows(desk, request):
    name = request.node.callspec.params["desk"]
    outputs = []
    for block in blocks(name):
        output, said = desk.run(block)
        follow(name, desk, block, output)
        if block.shown is not None:
            outputs.append((block, compare(block, output, said)))
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(ROOT / name, sorted(outputs, key=lambda pair: pair[0].start))


def follow(name, desk, block, output):
    """What a reader does between one block and the next."""
    if name == "README.md" and "init_key_file" in block.sql:
        shop = EXAMPLES / "webshop"
        typed = f"""DROP SCHEMA staging CASCADE; DROP SCHEMA prod CASCADE;
            \\set customers 300
            \\i {shop}/schema.sql
            \\i {shop}/data.sql
            \\set text `cat {shop}/profile.yaml`
            SELECT confiture.load_profile(:'text');"""
        done = desk.start(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], typed)
        assert done.returncode == 0, done.stderr
    if name == "docs/keys/vault.md" and "role_id auth" in block.sql:
        desk.names["role_id"] = output.strip().splitlines()[-1]
        if os.geteuid() == 0:
            shutil.chown(desk.site.owned / "secret_id", "postgres")


def test_the_example_env_is_one_that_a_server_takes(site):
    site.reload(f"ALTER SYSTEM SET confiture.key_file = '{site.owned}/env.key'")
    database = site.server.create_database(key=False)
    seen = set()
    with site.server.connect(database.name) as connection:
        connection.execute("SELECT confiture.init_key_file()")
        connection.execute("SELECT confiture.create_key('masking')")
        connection.execute("CREATE SCHEMA prod; CREATE TABLE prod.t AS SELECT 'ada@work.example' AS email")
        for name in example_env():
            connection.execute("SELECT confiture.load_profile(%s)", [f"""
name: {name.lower()}
version: "1"
global_seed_env_var: {name}
strategies: {{email: {{type: email}}}}
tables: {{t: [{{column: email, strategy: email}}]}}
"""])
            connection.execute("CALL confiture.sync(%s, 'prod', %s)", [name.lower(), name.lower()])
            seen.add(connection.execute(f"SELECT email FROM {name.lower()}.t").fetchone()[0])
    database.drop()
    site.forget()
    # Two seeds, two spaces of pseudonyms.
    assert len(seen) == len(example_env()) == 2


def test_nothing_that_is_typed_is_left_out():
    """Every block is run here or by the file that is named, or says why it is not."""
    counted = {}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        name = str(path.relative_to(ROOT))
        found = doc_blocks.typed(path)
        fences = re.findall(r"^ *```(\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(found) == sum(kind == "sql" or kind in doc_blocks.SHELL for kind in fences), name
        for block in found:
            if block.why_not:
                counted[name] = counted.get(name, 0) + 1
                for test in re.findall(r"\btest_\w+", block.why_not):
                    assert f"def {test}(" in tests, f"{block.place}: there is no {test}"
                continue
            if name in PAGES or name.startswith("docs/strategies/"):
                continue
            assert name in ELSEWHERE, f"nothing runs {block.place}"
            runs = (ROOT / "tests" / "cluster" / ELSEWHERE[name]).read_text(encoding="utf-8")
            assert block.kind == "sql" or "doc_blocks.typed" in runs, f"nothing runs {block.place}"
    assert counted == NOT_RUN
    for name, file in ELSEWHERE.items():
        text = (ROOT / "tests" / "cluster" / file).read_text(encoding="utf-8")
        assert f'"{name.removeprefix("docs/")}"' in text, file
        assert re.search(r"doc_blocks\.(read|typed)", text), file
    for name in PAGES:
        assert doc_blocks.typed(ROOT / name), f"{name} has no block"
