-- guard: only the library writes to the ledger, and its definition stays what it is.

SELECT confiture._script_path(true);

-- The head: the library moves it, nobody else.
CREATE TRIGGER ledger_head_append_only_row BEFORE UPDATE OR DELETE ON confiture.ledger_head
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER ledger_head_append_only_update BEFORE UPDATE ON confiture.ledger_head
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
-- New rows: those of the library, and those of a restore.
CREATE TRIGGER ledger_head_append_only_insert BEFORE INSERT ON confiture.ledger_head
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER audit_log_append_only_insert BEFORE INSERT ON confiture.audit_log
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_append_only_insert BEFORE INSERT ON confiture.lineage
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
-- Keys of runs and hashes of rows: the library destroys them, on record; nobody changes one.
CREATE TRIGGER run_key_guard_row BEFORE UPDATE OR DELETE ON confiture.run_key
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER run_key_guard_insert BEFORE INSERT ON confiture.run_key
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER run_key_guard_statement BEFORE UPDATE OR DELETE ON confiture.run_key
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER run_key_guard_truncate BEFORE TRUNCATE ON confiture.run_key
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_row_chunk_guard_row BEFORE UPDATE OR DELETE ON confiture.lineage_row_chunk
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_row_chunk_guard_insert BEFORE INSERT ON confiture.lineage_row_chunk
  FOR EACH ROW EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_row_chunk_guard_statement BEFORE UPDATE OR DELETE ON confiture.lineage_row_chunk
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
CREATE TRIGGER lineage_row_chunk_guard_truncate BEFORE TRUNCATE ON confiture.lineage_row_chunk
  FOR EACH STATEMENT EXECUTE FUNCTION confiture._ledger_guard();
ALTER TABLE confiture.ledger_head ENABLE ALWAYS TRIGGER ledger_head_append_only_row;
ALTER TABLE confiture.ledger_head ENABLE ALWAYS TRIGGER ledger_head_append_only_update;
ALTER TABLE confiture.ledger_head ENABLE ALWAYS TRIGGER ledger_head_append_only_insert;
ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_insert;
ALTER TABLE confiture.lineage ENABLE ALWAYS TRIGGER lineage_append_only_insert;
ALTER TABLE confiture.lineage_row_chunk ENABLE ALWAYS TRIGGER lineage_row_chunk_guard_row;
ALTER TABLE confiture.lineage_row_chunk ENABLE ALWAYS TRIGGER lineage_row_chunk_guard_insert;
ALTER TABLE confiture.lineage_row_chunk ENABLE ALWAYS TRIGGER lineage_row_chunk_guard_statement;
ALTER TABLE confiture.lineage_row_chunk ENABLE ALWAYS TRIGGER lineage_row_chunk_guard_truncate;
ALTER TABLE confiture.run_key ENABLE ALWAYS TRIGGER run_key_guard_row;
ALTER TABLE confiture.run_key ENABLE ALWAYS TRIGGER run_key_guard_insert;
ALTER TABLE confiture.run_key ENABLE ALWAYS TRIGGER run_key_guard_statement;
ALTER TABLE confiture.run_key ENABLE ALWAYS TRIGGER run_key_guard_truncate;

-- The first one notes where a command begins, so that the others cost next to nothing when it has
-- touched nothing of the ledger. The event sql_drop comes before ddl_command_end: two guards to get
-- past instead of one.
CREATE EVENT TRIGGER confiture_definition_start ON ddl_command_start
  EXECUTE FUNCTION confiture._definition_guard();
CREATE EVENT TRIGGER confiture_definition_end ON ddl_command_end
  EXECUTE FUNCTION confiture._definition_guard();
CREATE EVENT TRIGGER confiture_definition_drop ON sql_drop
  EXECUTE FUNCTION confiture._definition_guard();
CREATE EVENT TRIGGER confiture_definition_rewrite ON table_rewrite
  EXECUTE FUNCTION confiture._definition_guard();
ALTER EVENT TRIGGER confiture_definition_start ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_end ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER confiture_definition_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER confiture_definition_start IS 'Notes where a command begins, for the guards of the ledger';
COMMENT ON EVENT TRIGGER confiture_definition_end IS 'Refuses commands that change the definition of the ledger';
COMMENT ON EVENT TRIGGER confiture_definition_drop IS 'Refuses commands that drop parts of the ledger';
COMMENT ON EVENT TRIGGER confiture_definition_rewrite IS 'Refuses commands that write the tables of the ledger anew';

SELECT confiture._script_path(false);
