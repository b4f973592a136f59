//! Keys as SQL sees them: made once, rotated, and refused when their rows are not as written.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg_test::support::{holds, made_key_file, masking_key, one, refused, run};

    #[pg_test]
    fn keys_are_made_once() -> Result<()> {
        masking_key()?;
        let refusal = refused("42710", "SELECT confiture.create_key('masking')");
        assert_eq!(refusal.message, "key \"masking\" already exists");
        assert!(refusal.hint.contains("confiture.rotate_key"), "{refusal:?}");
        // One key for each purpose, whatever its name.
        refused("42710", "SELECT confiture.create_key('other', 'masking')");
        holds("confiture.create_key('other') = 1");
        refused(
            "42710",
            "SELECT confiture.create_key('another', purpose => 'other')",
        );
        holds("confiture.create_key('vault_2', purpose => 'vault') = 1");
        Ok(())
    }

    #[pg_test]
    fn keys_need_their_arguments() -> Result<()> {
        for call in ["create_key(NULL)", "rotate_key(NULL)"] {
            let refusal = refused("22023", &format!("SELECT confiture.{call}"));
            assert_eq!(refusal.message, "argument \"name\" must not be null");
        }
        Ok(())
    }

    #[pg_test]
    fn keys_without_their_installation_are_damaged() -> Result<()> {
        masking_key()?;
        run("DELETE FROM confiture.installation")?;
        refused("XX001", "SELECT anon_hash('x')");
        Ok(())
    }

    #[pg_test]
    fn keys_have_plain_names() -> Result<()> {
        masking_key()?;
        let long = "x".repeat(64);
        for name in ["", "Masking", "a b", "1a", "clé", "a;b", long.as_str()] {
            let refusal = refused("22023", &format!("SELECT confiture.create_key('{name}')"));
            assert_eq!(refusal.message, "invalid key name");
            refused(
                "22023",
                &format!("SELECT confiture.create_key('fine', '{name}')"),
            );
        }
        Ok(())
    }

    #[pg_test]
    fn keys_rotate_and_keep_the_former_version() -> Result<()> {
        masking_key()?;
        holds("confiture.rotate_key('masking') = 2 AND confiture.rotate_key('masking') = 3");
        holds(
            "array_agg(state ORDER BY version) = '{decrypt_only,decrypt_only,active}'
                 AND array_agg(retired_at IS NULL ORDER BY version) = '{f,f,t}'
                 AND bool_and(provider = 'file' AND created_by = current_user)
                 FROM confiture.key_status WHERE name = 'masking'",
        );
        refused("42704", "SELECT confiture.rotate_key('unheard_of')");
        Ok(())
    }

    #[pg_test]
    fn keys_altered_rows_are_refused() -> Result<()> {
        masking_key()?;
        run("SELECT confiture.rotate_key('masking'), confiture.create_key('other')")?;
        // In use before it is altered: what this session remembers must not cover for the row.
        run("SELECT anon_hash('x')")?;
        for change in [
            "SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)",
            "SET wrapped = set_byte(wrapped, 0, 9)",
            "SET wrapped = substr(wrapped, 1, 60)",
            r"SET wrapped = wrapped || '\x00'",
            "SET wrapped = ''",
            "SET binding_mac = ''",
            "SET binding_mac = set_byte(binding_mac, 31, get_byte(binding_mac, 31) # 1)",
            "SET version = 7",
        ] {
            refused_after(&format!("confiture.key_version {change} {ACTIVE}"), "XX001")?;
        }
        // Whole keys of other rows: of the version before, and of another key.
        for other in [
            "key_name = 'masking' AND o.version = 1",
            "key_name = 'other'",
        ] {
            for columns in [
                "wrapped = o.wrapped",
                "wrapped = o.wrapped, binding_mac = o.binding_mac",
            ] {
                let change = format!(
                    "confiture.key_version v SET {columns} FROM confiture.key_version o
                      WHERE v.key_name = 'masking' AND v.version = 2 AND o.{other}"
                );
                refused_after(&change, "XX001")?;
            }
        }
        refused_after("confiture.installation SET id = gen_random_uuid()", "XX001")?;
        refused_after(
            &format!("confiture.key_version SET provider = 'aws', wrapped = '' {ACTIVE}"),
            "55000",
        )?;
        refused_after(
            &format!("confiture.key_version SET provider = 'gpg', wrapped = '' {ACTIVE}"),
            "22023",
        )?;
        // Another purpose: the key is no longer the masking key, and there is no other.
        refused_after(
            "confiture.key SET purpose = 'spare' WHERE name = 'masking'",
            "55000",
        )?;
        holds("anon_hash('x') IS NOT NULL");
        Ok(())
    }

    const ACTIVE: &str = "WHERE key_name = 'masking' AND state = 'active'";

    /// Does an UPDATE, masks, and puts everything back.
    fn refused_after(change: &str, sqlstate: &str) -> Result<()> {
        let before: String = one("SELECT anon_hash('x')")?;
        let refusal = refused(
            sqlstate,
            &format!("DO $do$ BEGIN UPDATE {change}; PERFORM anon_hash('s3cret'); END $do$"),
        );
        assert!(!refusal.words().contains("s3cret"), "{change}: {refusal:?}");
        assert_eq!(before, one::<String>("SELECT anon_hash('x')")?, "{change}");
        Ok(())
    }

    #[pg_test]
    fn keys_of_another_key_file_are_told_from_damaged_ones() -> Result<()> {
        masking_key()?;
        run(&format!(
            "UPDATE confiture.key_version SET kek_ref = 'another' {ACTIVE}"
        ))?;
        run("SELECT confiture.forget_keys()")?;
        let refusal = refused("55000", "SELECT anon_hash('s3cret')");
        assert!(
            refusal.detail.contains("wrapped by key another"),
            "{refusal:?}"
        );
        assert!(refusal.hint.contains("escrow"), "{refusal:?}");
        Ok(())
    }

    #[pg_test]
    fn keys_older_versions_swapped_for_each_other_are_noticed() -> Result<()> {
        masking_key()?;
        run("SELECT confiture.rotate_key('masking')")?;
        // The state is not part of what the key is bound to: an older version may become active.
        run("UPDATE confiture.key_version SET state = 'decrypt_only' WHERE key_name = 'masking'")?;
        refused("55000", "SELECT anon_hash('x')");
        run("UPDATE confiture.key_version SET version = 3 - version + 10
               WHERE key_name = 'masking'")?;
        run("UPDATE confiture.key_version SET state = 'active'
               WHERE key_name = 'masking' AND version = 11")?;
        refused("XX001", "SELECT anon_hash('x')");
        Ok(())
    }

    #[pg_test]
    #[cfg(target_os = "linux")]
    fn keys_lie_in_memory_that_core_dumps_and_forks_leave_out() -> Result<()> {
        masking_key()?;
        run("SELECT anon_hash('x')")?;
        let (address, count) = crate::keys::store::place().expect("a key is open");
        assert!(count > 0);
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("Linux has it");
        let flags = maps
            .lines()
            .skip_while(|line| {
                let range = line
                    .split_once(' ')
                    .and_then(|(range, _)| range.split_once('-'));
                let number = |digits| usize::from_str_radix(digits, 16).ok();
                !range.is_some_and(|(from, to)| match (number(from), number(to)) {
                    (Some(from), Some(to)) => (from..to).contains(&address),
                    _ => false,
                })
            })
            .find_map(|line| line.strip_prefix("VmFlags:"))
            .expect("the region is listed");
        for flag in [" dd", " wf"] {
            assert!(flags.contains(flag), "{flag} is not among {flags}");
        }
        run("SELECT confiture.forget_keys()")?;
        assert_eq!(crate::keys::store::place(), Some((address, 0)));
        Ok(())
    }

    #[pg_test]
    fn keys_in_use_cost_no_look_up_within_a_statement() -> Result<()> {
        masking_key()?;
        run("SELECT anon_hash('x')")?;
        let before = one::<i64>("SELECT pg_stat_get_xact_numscans('confiture.key'::regclass)")?;
        run(
            "SELECT count(anon_hash(i::text)), count(anon_email(i::text))
               FROM generate_series(1, 1000) AS i",
        )?;
        let after = one::<i64>("SELECT pg_stat_get_xact_numscans('confiture.key'::regclass)")?;
        assert_eq!(before, after);
        Ok(())
    }

    #[pg_test]
    fn keys_show_no_bytes() -> Result<()> {
        holds(
            "NOT EXISTS (SELECT FROM pg_attribute
                            WHERE attrelid = 'confiture.key_status'::regclass
                              AND atttypid = 'bytea'::regtype)",
        );
        // No function of the schema takes or returns bytes, but the mask of a run, those that
        // return hashes (of the log, and of values), and those by which parallel workers hand on
        // what they have counted, which take what no statement has.
        holds(
            "NOT EXISTS (SELECT FROM pg_proc
                            WHERE pronamespace = 'confiture'::regnamespace
                               AND proname NOT IN ('_run_mac', '_run_mask', 'inclusion_proof',
                                   'consistency_proof', '_tally', '_tally_bytes', '_tally_state')
                              AND 'bytea'::regtype = ANY (prorettype
                                 || coalesce(proallargtypes, proargtypes::oid[])))",
        );
        Ok(())
    }

    #[pg_test]
    fn keys_key_file_is_never_overwritten_nor_put_in_a_bad_place() -> Result<()> {
        let path = made_key_file()?;
        let refusal = refused("42710", "SELECT confiture.init_key_file()");
        assert!(refusal.message.contains(&path), "{refusal:?}");
        refused(
            "42710",
            &format!("SELECT confiture.init_key_file('{path}')"),
        );
        let inside: String = one("SELECT current_setting('data_directory') || '/confiture.key'")?;
        let refusal = refused(
            "55000",
            &format!("SELECT confiture.init_key_file('{inside}')"),
        );
        assert!(
            refusal.detail.contains("inside the data directory"),
            "{refusal:?}"
        );
        refused("55000", "SELECT confiture.init_key_file('confiture.key')");
        refused(
            "55000",
            "SELECT confiture.init_key_file('/no/such/folder/confiture.key')",
        );
        Ok(())
    }

    #[pg_test]
    fn keys_key_file_is_made_by_superusers_only() -> Result<()> {
        run("CREATE ROLE keys_file_maker")?;
        run("GRANT USAGE ON SCHEMA confiture TO keys_file_maker")?;
        let attempt = "SET LOCAL ROLE keys_file_maker; SELECT confiture.init_key_file('/tmp/x')";
        refused("42501", attempt);
        run("GRANT EXECUTE ON FUNCTION confiture.init_key_file(text) TO keys_file_maker")?;
        let refusal = refused("42501", attempt);
        assert_eq!(refusal.message, "permission denied to make a key file");
        Ok(())
    }

    #[pg_test]
    fn keys_are_used_with_the_rights_of_the_extension() -> Result<()> {
        masking_key()?;
        run("CREATE ROLE keys_masker")?;
        run("SELECT confiture.grant_access('masker', 'keys_masker')")?;
        let as_masker = |statement: &str| format!("SET LOCAL ROLE keys_masker; {statement}");
        run(&as_masker("SELECT anon_hash('x')"))?;
        for statement in [
            "SELECT wrapped FROM confiture.key_version",
            "SELECT * FROM confiture.key_status",
            "SELECT confiture.create_key('mine')",
            "SELECT confiture.rotate_key('masking')",
            "UPDATE confiture.key SET purpose = 'x'",
        ] {
            refused("42501", &as_masker(statement));
        }
        run("RESET ROLE")
    }
}
