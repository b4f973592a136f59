-- privacy: budgets, what they were charged, and who may charge them. The meters are sequences,
-- dp_meter_N, each made with its budget or its role's share of one.

SELECT confiture._script_path(true);

CREATE TABLE confiture.dp_budget (
  id integer NOT NULL,
  name text PRIMARY KEY,
  epsilon_limit bigint NOT NULL,
  delta_limit bigint NOT NULL,
  epsilon_meter integer NOT NULL,
  delta_meter integer NOT NULL,
  note text,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by text NOT NULL,
  retired_at timestamptz,
  retired_by text,
  CONSTRAINT dp_budget_id_key UNIQUE (id),
  CONSTRAINT dp_budget_epsilon_limit_check CHECK (epsilon_limit > 0),
  CONSTRAINT dp_budget_delta_limit_check CHECK (delta_limit >= 0)
);
COMMENT ON TABLE confiture.dp_budget IS 'Budgets of differential privacy: how much may be spent, in millionths of epsilon and 10^-15 of delta';
COMMENT ON COLUMN confiture.dp_budget.epsilon_meter IS 'The sequence dp_meter_N that says how much was spent';

-- Roles by name, as a dump carries them, and by number: on the server that gave the number, a role
-- of that name that is another one is not meant. A share that was taken back keeps its meter.
CREATE TABLE confiture.dp_budget_share (
  budget text NOT NULL,
  role_name text NOT NULL,
  role_number bigint NOT NULL,
  server_number bigint NOT NULL,
  epsilon_limit bigint,
  meter integer NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  granted_by text NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT dp_budget_share_pkey PRIMARY KEY (budget, role_name),
  CONSTRAINT dp_budget_share_epsilon_limit_check CHECK (epsilon_limit > 0)
);
COMMENT ON TABLE confiture.dp_budget_share IS 'Which roles may charge a budget, and up to which share of it';

-- Kept so that nobody reads all of the journal, of which old records may be pruned.
CREATE TABLE confiture.dp_tally (
  budget text NOT NULL,
  epsilon bigint NOT NULL,
  charges bigint NOT NULL,
  rolled_back bigint NOT NULL,
  last_charge timestamptz,
  counted_to bigint NOT NULL,
  CONSTRAINT dp_tally_pkey PRIMARY KEY (budget, epsilon)
);
COMMENT ON TABLE confiture.dp_tally IS 'Charges of budgets as the journal knows them up to one of its records, by amount';

-- A data set that was taken away stays as a row: whoever pays for its table next is a second budget.
CREATE TABLE confiture.dp_dataset (
  id integer PRIMARY KEY,
  name text NOT NULL,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  owner_name text NOT NULL,
  unit_column text NOT NULL,
  budget text NOT NULL,
  columns jsonb NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  registered_by text NOT NULL,
  unregistered_at timestamptz,
  unregistered_by text
);
CREATE UNIQUE INDEX dp_dataset_name_key ON confiture.dp_dataset (name) WHERE unregistered_at IS NULL;
COMMENT ON TABLE confiture.dp_dataset IS 'Tables that may be asked about without being read: by which unit, which columns, for which budget';

SELECT confiture._script_path(false);
