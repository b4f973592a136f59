-- strategies: one function per strategy and type, all with the same body.
--
-- Written from the list of strategies in src/strategies/mod.rs; do not edit.

CREATE FUNCTION anon_apply(strategy text, value anyelement, params jsonb DEFAULT '{}', seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS anyelement LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_apply(text, anyelement, jsonb, bigint, integer) IS 'Any strategy for any value, arrays element by element';

CREATE VIEW confiture.strategies AS SELECT * FROM confiture._strategies();
COMMENT ON VIEW confiture.strategies IS 'Strategies: parameters, accepted types, what can be relied on with default parameters, and whether the key may be needed';

CREATE FUNCTION anon_address(value text, seed bigint DEFAULT 0, part text DEFAULT 'full', country text DEFAULT 'us', keep_case boolean DEFAULT false, keep_unique boolean DEFAULT false, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_address(text, bigint, text, text, boolean, boolean, text, integer) IS 'Made-up address, or a part of one, in a real city';

CREATE FUNCTION anon_choice(value boolean, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS boolean LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(boolean, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value bytea, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS bytea LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(bytea, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value cidr, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS cidr LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(cidr, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value date, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(date, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value anyenum, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS anyenum LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(anyenum, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value real, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS real LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(real, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value double precision, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS double precision LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(double precision, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value inet, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS inet LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(inet, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value smallint, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(smallint, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value integer, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(integer, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value bigint, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(bigint, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value json, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS json LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(json, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value jsonb, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS jsonb LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(jsonb, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value macaddr, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS macaddr LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(macaddr, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value macaddr8, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS macaddr8 LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(macaddr8, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value numeric, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(numeric, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value text, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(text, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value timestamp without time zone, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(timestamp without time zone, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value timestamp with time zone, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(timestamp with time zone, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_choice(value uuid, choices text[], seed bigint DEFAULT 0, weights text[] DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_choice(uuid, text[], bigint, text[], text, integer) IS 'One of a list of values';

CREATE FUNCTION anon_company(value text, seed bigint DEFAULT 0, locale text DEFAULT 'en', suffix boolean DEFAULT true, keep_unique boolean DEFAULT false, max_length integer DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_company(text, bigint, text, boolean, boolean, integer, text, integer) IS 'Name of a company that was made up';

CREATE FUNCTION anon_constant(value boolean, replacement text, seed bigint DEFAULT 0)
  RETURNS boolean LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(boolean, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value bytea, replacement text, seed bigint DEFAULT 0)
  RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(bytea, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value cidr, replacement text, seed bigint DEFAULT 0)
  RETURNS cidr LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(cidr, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value date, replacement text, seed bigint DEFAULT 0)
  RETURNS date LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(date, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value anyenum, replacement text, seed bigint DEFAULT 0)
  RETURNS anyenum LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(anyenum, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value real, replacement text, seed bigint DEFAULT 0)
  RETURNS real LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(real, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value double precision, replacement text, seed bigint DEFAULT 0)
  RETURNS double precision LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(double precision, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value inet, replacement text, seed bigint DEFAULT 0)
  RETURNS inet LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(inet, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value smallint, replacement text, seed bigint DEFAULT 0)
  RETURNS smallint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(smallint, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value integer, replacement text, seed bigint DEFAULT 0)
  RETURNS integer LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(integer, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value bigint, replacement text, seed bigint DEFAULT 0)
  RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(bigint, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value json, replacement text, seed bigint DEFAULT 0)
  RETURNS json LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(json, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value jsonb, replacement text, seed bigint DEFAULT 0)
  RETURNS jsonb LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(jsonb, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value macaddr, replacement text, seed bigint DEFAULT 0)
  RETURNS macaddr LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(macaddr, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value macaddr8, replacement text, seed bigint DEFAULT 0)
  RETURNS macaddr8 LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(macaddr8, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value numeric, replacement text, seed bigint DEFAULT 0)
  RETURNS numeric LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(numeric, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value text, replacement text, seed bigint DEFAULT 0)
  RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(text, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value timestamp without time zone, replacement text, seed bigint DEFAULT 0)
  RETURNS timestamp without time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(timestamp without time zone, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value timestamp with time zone, replacement text, seed bigint DEFAULT 0)
  RETURNS timestamp with time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(timestamp with time zone, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_constant(value uuid, replacement text, seed bigint DEFAULT 0)
  RETURNS uuid LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_constant(uuid, text, bigint) IS 'Same value for every row';

CREATE FUNCTION anon_credit_card(value bigint, seed bigint DEFAULT 0, brand text DEFAULT 'keep', keep_last4 boolean DEFAULT false, test_bin boolean DEFAULT true, require_luhn boolean DEFAULT true, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_credit_card(bigint, bigint, text, boolean, boolean, boolean, text, integer) IS 'Card number for tests that stands for the given one';

CREATE FUNCTION anon_credit_card(value numeric, seed bigint DEFAULT 0, brand text DEFAULT 'keep', keep_last4 boolean DEFAULT false, test_bin boolean DEFAULT true, require_luhn boolean DEFAULT true, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_credit_card(numeric, bigint, text, boolean, boolean, boolean, text, integer) IS 'Card number for tests that stands for the given one';

CREATE FUNCTION anon_credit_card(value text, seed bigint DEFAULT 0, brand text DEFAULT 'keep', keep_last4 boolean DEFAULT false, test_bin boolean DEFAULT true, require_luhn boolean DEFAULT true, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_credit_card(text, bigint, text, boolean, boolean, boolean, text, integer) IS 'Card number for tests that stands for the given one';

CREATE FUNCTION anon_date_shift(value date, seed bigint DEFAULT 0, max_days integer DEFAULT 365, direction text DEFAULT 'both', keep_weekday boolean DEFAULT false, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_date_shift(date, bigint, integer, text, boolean, text, integer) IS 'Date moved by a keyed distance, the same for all dates of an entity';

CREATE FUNCTION anon_date_shift(value timestamp without time zone, seed bigint DEFAULT 0, max_days integer DEFAULT 365, direction text DEFAULT 'both', keep_weekday boolean DEFAULT false, unit text DEFAULT 'days', entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_date_shift(timestamp without time zone, bigint, integer, text, boolean, text, text, integer) IS 'Date moved by a keyed distance, the same for all dates of an entity';

CREATE FUNCTION anon_date_shift(value timestamp with time zone, seed bigint DEFAULT 0, max_days integer DEFAULT 365, direction text DEFAULT 'both', keep_weekday boolean DEFAULT false, unit text DEFAULT 'days', entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_date_shift(timestamp with time zone, bigint, integer, text, boolean, text, text, integer) IS 'Date moved by a keyed distance, the same for all dates of an entity';

CREATE FUNCTION anon_dp_choice(value boolean, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS boolean LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(boolean, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_choice(value anyenum, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS anyenum LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(anyenum, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_choice(value smallint, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS smallint LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(smallint, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_choice(value integer, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS integer LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(integer, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_choice(value bigint, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS bigint LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(bigint, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_choice(value text, epsilon double precision, domain text[], on_error text DEFAULT 'error')
  RETURNS text LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_choice(text, double precision, text[], text) IS 'Value out of a list, by chance another, for differential privacy';

CREATE FUNCTION anon_dp_noise(value date, epsilon double precision, sensitivity double precision, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS date LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(date, double precision, double precision, text, text, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value real, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS real LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(real, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value double precision, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS double precision LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(double precision, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value smallint, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS smallint LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(smallint, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value integer, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS integer LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(integer, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value bigint, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS bigint LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(bigint, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value numeric, epsilon double precision, sensitivity double precision, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS numeric LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(numeric, double precision, double precision, double precision, double precision, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value timestamp without time zone, epsilon double precision, sensitivity interval, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS timestamp without time zone LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(timestamp without time zone, double precision, interval, text, text, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise(value timestamp with time zone, epsilon double precision, sensitivity interval, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false)
  RETURNS timestamp with time zone LANGUAGE c VOLATILE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise(timestamp with time zone, double precision, interval, text, text, boolean) IS 'Value with random noise for differential privacy';

CREATE FUNCTION anon_dp_noise_sticky(value date, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(date, double precision, double precision, bigint, text, text, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value real, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS real LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(real, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value double precision, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS double precision LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(double precision, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value smallint, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(smallint, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value integer, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(integer, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value bigint, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(bigint, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value numeric, epsilon double precision, sensitivity double precision, seed bigint DEFAULT 0, lower double precision DEFAULT NULL, upper double precision DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(numeric, double precision, double precision, bigint, double precision, double precision, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value timestamp without time zone, epsilon double precision, sensitivity interval, seed bigint DEFAULT 0, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(timestamp without time zone, double precision, interval, bigint, text, text, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_dp_noise_sticky(value timestamp with time zone, epsilon double precision, sensitivity interval, seed bigint DEFAULT 0, earliest text DEFAULT NULL, latest text DEFAULT NULL, clamp boolean DEFAULT false, label text DEFAULT '', row_key text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_dp_noise_sticky(timestamp with time zone, double precision, interval, bigint, text, text, boolean, text, text, integer) IS 'Value with noise for differential privacy that stays the same for its row';

CREATE FUNCTION anon_email(value text, seed bigint DEFAULT 0, preserve_domain boolean DEFAULT false, hash_length integer DEFAULT 20, format text DEFAULT 'user_{hash}@example.com', locale text DEFAULT 'en', gender text DEFAULT 'any', entity text DEFAULT NULL, sex text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_email(text, bigint, boolean, integer, text, text, text, text, text, integer) IS 'Address at a reserved domain that stands for the given one';

CREATE FUNCTION anon_fpe(value date, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(date, bigint, text, text, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value date, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(date, bigint, text, text, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value smallint, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(smallint, bigint, bigint, bigint, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value smallint, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(smallint, bigint, bigint, bigint, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value integer, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(integer, bigint, bigint, bigint, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value integer, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(integer, bigint, bigint, bigint, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value bigint, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(bigint, bigint, bigint, bigint, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value bigint, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(bigint, bigint, bigint, bigint, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value numeric, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(numeric, bigint, bigint, bigint, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value numeric, seed bigint DEFAULT 0, min bigint DEFAULT NULL, max bigint DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(numeric, bigint, bigint, bigint, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value text, seed bigint DEFAULT 0, alphabet text DEFAULT 'digits', symbols text DEFAULT NULL, keep_prefix integer DEFAULT 0, keep_suffix integer DEFAULT 0, preserve_luhn boolean DEFAULT false, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(text, bigint, text, text, integer, integer, boolean, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value text, seed bigint DEFAULT 0, alphabet text DEFAULT 'digits', symbols text DEFAULT NULL, keep_prefix integer DEFAULT 0, keep_suffix integer DEFAULT 0, preserve_luhn boolean DEFAULT false, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(text, bigint, text, text, integer, integer, boolean, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value timestamp without time zone, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(timestamp without time zone, bigint, text, text, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value timestamp without time zone, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(timestamp without time zone, bigint, text, text, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value timestamp with time zone, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(timestamp with time zone, bigint, text, text, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value timestamp with time zone, seed bigint DEFAULT 0, first_date text DEFAULT NULL, last_date text DEFAULT NULL, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(timestamp with time zone, bigint, text, text, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_fpe(value uuid, seed bigint DEFAULT 0, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_fpe(uuid, bigint, text, text, text, text, integer) IS 'Encryption of a value into another of the same form';

CREATE FUNCTION anon_fpe_decrypt(value uuid, seed bigint DEFAULT 0, small_domain text DEFAULT 'error', tweak text DEFAULT '', algorithm text DEFAULT 'ff1', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_fpe_decrypt(uuid, bigint, text, text, text, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_generalize(value date, seed bigint DEFAULT 0, unit text DEFAULT 'year', method text DEFAULT 'bucket', as_of text DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS date LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(date, bigint, text, text, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value real, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS real LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(real, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value double precision, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS double precision LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(double precision, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value smallint, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS smallint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(smallint, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value integer, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS integer LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(integer, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value bigint, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(bigint, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value numeric, seed bigint DEFAULT 0, step double precision DEFAULT NULL, method text DEFAULT 'bucket', on_error text DEFAULT 'error')
  RETURNS numeric LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(numeric, bigint, double precision, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value text, seed bigint DEFAULT 0, method text DEFAULT 'bucket', restricted text[] DEFAULT NULL, keep integer DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(text, bigint, text, text[], integer, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value timestamp without time zone, seed bigint DEFAULT 0, unit text DEFAULT 'year', method text DEFAULT 'bucket', as_of text DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS timestamp without time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(timestamp without time zone, bigint, text, text, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_generalize(value timestamp with time zone, seed bigint DEFAULT 0, unit text DEFAULT 'year', method text DEFAULT 'bucket', as_of text DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS timestamp with time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_generalize(timestamp with time zone, bigint, text, text, text, text) IS 'Coarser value of the same type';

CREATE FUNCTION anon_geo(value real, part text, seed bigint DEFAULT 0, cell_km double precision DEFAULT 10, method text DEFAULT 'grid', radius_km double precision DEFAULT 10, latitude text DEFAULT NULL, longitude text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS real LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_geo(real, text, bigint, double precision, text, double precision, text, text, text, text, integer) IS 'Coordinate in the middle of a grid cell, or moved within a radius';

CREATE FUNCTION anon_geo(value double precision, part text, seed bigint DEFAULT 0, cell_km double precision DEFAULT 10, method text DEFAULT 'grid', radius_km double precision DEFAULT 10, latitude text DEFAULT NULL, longitude text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS double precision LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_geo(double precision, text, bigint, double precision, text, double precision, text, text, text, text, integer) IS 'Coordinate in the middle of a grid cell, or moved within a radius';

CREATE FUNCTION anon_geo(value numeric, part text, seed bigint DEFAULT 0, cell_km double precision DEFAULT 10, method text DEFAULT 'grid', radius_km double precision DEFAULT 10, latitude text DEFAULT NULL, longitude text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_geo(numeric, text, bigint, double precision, text, double precision, text, text, text, text, integer) IS 'Coordinate in the middle of a grid cell, or moved within a radius';

CREATE FUNCTION anon_hash(value bytea, seed bigint DEFAULT 0, algorithm text DEFAULT 'sha256', length integer DEFAULT 20, key_version integer DEFAULT NULL)
  RETURNS bytea LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(bytea, bigint, text, integer, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_hash(value smallint, seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(smallint, bigint, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_hash(value integer, seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(integer, bigint, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_hash(value bigint, seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(bigint, bigint, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_hash(value text, seed bigint DEFAULT 0, algorithm text DEFAULT 'sha256', length integer DEFAULT 20, prefix text DEFAULT '', canonical text DEFAULT 'exact', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(text, bigint, text, integer, text, text, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_hash(value uuid, seed bigint DEFAULT 0, key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_hash(uuid, bigint, integer) IS 'Keyed digest of a value, as a value of the same type';

CREATE FUNCTION anon_iban(value text, seed bigint DEFAULT 0, country text DEFAULT NULL, keep_unique boolean DEFAULT false, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_iban(text, bigint, text, boolean, text, integer) IS 'Account number with valid check digits that stands for the given one';

CREATE FUNCTION anon_ip(value cidr, seed bigint DEFAULT 0, method text DEFAULT 'prefix', keep_bits integer DEFAULT 0, keep_bits_v6 integer DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS cidr LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_ip(cidr, bigint, text, integer, integer, text, integer) IS 'Network address that stands for the given one';

CREATE FUNCTION anon_ip_decrypt(value cidr, seed bigint DEFAULT 0, method text DEFAULT 'prefix', keep_bits integer DEFAULT 0, keep_bits_v6 integer DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS cidr LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_ip_decrypt(cidr, bigint, text, integer, integer, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_ip(value inet, seed bigint DEFAULT 0, method text DEFAULT 'prefix', keep_bits integer DEFAULT 0, keep_bits_v6 integer DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS inet LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_ip(inet, bigint, text, integer, integer, text, integer) IS 'Network address that stands for the given one';

CREATE FUNCTION anon_ip_decrypt(value inet, seed bigint DEFAULT 0, method text DEFAULT 'prefix', keep_bits integer DEFAULT 0, keep_bits_v6 integer DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS inet LANGUAGE c VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'unmask_wrapper';
COMMENT ON FUNCTION anon_ip_decrypt(inet, bigint, text, integer, integer, text, integer) IS 'Value that was encrypted, for those who may see it';

CREATE FUNCTION anon_ip(value text, seed bigint DEFAULT 0, method text DEFAULT 'prefix', keep_bits integer DEFAULT 0, keep_bits_v6 integer DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_ip(text, bigint, text, integer, integer, text, integer) IS 'Network address that stands for the given one';

CREATE FUNCTION anon_job(value text, seed bigint DEFAULT 0, locale text DEFAULT 'en', keep_unique boolean DEFAULT false, max_length integer DEFAULT NULL, entity text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_job(text, bigint, text, boolean, integer, text, integer) IS 'Occupation out of a list';

CREATE FUNCTION anon_json(value json, seed bigint DEFAULT 0, paths jsonb DEFAULT NULL, unlisted text DEFAULT 'redact', entity text DEFAULT NULL, names text[] DEFAULT NULL, emails text[] DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS json LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_json(json, bigint, jsonb, text, text, text[], text[], text, integer) IS 'Document whose parts are masked by path';

CREATE FUNCTION anon_json(value jsonb, seed bigint DEFAULT 0, paths jsonb DEFAULT NULL, unlisted text DEFAULT 'redact', entity text DEFAULT NULL, names text[] DEFAULT NULL, emails text[] DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS jsonb LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_json(jsonb, bigint, jsonb, text, text, text[], text[], text, integer) IS 'Document whose parts are masked by path';

CREATE FUNCTION anon_json(value text, seed bigint DEFAULT 0, paths jsonb DEFAULT NULL, unlisted text DEFAULT 'redact', entity text DEFAULT NULL, names text[] DEFAULT NULL, emails text[] DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_json(text, bigint, jsonb, text, text, text[], text[], text, integer) IS 'Document whose parts are masked by path';

CREATE FUNCTION anon_lorem(value text, seed bigint DEFAULT 0, unit text DEFAULT 'characters', keep_lines boolean DEFAULT true, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_lorem(text, bigint, text, boolean, text, integer) IS 'Placeholder text in the shape of the given one';

CREATE FUNCTION anon_mac(value macaddr, seed bigint DEFAULT 0, keep_vendor boolean DEFAULT false, keep_unique boolean DEFAULT false, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS macaddr LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_mac(macaddr, bigint, boolean, boolean, text, integer) IS 'Machine address that stands for the given one';

CREATE FUNCTION anon_mac(value macaddr8, seed bigint DEFAULT 0, keep_vendor boolean DEFAULT false, keep_unique boolean DEFAULT false, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS macaddr8 LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_mac(macaddr8, bigint, boolean, boolean, text, integer) IS 'Machine address that stands for the given one';

CREATE FUNCTION anon_mac(value text, seed bigint DEFAULT 0, keep_vendor boolean DEFAULT false, keep_unique boolean DEFAULT false, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_mac(text, bigint, boolean, boolean, text, integer) IS 'Machine address that stands for the given one';

CREATE FUNCTION anon_map(value boolean, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS boolean LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(boolean, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value date, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(date, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value anyenum, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, canonical text DEFAULT 'exact', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS anyenum LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(anyenum, jsonb, bigint, text, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value smallint, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(smallint, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value integer, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(integer, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value bigint, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(bigint, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value numeric, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(numeric, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value text, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, canonical text DEFAULT 'exact', on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(text, jsonb, bigint, text, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_map(value uuid, pairs jsonb, seed bigint DEFAULT 0, on_miss text DEFAULT 'error', fallback text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_map(uuid, jsonb, bigint, text, text, text, integer) IS 'Value of a dictionary';

CREATE FUNCTION anon_mask(value text, seed bigint DEFAULT 0, keep_first integer DEFAULT 0, keep_last integer DEFAULT 0, keep text DEFAULT 'none', keep_class text DEFAULT 'none', keep_separators boolean DEFAULT true, mask_char text DEFAULT '*', pad_to integer DEFAULT 0)
  RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_mask(text, bigint, integer, integer, text, text, boolean, text, integer) IS 'Text of which at most half is shown and the rest written over';

CREATE FUNCTION anon_name(value text, seed bigint DEFAULT 0, part text DEFAULT 'full', locale text DEFAULT 'en', gender text DEFAULT 'any', keep_case boolean DEFAULT true, keep_unique boolean DEFAULT false, max_length integer DEFAULT NULL, entity text DEFAULT NULL, sex text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_name(text, bigint, text, text, text, boolean, boolean, integer, text, text, integer) IS 'Name of a person that does not exist, or a part of it';

CREATE FUNCTION anon_national_id(value integer, country text, seed bigint DEFAULT 0, keep_birth boolean DEFAULT false, keep_unique boolean DEFAULT false, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_national_id(integer, text, bigint, boolean, boolean, text, text, integer) IS 'Number in the form that a state gives to persons, with a valid check';

CREATE FUNCTION anon_national_id(value bigint, country text, seed bigint DEFAULT 0, keep_birth boolean DEFAULT false, keep_unique boolean DEFAULT false, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_national_id(bigint, text, bigint, boolean, boolean, text, text, integer) IS 'Number in the form that a state gives to persons, with a valid check';

CREATE FUNCTION anon_national_id(value text, country text, seed bigint DEFAULT 0, keep_birth boolean DEFAULT false, keep_unique boolean DEFAULT false, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_national_id(text, text, bigint, boolean, boolean, text, text, integer) IS 'Number in the form that a state gives to persons, with a valid check';

CREATE FUNCTION anon_noise(value date, seed bigint DEFAULT 0, amount double precision DEFAULT NULL, earliest text DEFAULT NULL, latest text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS date LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(date, bigint, double precision, text, text, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value real, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS real LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(real, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value double precision, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS double precision LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(double precision, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value smallint, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS smallint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(smallint, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value integer, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(integer, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value bigint, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(bigint, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value numeric, seed bigint DEFAULT 0, ratio double precision DEFAULT 0.1, amount double precision DEFAULT NULL, min double precision DEFAULT NULL, max double precision DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS numeric LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(numeric, bigint, double precision, double precision, double precision, double precision, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value timestamp without time zone, seed bigint DEFAULT 0, amount interval DEFAULT NULL, earliest text DEFAULT NULL, latest text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp without time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(timestamp without time zone, bigint, interval, text, text, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_noise(value timestamp with time zone, seed bigint DEFAULT 0, amount interval DEFAULT NULL, earliest text DEFAULT NULL, latest text DEFAULT NULL, entity text DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS timestamp with time zone LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_noise(timestamp with time zone, bigint, interval, text, text, text, text, integer) IS 'Number or date that differs a little, by the key';

CREATE FUNCTION anon_null(value boolean, seed bigint DEFAULT 0)
  RETURNS boolean LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(boolean, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value bytea, seed bigint DEFAULT 0)
  RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(bytea, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value cidr, seed bigint DEFAULT 0)
  RETURNS cidr LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(cidr, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value date, seed bigint DEFAULT 0)
  RETURNS date LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(date, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value anyenum, seed bigint DEFAULT 0)
  RETURNS anyenum LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(anyenum, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value real, seed bigint DEFAULT 0)
  RETURNS real LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(real, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value double precision, seed bigint DEFAULT 0)
  RETURNS double precision LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(double precision, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value inet, seed bigint DEFAULT 0)
  RETURNS inet LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(inet, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value smallint, seed bigint DEFAULT 0)
  RETURNS smallint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(smallint, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value integer, seed bigint DEFAULT 0)
  RETURNS integer LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(integer, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value bigint, seed bigint DEFAULT 0)
  RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(bigint, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value json, seed bigint DEFAULT 0)
  RETURNS json LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(json, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value jsonb, seed bigint DEFAULT 0)
  RETURNS jsonb LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(jsonb, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value macaddr, seed bigint DEFAULT 0)
  RETURNS macaddr LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(macaddr, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value macaddr8, seed bigint DEFAULT 0)
  RETURNS macaddr8 LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(macaddr8, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value numeric, seed bigint DEFAULT 0)
  RETURNS numeric LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(numeric, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value text, seed bigint DEFAULT 0)
  RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(text, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value timestamp without time zone, seed bigint DEFAULT 0)
  RETURNS timestamp without time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(timestamp without time zone, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value timestamp with time zone, seed bigint DEFAULT 0)
  RETURNS timestamp with time zone LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(timestamp with time zone, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_null(value uuid, seed bigint DEFAULT 0)
  RETURNS uuid LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_null(uuid, bigint) IS 'NULL for every row';

CREATE FUNCTION anon_phone(value integer, seed bigint DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS integer LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_phone(integer, bigint, text, integer) IS 'Other digits in the notation of the given number';

CREATE FUNCTION anon_phone(value bigint, seed bigint DEFAULT 0, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS bigint LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_phone(bigint, bigint, text, integer) IS 'Other digits in the notation of the given number';

CREATE FUNCTION anon_phone(value text, seed bigint DEFAULT 0, preserve_country_code boolean DEFAULT false, keep_unique boolean DEFAULT false, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_phone(text, bigint, boolean, boolean, text, integer) IS 'Other digits in the notation of the given number';

CREATE FUNCTION anon_redact(value bytea, seed bigint DEFAULT 0)
  RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(bytea, bigint) IS 'Constant in place of a value';

CREATE FUNCTION anon_redact(value smallint, seed bigint DEFAULT 0)
  RETURNS smallint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(smallint, bigint) IS 'Constant in place of a value';

CREATE FUNCTION anon_redact(value integer, seed bigint DEFAULT 0)
  RETURNS integer LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(integer, bigint) IS 'Constant in place of a value';

CREATE FUNCTION anon_redact(value bigint, seed bigint DEFAULT 0)
  RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(bigint, bigint) IS 'Constant in place of a value';

CREATE FUNCTION anon_redact(value text, seed bigint DEFAULT 0, style text DEFAULT 'constant', replacement text DEFAULT NULL)
  RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(text, bigint, text, text) IS 'Constant in place of a value';

CREATE FUNCTION anon_redact(value uuid, seed bigint DEFAULT 0)
  RETURNS uuid LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_redact(uuid, bigint) IS 'Constant in place of a value';

CREATE FUNCTION anon_round(value real, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS real LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(real, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_round(value double precision, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS double precision LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(double precision, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_round(value smallint, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS smallint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(smallint, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_round(value integer, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS integer LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(integer, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_round(value bigint, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(bigint, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_round(value numeric, step double precision, seed bigint DEFAULT 0, mode text DEFAULT 'floor', min double precision DEFAULT NULL, max double precision DEFAULT NULL, on_error text DEFAULT 'error')
  RETURNS numeric LANGUAGE c IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_round(numeric, double precision, bigint, text, double precision, double precision, text) IS 'Number rounded to a multiple of a step';

CREATE FUNCTION anon_salted_hash(value bytea, seed bigint DEFAULT 0, salt text DEFAULT '', algorithm text DEFAULT 'sha256', length integer DEFAULT NULL, salt_version integer DEFAULT NULL, memory_kib integer DEFAULT NULL, passes integer DEFAULT NULL, lanes integer DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS bytea LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_salted_hash(bytea, bigint, text, text, integer, integer, integer, integer, integer, integer) IS 'Keyed digest of a value under a stored salt';

CREATE FUNCTION anon_salted_hash(value text, seed bigint DEFAULT 0, salt text DEFAULT '', algorithm text DEFAULT 'sha256', length integer DEFAULT NULL, prefix text DEFAULT '', salt_version integer DEFAULT NULL, memory_kib integer DEFAULT NULL, passes integer DEFAULT NULL, lanes integer DEFAULT NULL, compatible text DEFAULT 'none', compatible_function text DEFAULT NULL, compatible_salt text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_salted_hash(text, bigint, text, text, integer, text, integer, integer, integer, integer, text, text, text, integer) IS 'Keyed digest of a value under a stored salt';

CREATE FUNCTION anon_text(value text, seed bigint DEFAULT 0, find text[] DEFAULT NULL, style text DEFAULT 'pseudonym', on_name text DEFAULT 'pseudonym', max_length integer DEFAULT NULL, names text[] DEFAULT NULL, emails text[] DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_text(text, bigint, text[], text, text, integer, text[], text[], text, integer) IS 'Free text with pseudonyms for the addresses, numbers and names found in it';

CREATE FUNCTION anon_url(value text, seed bigint DEFAULT 0, part text DEFAULT 'url', path text DEFAULT 'shape', keep_scheme boolean DEFAULT true, keep_port boolean DEFAULT false, keep_names boolean DEFAULT false, keep_unique boolean DEFAULT false, domain text DEFAULT 'example.com', token_length integer DEFAULT 8, max_length integer DEFAULT NULL, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_url(text, bigint, text, text, boolean, boolean, boolean, boolean, text, integer, integer, text, integer) IS 'URL or domain name at a reserved domain that stands for the given one';

CREATE FUNCTION anon_user_agent(value text, seed bigint DEFAULT 0, keep_family boolean DEFAULT false, keep_unique boolean DEFAULT false, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_user_agent(text, bigint, boolean, boolean, integer) IS 'Common user agent in place of the given one';

CREATE FUNCTION anon_username(value text, seed bigint DEFAULT 0, locale text DEFAULT 'en', keep_unique boolean DEFAULT true, max_length integer DEFAULT 40, gender text DEFAULT 'any', entity text DEFAULT NULL, sex text DEFAULT NULL, key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_username(text, bigint, text, boolean, integer, text, text, text, integer) IS 'Handle made of the names of a person that does not exist';

CREATE FUNCTION anon_uuid(value text, seed bigint DEFAULT 0, version integer DEFAULT 4, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS text LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_uuid(text, bigint, integer, text, integer) IS 'Uuid of version 4 or 8 that stands for the given one';

CREATE FUNCTION anon_uuid(value uuid, seed bigint DEFAULT 0, version integer DEFAULT 4, on_error text DEFAULT 'error', key_version integer DEFAULT NULL)
  RETURNS uuid LANGUAGE c STABLE PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'mask_wrapper';
COMMENT ON FUNCTION anon_uuid(uuid, bigint, integer, text, integer) IS 'Uuid of version 4 or 8 that stands for the given one';

