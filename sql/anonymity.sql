-- anonymity: how often each sensitive value comes in a class.

SELECT confiture._script_path(true);

-- The values are numbers here: a hash or a place in the order. The state grows by different values,
-- and not by rows.
CREATE AGGREGATE confiture._tally(code bigint, is_bounded boolean) (
  SFUNC = confiture._tally_add, STYPE = internal, SSPACE = 128,
  FINALFUNC = confiture._tally_bytes, COMBINEFUNC = confiture._tally_combine,
  SERIALFUNC = confiture._tally_bytes, DESERIALFUNC = confiture._tally_state, PARALLEL = SAFE);

SELECT confiture._script_path(false);
