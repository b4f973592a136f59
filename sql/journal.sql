-- journal: records that stay when their transaction is rolled back.

SELECT confiture._script_path(true);

-- Written past SQL, one row at a time, into the last page; an index would miss them.
CREATE TABLE confiture.journal (
  number bigint NOT NULL,
  at timestamptz NOT NULL
);
-- In one command with their storage, so that no table for long values is made: every text has a
-- bound, and a row is never stored out of line.
ALTER TABLE confiture.journal
  ADD COLUMN event text NOT NULL, ALTER COLUMN event SET STORAGE PLAIN,
  ADD COLUMN user_name text NOT NULL, ALTER COLUMN user_name SET STORAGE PLAIN,
  ADD COLUMN session_user_name text NOT NULL, ALTER COLUMN session_user_name SET STORAGE PLAIN,
  ADD COLUMN hostname text NOT NULL, ALTER COLUMN hostname SET STORAGE PLAIN,
  ADD COLUMN application_name text NOT NULL, ALTER COLUMN application_name SET STORAGE PLAIN,
  ADD COLUMN backend_pid integer NOT NULL,
  ADD COLUMN transaction_id bigint NOT NULL,
  ADD COLUMN about text NOT NULL, ALTER COLUMN about SET STORAGE PLAIN,
  ADD COLUMN domain text, ALTER COLUMN domain SET STORAGE PLAIN,
  ADD COLUMN reason text, ALTER COLUMN reason SET STORAGE PLAIN,
  ADD COLUMN amount bigint,
  ADD COLUMN key_name text NOT NULL, ALTER COLUMN key_name SET STORAGE PLAIN,
  ADD COLUMN key_version integer NOT NULL,
  ADD COLUMN canon_version smallint NOT NULL,
  ADD COLUMN signature bytea NOT NULL, ALTER COLUMN signature SET STORAGE PLAIN;
COMMENT ON TABLE confiture.journal IS 'What was on record before it was answered, whatever became of the transaction: append-only and signed';
COMMENT ON COLUMN confiture.journal.number IS 'Place in the journal, from 1 without gaps';
COMMENT ON COLUMN confiture.journal.transaction_id IS 'The transaction that asked, committed or not';
COMMENT ON COLUMN confiture.journal.about IS 'The function, data set or run concerned';
COMMENT ON COLUMN confiture.journal.amount IS 'Values asked for until the next record of the statement at most, or millionths of epsilon charged';
COMMENT ON COLUMN confiture.journal.signature IS 'HMAC-SHA256 of the record under the ledger subkey of key_name, key_version';

CREATE SEQUENCE confiture.journal_count AS bigint;
COMMENT ON SEQUENCE confiture.journal_count IS 'How many records the journal must have';

CREATE TRIGGER journal_append_only_row BEFORE UPDATE OR DELETE ON confiture.journal
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER journal_append_only_statement BEFORE UPDATE OR DELETE ON confiture.journal
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER journal_append_only_truncate BEFORE TRUNCATE ON confiture.journal
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER journal_insert_row BEFORE INSERT ON confiture.journal
  FOR EACH ROW EXECUTE FUNCTION confiture._journal_guard();
CREATE TRIGGER journal_insert_statement BEFORE INSERT ON confiture.journal
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._journal_guard();
ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER journal_append_only_row;
ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER journal_append_only_statement;
ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER journal_append_only_truncate;
ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER journal_insert_row;
ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER journal_insert_statement;

CREATE VIEW confiture.reveals AS
  SELECT j.number, j.at, j.user_name, j.session_user_name, j.hostname, j.application_name,
         j.about, j.domain, j.reason, j.amount,
         j.event OPERATOR(pg_catalog.=) 'REVEALED' AS granted
    FROM ONLY confiture.journal j
   WHERE j.event OPERATOR(pg_catalog.=) ANY (ARRAY['REVEALED', 'DENIED']);
COMMENT ON VIEW confiture.reveals IS 'Who was given, or refused, what masks and tokens stand for';

SELECT confiture._script_path(false);
