//! "Did you mean": the nearest of a list of names.
//!
//! In: a wrong name and the right ones. Out: one of them, if near enough. Never guesses wildly.

/// The candidate with the smallest edit distance to `name`, if that is at most a third of its length.
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let wrong: Vec<char> = name.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
    let limit = (wrong.len() / 3).max(1);
    let scored = candidates.map(|c| (distance(&wrong, &c.to_lowercase()), c));
    scored.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Levenshtein distance.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (j, y) in b.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = j + 1;
        for (i, x) in a.iter().enumerate() {
            let replaced = diagonal + usize::from(*x != y);
            diagonal = row[i + 1];
            row[i + 1] = replaced.min(row[i] + 1).min(diagonal + 1);
        }
    }
    row[a.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_typos_only() {
        let known = ["Conv", "ConvTranspose", "Relu", "LeakyRelu", "HardSwish"];
        let find = |name| nearest(name, known.iter().copied());
        assert_eq!(find("Hardswish"), Some("HardSwish"));
        assert_eq!(find("Cnov"), None);
        assert_eq!(find("Conv2"), Some("Conv"));
        assert_eq!(find("ConvTransposed"), Some("ConvTranspose"));
        assert_eq!(find("NonMaxSuppression"), None);
    }
}
