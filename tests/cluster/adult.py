"""The table Adult of tests/data, and the tables that are made of it to be measured.

What the columns of the tables B to E are: tests/data/README.md and docs/anonymity.md.
"""

import gzip
import hashlib

from server import ROOT

FILE = ROOT / "tests" / "data" / "adult.csv.gz"
DIGEST = "12194d1a9097ce650a651ee11d2fc68d0c7d8e8b6474b7d4f6748110341e8068"

TABLE = """
CREATE SCHEMA adult;
CREATE TABLE adult.raw (
  age integer, workclass text, education text, marital_status text, occupation text,
  relationship text, race text, sex text, hours_per_week integer, native_country text, salary text);
"""

DERIVED = """
CREATE TABLE adult.coarse AS
SELECT *, format('[%s,%s)', age / 10 * 10, age / 10 * 10 + 10) AS age10,
  CASE WHEN education IN ('Preschool', '1st-4th', '5th-6th', '7th-8th') THEN 'primary'
       WHEN education IN ('9th', '10th', '11th', '12th', 'HS-grad') THEN 'secondary'
       WHEN education IN ('Some-college', 'Assoc-voc', 'Assoc-acdm', 'Bachelors') THEN 'higher'
       WHEN education IN ('Masters', 'Prof-school', 'Doctorate') THEN 'postgrad' END AS edu4,
  CASE WHEN marital_status IN ('Married-civ-spouse', 'Married-AF-spouse') THEN 'married'
       ELSE 'not' END AS mar2
  FROM adult.raw;
CREATE VIEW adult.complete AS SELECT * FROM adult.raw
 WHERE '?' NOT IN (workclass, occupation, native_country);
"""

A = ["age", "education", "occupation", "relationship", "sex", "native_country"]
B = ["age10", "edu4", "mar2", "sex", "race"]
D = ["age10", "edu4", "mar2", "sex"]
E = ["sex", "race"]
ARX = ["sex", "age", "race", "marital_status", "education", "native_country", "workclass",
       "occupation", "salary"]


def make_adult(db):
    """Loads it, and makes the other tables but C, which is B without its small classes."""
    content = gzip.decompress(FILE.read_bytes())
    assert hashlib.sha256(content).hexdigest() == DIGEST
    db.execute(TABLE)
    with db.connection.cursor() as cursor:
        with cursor.copy("COPY adult.raw FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(content)
    db.execute(DERIVED)
