//! The masks as SQL sees them: what is called, with which arguments, and what is refused.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg_test::support::{holds, masking_key, one, refused, run, texts};

    /// Every mask with its first argument NULL, by its own defaults and with them written out.
    const NULL_CALLS: &str = "
        SELECT p.proname || '(' || string_agg(
                 CASE WHEN p.proargnames[a.n] = 'value' THEN 'NULL::' || format_type(a.type, NULL)
                          ELSE p.proargnames[a.n] || ' => ' || coalesce(
                            pg_get_function_arg_default(p.oid, a.n::int), 'NULL') END,
                 ', ' ORDER BY a.n) FILTER (WHERE a.n <= shown OR a.n <= p.pronargs - p.pronargdefaults) || ')'
          FROM pg_extension e
          JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                          AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
          JOIN pg_proc p ON p.oid = d.objid AND p.proname LIKE 'anon\\_%'
         CROSS JOIN unnest(ARRAY[1, 100]) AS shown
         CROSS JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, n)
         WHERE e.extname = 'confiture' AND p.proargnames[1] = 'value' AND p.prokind = 'f'
           AND p.prorettype <> ALL (ARRAY['anyelement', 'anyenum']::regtype[])
         GROUP BY p.oid, p.proname, shown";

    #[pg_test]
    fn strategies_null_stays_null_for_every_mask_and_type() -> Result<()> {
        // No key is needed to mask nothing.
        let calls = texts(NULL_CALLS)?;
        assert!(calls.len() >= 30, "{calls:?}");
        for call in calls {
            holds(&format!("{call} IS NULL"));
        }
        Ok(())
    }

    #[pg_test]
    fn strategies_defaults_equal_explicit_defaults_by_name() -> Result<()> {
        masking_key()?;
        for (short, long) in [
            (
                "anon_hash('x')",
                "anon_hash(value => 'x', seed => 0, algorithm => 'sha256', length => 20,
                           prefix => '', canonical => 'exact')",
            ),
            (
                r"anon_hash('\x00ff'::bytea)",
                r"anon_hash(value => '\x00ff'::bytea, seed => 0, algorithm => 'sha256',
                   length => 20)",
            ),
            (
                "anon_email('ann@example.com')",
                "anon_email(value => 'ann@example.com', seed => 0, preserve_domain => false,
                            hash_length => 20, format => 'user_{hash}@example.com')",
            ),
            (
                "anon_phone('+1 555 0100')",
                "anon_phone(value => '+1 555 0100', seed => 0, preserve_country_code => false)",
            ),
            (
                "anon_redact('x')",
                "anon_redact(value => 'x', style => 'constant', replacement => NULL)",
            ),
            ("anon_hash(7)", "anon_hash(value => 7, seed => 0)"),
            (
                "anon_phone(5550100)",
                "anon_phone(value => 5550100, seed => 0)",
            ),
        ] {
            holds(&format!("{short} = {long}"));
        }
        Ok(())
    }

    #[pg_test]
    fn strategies_spellings_of_one_value_share_a_pseudonym() -> Result<()> {
        masking_key()?;
        for (mask, a, b) in [
            ("anon_email", "'ann@example.com'", "'  Ann@EXAMPLE.com '"),
            (
                "anon_email",
                r"U&'zo\00EB@example.com'",
                r"U&'Zoe\0308@example.com'",
            ),
            ("anon_phone", "'5550100'", "' 5550100 '"),
        ] {
            let (a, b) = (format!("{mask}({a})"), format!("{mask}({b})"));
            holds(&format!("btrim({a}) = btrim({b})"));
        }
        let digits =
            |number: &str| format!("regexp_replace(anon_phone('{number}'), '\\D', '', 'g')");
        holds(&format!(
            "{} = {}",
            digits("555-0100"),
            digits("(555) 01 00")
        ));
        holds("anon_hash('Ann') <> anon_hash('ann')");
        holds("anon_hash(' Ann ', canonical => 'text') = anon_hash('ann', canonical => 'text')");
        Ok(())
    }

    #[pg_test]
    fn strategies_output_has_the_type_of_the_input() -> Result<()> {
        masking_key()?;
        for (mask, types) in [
            ("anon_hash", "text smallint integer bigint uuid bytea"),
            ("anon_email", "text"),
            ("anon_phone", "text integer bigint"),
            ("anon_redact", "text smallint integer bigint uuid bytea"),
        ] {
            for of in types.split(' ') {
                let value = match of {
                    "uuid" => "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
                    "bytea" => r"'\x01'",
                    _ => "'12345'",
                };
                holds(&format!(
                    "pg_typeof({mask}({value}::{of})) = '{of}'::regtype"
                ));
                let overloads = types.split(' ').count();
                let found: i64 = one(&format!(
                    "SELECT count(*) FROM pg_proc WHERE proname = '{mask}'"
                ))?;
                assert_eq!(usize::try_from(found), Ok(overloads), "{mask}");
            }
        }
        Ok(())
    }

    #[pg_test]
    fn strategies_a_seed_selects_the_pseudonyms() -> Result<()> {
        masking_key()?;
        for call in [
            "anon_hash('x'",
            "anon_hash(123456789",
            "anon_hash('\\x0102'::bytea",
            "anon_email('ann@example.com'",
            "anon_phone('+1 555 0100 200'",
        ] {
            holds(&format!("{call}, seed => 1) = {call}, seed => 1)"));
            holds(&format!("{call}, seed => 1) <> {call}, seed => 2)"));
            holds(&format!("{call}, seed => 0) = {call})"));
        }
        holds("anon_hash('x', -9223372036854775808) <> anon_hash('x', 9223372036854775807)");
        Ok(())
    }

    #[pg_test]
    fn strategies_parameters_must_not_be_null() -> Result<()> {
        masking_key()?;
        for (call, argument) in [
            ("anon_hash('x', seed => NULL)", "seed"),
            ("anon_hash(1, seed => NULL)", "seed"),
            ("anon_hash('x', algorithm => NULL)", "algorithm"),
            ("anon_hash('x', length => NULL)", "length"),
            ("anon_hash('x', prefix => NULL)", "prefix"),
            ("anon_hash('x', canonical => NULL)", "canonical"),
            (
                "anon_email('x', preserve_domain => NULL)",
                "preserve_domain",
            ),
            ("anon_email('x', hash_length => NULL)", "hash_length"),
            ("anon_email('x', format => NULL)", "format"),
            (
                "anon_phone('x', preserve_country_code => NULL)",
                "preserve_country_code",
            ),
            ("anon_redact('x', style => NULL)", "style"),
        ] {
            let refusal = refused("22023", &format!("SELECT {call}"));
            assert_eq!(
                refusal.message,
                format!("argument \"{argument}\" must not be null")
            );
        }
        Ok(())
    }

    #[pg_test]
    fn strategies_a_wrong_parameter_says_what_is_right() -> Result<()> {
        masking_key()?;
        for (call, says) in [
            (
                "anon_hash('s3cret', algorithm => 'sha265')",
                "Did you mean \"sha256\"?",
            ),
            ("anon_hash('s3cret', algorithm => 'md5')", "Use \"sha256\""),
            (
                "anon_hash('s3cret', canonical => 'txet')",
                "Did you mean \"text\"?",
            ),
            ("anon_hash('s3cret', length => 0)", "between"),
            ("anon_hash('s3cret', length => 70000)", "between"),
            ("anon_hash('s3cret', length => -1)", "between"),
            ("anon_email('s3cret', hash_length => 1000)", "between"),
            ("anon_email('s3cret', format => 'nobody')", "{hash}"),
            (
                "anon_redact('s3cret', style => 'lenght')",
                "Did you mean \"length\"?",
            ),
        ] {
            let refusal = refused("22023", &format!("SELECT {call}"));
            assert!(refusal.words().contains(says), "{call}: {refusal:?}");
            assert!(!refusal.words().contains("s3cret"), "{call}: {refusal:?}");
        }
        Ok(())
    }

    #[pg_test]
    fn strategies_arguments_may_change_from_row_to_row() -> Result<()> {
        masking_key()?;
        run("CREATE TEMP TABLE one_by_one (seed bigint, length int, pseudonym text)")?;
        run("DO $$ BEGIN
               FOR i IN 1 .. 20 LOOP
                 EXECUTE format('INSERT INTO one_by_one SELECT %s, %s, anon_hash(''x'', %s,
                    length => %s)',
                                i, 20 + 2 * (i % 3), i, 20 + 2 * (i % 3));
               END LOOP;
             END $$")?;
        // One call site, arguments of the row.
        holds(
            "bool_and(pseudonym = anon_hash('x', o.seed, length => o.length))
                 AND count(DISTINCT pseudonym) = 20 AND count(*) = 20 FROM one_by_one o",
        );
        holds(
            "bool_and(anon_email('a@b.example', o.seed % 2) = CASE o.seed % 2
                          WHEN 0 THEN anon_email('a@b.example', 0)
                             ELSE anon_email('a@b.example', 1) END)
                 FROM one_by_one o",
        );
        // An expression that PL/pgSQL keeps for the whole transaction.
        run("DO $$
             DECLARE
               found text;
             BEGIN
               FOR i IN 1 .. 20 LOOP
                 found := anon_hash('x', i, length => 20 + 2 * (i % 3));
                 IF found <> (SELECT pseudonym FROM one_by_one WHERE seed = i) THEN
                   RAISE EXCEPTION 'seed % stuck', i;
                 END IF;
               END LOOP;
             END $$")?;
        Ok(())
    }

    #[pg_test]
    fn strategies_a_new_key_version_gives_new_pseudonyms() -> Result<()> {
        masking_key()?;
        let before: String = one("SELECT anon_hash('x')")?;
        assert_eq!(before, one::<String>("SELECT anon_hash('x')")?);
        run("SELECT confiture.rotate_key('masking')")?;
        let after: String = one("SELECT anon_hash('x')")?;
        assert_ne!(before, after);
        Ok(())
    }

    #[pg_test]
    fn strategies_rolling_a_rotation_back_brings_pseudonyms_back() -> Result<()> {
        masking_key()?;
        let before: String = one("SELECT anon_hash('x')")?;
        refused(
            "P0001",
            "DO $$ BEGIN
               PERFORM confiture.rotate_key('masking');
               PERFORM anon_hash('x');
               RAISE EXCEPTION 'undone';
             END $$",
        );
        assert_eq!(before, one::<String>("SELECT anon_hash('x')")?);
        Ok(())
    }

    #[pg_test]
    fn strategies_without_a_key_nothing_keyed_works() {
        for call in [
            "anon_hash('s3cret')",
            "anon_hash(4711)",
            "anon_hash('s3cret'::bytea)",
            "anon_email('s3cret@example.com')",
            "anon_phone('4711')",
        ] {
            let refusal = refused("55000", &format!("SELECT {call}"));
            assert!(
                refusal.hint.contains("confiture.init_key_file()"),
                "{refusal:?}"
            );
            assert!(
                refusal.hint.contains("confiture.create_key('masking')"),
                "{refusal:?}"
            );
            assert!(!refusal.words().contains("s3cret"), "{refusal:?}");
        }
        holds("anon_redact('x') = '[REDACTED]' AND anon_redact(7) = 0");
    }

    #[pg_test]
    fn strategies_masked_values_stay_in_their_form() -> Result<()> {
        masking_key()?;
        holds("anon_hash('x') ~ '^[0-9a-f]{20}$'");
        holds("anon_hash('x', prefix => 'h_', length => 32) ~ '^h_[0-9a-f]{32}$'");
        holds(r"octet_length(anon_hash('\x01'::bytea, length => 40)) = 20");
        holds("substr(anon_hash(gen_random_uuid())::text, 15, 1) = '8'");
        holds("bool_and(anon_hash(i::smallint) >= 0) FROM generate_series(1, 1000) i");
        holds("anon_email('a@b.example') ~ '^user_[0-9a-f]{20}@example\\.com$'");
        holds("anon_email('a@b.example', preserve_domain => true) LIKE '%@b.example'");
        holds("anon_phone('+49 (30) 123-456') ~ '^\\+\\d\\d \\(\\d\\d\\) \\d{3}-\\d{3}$'");
        holds(
            "anon_phone('+49 (30) 123-456', preserve_country_code => true) LIKE '+49 (__) ___-___'",
        );
        holds("anon_redact('abc', style => 'length') = '***'");
        holds("anon_redact('abc', replacement => '') = ''");
        Ok(())
    }
}
