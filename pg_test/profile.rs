//! Profiles as SQL sees them: versions that never change, problems as rows, seeds by name only.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::error::Result;
    use crate::pg::{ident, spi};
    use crate::pg_test::support::{holds, one, refused, run, texts};

    fn document(name: &str, version: &str, seeds: &str) -> String {
        format!(
            "name: {name}\nversion: \"{version}\"\n{seeds}strategies:\n  mail: {{type: email}}\n\
             tables:\n  users:\n    rules: [{{column: email, strategy: mail}}]\n"
        )
    }

    fn load(yaml: &str) -> String {
        format!("SELECT confiture.load_profile({})", ident::literal(yaml))
    }

    fn version_in_use(name: &str) -> Result<String> {
        // The versions tell themselves apart by where their seed comes from.
        one(&format!(
            "SELECT confiture.resolve_seed('{name}', 'users', 'email')"
        ))
    }

    #[pg_test]
    fn profile_loading_again_changes_nothing() -> Result<()> {
        let yaml = document("load_again", "1.0", "");
        assert_eq!(
            one::<String>(&load(&yaml))?,
            "profile \"load_again\" version \"1.0\" was loaded"
        );
        let again = format!("# a comment\n{yaml}");
        for yaml in [&yaml, &again] {
            assert_eq!(
                one::<String>(&load(yaml))?,
                "profile \"load_again\" version \"1.0\" was loaded before"
            );
        }
        holds(
            "count(*) = 1 AND bool_and(state = 'active' AND loaded_by = current_user
                 AND octet_length(profile_hash) = 32 AND tables = '{users}')
                 FROM confiture.profiles WHERE name = 'load_again'",
        );
        Ok(())
    }

    #[pg_test]
    fn profile_version_never_gets_other_content() -> Result<()> {
        run(&load(&document("immutable", "1.0", "global_seed: 4711\n")))?;
        for seeds in ["", "global_seed: 4712\n", "coverage: copy\n"] {
            let refusal = refused("42710", &load(&document("immutable", "1.0", seeds)));
            assert!(
                refusal.message.contains("\"immutable\" version \"1.0\""),
                "{refusal:?}"
            );
            assert!(!refusal.words().contains("471"), "{refusal:?}");
        }
        run(&load(&document("immutable", "1.1", "")))
    }

    #[pg_test]
    fn profile_newest_version_in_use_is_picked() -> Result<()> {
        run(&load(&document("pick", "2", "")))?;
        run(&load(&document("pick", "10", "global_seed: 1\n")))?;
        assert_eq!(version_in_use("pick")?, "profile, literal");
        run("SELECT confiture.retire_profile('pick', '10')")?;
        assert_eq!(version_in_use("pick")?, "default");
        holds(
            "array_agg(state ORDER BY version) = '{retired,active}'
                 FROM confiture.profiles WHERE name = 'pick'",
        );
        // By its version a retired one can still be had: evidence refers to it.
        holds(
            "confiture.resolve_seed('pick', 'users', 'email', version => '10')
               = 'profile, literal'",
        );
        assert_eq!(
            one::<String>(&load(&document("pick", "10", "global_seed: 1\n")))?,
            "profile \"pick\" version \"10\" was loaded before and is in use again"
        );
        assert_eq!(version_in_use("pick")?, "profile, literal");
        holds(
            "bool_and(retired_at IS NULL AND retired_by IS NULL)
                 FROM confiture.profiles WHERE name = 'pick'",
        );
        Ok(())
    }

    #[pg_test]
    fn profile_that_is_not_there_is_named() -> Result<()> {
        run(&load(&document("known", "1.0", "")))?;
        for (call, message) in [
            (
                "resolve_seed('unknown', 'users', 'email')",
                "profile \"unknown\" does not exist",
            ),
            (
                "retire_profile('unknown', '1.0')",
                "profile \"unknown\" version \"1.0\" does not exist",
            ),
            (
                "retire_profile('known', '2.0')",
                "profile \"known\" version \"2.0\" does not exist",
            ),
            (
                "resolve_seed('known', 'users', 'email', '2.0')",
                "profile \"known\" version \"2.0\" does not exist",
            ),
            (
                "resolve_seed('known', 'users', 'phone')",
                "profile \"known\" has no rule for column \"users.phone\"",
            ),
        ] {
            assert_eq!(
                refused("42704", &format!("SELECT confiture.{call}")).message,
                message
            );
        }
        run("SELECT confiture.retire_profile('known', '1.0')")?;
        refused(
            "42704",
            "SELECT confiture.resolve_seed('known', 'users', 'email')",
        );
        Ok(())
    }

    #[pg_test]
    fn profile_validation_returns_rows_and_stores_nothing() -> Result<()> {
        let rows = |yaml: &str| {
            texts(&format!(
                "SELECT concat_ws('|', item, name, detail, line, \"column\")
                   FROM confiture.validate_profile({})",
                ident::literal(yaml)
            ))
        };
        let yaml = document("rows", "1.0", "global_seed: 4711\n");
        let found = rows(&yaml)?;
        assert_eq!(
            found[..4],
            [
                "profile|rows|",
                "version|1.0|",
                "strategy|mail|email, seed [configured]",
                "table|users|1 rule"
            ]
        );
        assert!(found[4].starts_with("warning|literal_seed|"), "{found:?}");
        assert!(!found.concat().contains("4711"), "{found:?}");
        let places = |row: &String| row.starts_with("error|") && row.ends_with(char::is_numeric);
        let bad = rows(&yaml.replace("type: email", "type: emial, sede: 4711"))?;
        assert!(bad.iter().any(places));
        assert!(!bad.concat().contains("4711"), "{bad:?}");
        for hostile in [
            "!!python/object/apply:os.system [id]",
            "a: &a [*a, *a]",
            "name: [",
            "",
            "tables: {}",
        ] {
            let found = rows(hostile)?;
            assert!(
                found.iter().any(|row| row.starts_with("error|")),
                "{hostile}: {found:?}"
            );
        }
        holds("NOT EXISTS (SELECT FROM confiture.profiles WHERE name = 'rows')");
        refused("22023", "SELECT confiture.validate_profile(NULL)");
        Ok(())
    }

    #[pg_test]
    fn profile_that_is_wrong_is_not_loaded() -> Result<()> {
        let yaml = document("wrong", "1.0", "");
        for (from, to, sqlstate) in [
            ("type: email", "type: emial", "22023"),
            ("strategy: mail", "strategy: male", "22023"),
            ("name: wrong", "name: [", "22P02"),
            ("name: wrong\n", "", "22P02"),
        ] {
            let broken = yaml.replace(from, to);
            assert_ne!(broken, yaml);
            let refusal = refused(sqlstate, &load(&broken));
            assert!(!refusal.message.is_empty());
        }
        holds("NOT EXISTS (SELECT FROM confiture.profiles WHERE name = 'wrong')");
        Ok(())
    }

    #[pg_test]
    fn profile_seed_is_told_by_name_only() -> Result<()> {
        let yaml = "name: by_name\nversion: 1\nglobal_seed: 4711\nstrategies:\n  \
                    a: {type: email}\n  b: {type: email, seed: 4712}\ntables:\n  t:\n    \
                    rules:\n    \
                    - {column: x, strategy: a}\n    - {column: y, strategy: b}\n    \
                    - {column: z, strategy: b, seed: 4713}\n  other.u:\n    \
                    rules: [{column: x, strategy: a}]\n";
        run(&load(yaml))?;
        for (table, column, origin) in [
            ("t", "x", "profile, literal"),
            ("t", "y", "strategy, literal"),
            ("t", "z", "rule, literal"),
            ("other.u", "x", "profile, literal"),
        ] {
            holds(&format!(
                "confiture.resolve_seed('by_name', '{table}', '{column}') = '{origin}'"
            ));
        }
        Ok(())
    }

    #[pg_test]
    fn profile_seed_variable_must_be_set_and_allowed() -> Result<()> {
        let with =
            |name: &str| document("from_env", name, &format!("global_seed_env_var: {name}\n"));
        let resolve = |name: &str| {
            format!("SELECT confiture.resolve_seed('from_env', 'users', 'email', '{name}')")
        };
        for name in ["ANONYMIZATION_NEVER_SET", "PATH"] {
            run(&load(&with(name)))?;
        }
        let unset = refused("55000", &resolve("ANONYMIZATION_NEVER_SET"));
        assert!(
            unset.message.contains("\"ANONYMIZATION_NEVER_SET\""),
            "{unset:?}"
        );
        let forbidden = refused("42501", &resolve("PATH"));
        assert!(
            forbidden.hint.contains("confiture.seed_env_allow"),
            "{forbidden:?}"
        );
        spi::run("SET LOCAL confiture.seed_env_allow = 'PATH'", &[])?;
        let no_integer = refused("22023", &resolve("PATH"));
        assert!(!no_integer.words().contains("/bin"), "{no_integer:?}");
        refused("42501", &resolve("ANONYMIZATION_NEVER_SET"));
        Ok(())
    }
}
