//! Whether a text is the name of a city, as far as the list of cities knows.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::cities;

static CITIES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let cities = cities::countries()
        .iter()
        .flat_map(|country| &country.cities);
    cities.map(|city| city.name.to_lowercase()).collect()
});

/// Whether there is a city of that name, in any case.
pub fn is_city(text: &str) -> bool {
    text.len() <= LONGEST && CITIES.contains(&text.trim().to_lowercase())
}

const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_cities_are_found_in_any_case() {
        assert!(is_city("Lyon") && is_city(" BERLIN"));
        assert!(!is_city("jam") && !is_city(""));
    }
}
