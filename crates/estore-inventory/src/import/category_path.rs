//! Category paths such as `Garden > Tools`; a `>` within a name is written `\>`.

use crate::limits::{CATEGORY_LEVELS_MAX, NAME_CHARACTERS_MAX};

/// The names from the root down, or what is wrong with the path.
pub(crate) fn parse(path: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => push(&mut names, characters.next().unwrap_or('\\')),
            '>' => names.push(String::new()),
            other => push(&mut names, other),
        }
    }
    for name in &mut names {
        *name = name.trim().to_owned();
    }
    if names.len() > CATEGORY_LEVELS_MAX {
        return Err(format!("has {} levels; at most {CATEGORY_LEVELS_MAX} are possible", names.len()));
    }
    if names.iter().any(String::is_empty) {
        return Err("has a level without a name; write it as `A > B`".to_owned());
    }
    if names.iter().any(|name| name.chars().count() > NAME_CHARACTERS_MAX) {
        return Err(format!("has a name of more than {NAME_CHARACTERS_MAX} characters"));
    }
    if path.contains(char::is_control) {
        return Err("must not hold control characters".to_owned());
    }
    Ok(names)
}

fn push(names: &mut [String], character: char) {
    if let Some(name) = names.last_mut() {
        name.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn paths_are_names_between_signs() {
        assert_eq!(parse("A>B  >  C & D").unwrap(), ["A", "B", "C & D"]);
        assert_eq!(parse(r"Price \> 100 > C:\\x").unwrap(), ["Price > 100", r"C:\x"]);
        for bad in ["", "A > ", "A > > B", "a>b>c>d>e>f>g>h>i"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
