//! What a migration's text says about itself: its first line and its statements.

/// The first line that lets one statement run outside a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";
/// The first line that says what a way back loses.
const DESTRUCTIVE: &str = "-- destructive:";
/// Words that would end or open a transaction under the runner's feet.
const TRANSACTION_WORDS: [&str; 8] = ["begin", "commit", "rollback", "abort", "end", "start", "savepoint", "release"];

/// Whether the text must run outside a transaction.
pub(crate) fn is_no_transaction(sql: &str) -> bool {
    leading_comments(sql).any(|line| line.eq_ignore_ascii_case(NO_TRANSACTION))
}

/// What running the text loses, when it says so.
pub(crate) fn destroys(sql: &str) -> Option<&str> {
    leading_comments(sql).find_map(|line| line.strip_prefix(DESTRUCTIVE)).map(str::trim)
}

fn leading_comments(sql: &str) -> impl Iterator<Item = &str> {
    sql.lines().map(str::trim).take_while(|line| line.starts_with("--"))
}

/// The statements of a text, without comments around them.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let (mut found, mut start, mut position) = (Vec::new(), 0, 0);
    while position < sql.len() {
        let rest = &sql[position..];
        if rest.starts_with(';') {
            found.push(&sql[start..position]);
            position += 1;
            start = position;
        } else {
            position += token_length(rest);
        }
    }
    found.push(&sql[start..]);
    found.retain(|statement| !without_comments(statement).is_empty());
    found
}

/// The transaction command a text contains, if any.
pub(crate) fn transaction_command(sql: &str) -> Option<&str> {
    statements(sql).into_iter().find_map(|statement| {
        let body = without_comments(statement);
        let word = body.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
        TRANSACTION_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)).then_some(word)
    })
}

/// What a `CREATE INDEX CONCURRENTLY` makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConcurrentIndex<'a> {
    pub(crate) is_unique: bool,
    /// The index's name as the catalogs have it.
    pub(crate) name: String,
    /// The table as it is written.
    pub(crate) table: &'a str,
    /// What follows the table.
    pub(crate) rest: &'a str,
}

/// The index a `CREATE INDEX CONCURRENTLY` makes.
pub(crate) fn concurrent_index(sql: &str) -> Option<ConcurrentIndex<'_>> {
    let text = statements(sql).first().copied().map(without_comments)?;
    let text = after(text, "create")?;
    let (is_unique, text) = after(text, "unique").map_or((false, text), |text| (true, text));
    let text = after(after(text, "index")?, "concurrently")?;
    let text = match after(text, "if") {
        Some(text) => after(after(text, "not")?, "exists")?,
        None => text,
    };
    let (name, text) = text.split_at(name_length(text));
    let text = after(text, "on").filter(|_| !name.eq_ignore_ascii_case("on"))?;
    let (table, rest) = text.split_at(name_length(text));
    Some(ConcurrentIndex { is_unique, name: as_in_catalog(name), table, rest })
}

/// The index a `DROP INDEX CONCURRENTLY` removes, as it is written.
pub(crate) fn dropped_index(sql: &str) -> Option<&str> {
    let text = statements(sql).first().copied().map(without_comments)?;
    let text = after(after(after(text, "drop")?, "index")?, "concurrently")?;
    let text = after(text, "if").map_or(Some(text), |text| after(text, "exists"))?;
    Some(&text[..name_length(text)])
}

/// What follows a word, if the text begins with it.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let length = word_length(text);
    text.get(..length)?.eq_ignore_ascii_case(word).then(|| text[length..].trim_start())
}

/// How many bytes at the start are a name, quoted or not, with or without its schema.
fn name_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        length += match text.as_bytes().get(length) {
            Some(b'"') => quoted_length(&text[length..], b'"', false),
            Some(_) => word_length(&text[length..]),
            None => return length.min(text.len()),
        };
        if text.as_bytes().get(length) != Some(&b'.') {
            return length;
        }
        length += 1;
    }
}

fn as_in_catalog(name: &str) -> String {
    match name.strip_prefix('"') {
        Some(quoted) => quoted.trim_end_matches('"').to_owned(),
        None => name.to_lowercase(),
    }
}

fn without_comments(statement: &str) -> &str {
    let mut rest = statement.trim();
    loop {
        let comment = comment_length(rest);
        if comment == 0 {
            return rest;
        }
        rest = rest[comment..].trim();
    }
}

/// How many bytes belong together at the start of the text.
fn token_length(rest: &str) -> usize {
    let comment = comment_length(rest);
    if comment > 0 {
        return comment;
    }
    let first = rest.chars().next().map_or(1, char::len_utf8);
    match rest.as_bytes()[0] {
        b'\'' => quoted_length(rest, b'\'', false),
        b'"' => quoted_length(rest, b'"', false),
        b'E' | b'e' if rest[1..].starts_with('\'') => 1 + quoted_length(&rest[1..], b'\'', true),
        b'$' => dollar_length(rest).unwrap_or(1),
        letter if letter.is_ascii_alphanumeric() || letter == b'_' || letter >= 0x80 => word_length(rest),
        _ => first,
    }
}

fn word_length(rest: &str) -> usize {
    let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'));
    end.unwrap_or(rest.len()).max(1)
}

fn comment_length(rest: &str) -> usize {
    if rest.starts_with("--") {
        return rest.find('\n').map_or(rest.len(), |end| end + 1);
    }
    if !rest.starts_with("/*") {
        return 0;
    }
    // PostgreSQL's comments nest.
    let (mut depth, mut position, bytes) = (0_u32, 0, rest.as_bytes());
    while position < bytes.len() {
        match bytes.get(position..position + 2) {
            Some(b"/*") => (depth, position) = (depth + 1, position + 2),
            Some(b"*/") => (depth, position) = (depth - 1, position + 2),
            _ => position += 1,
        }
        if depth == 0 {
            break;
        }
    }
    position
}

fn quoted_length(rest: &str, quote: u8, escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut position = 1;
    while position < bytes.len() {
        if escapes && bytes[position] == b'\\' {
            position += 2;
        } else if bytes[position] == quote {
            // A doubled quote opens the next piece at once, which reads the same.
            return position + 1;
        } else {
            position += 1;
        }
    }
    bytes.len()
}

fn dollar_length(rest: &str) -> Option<usize> {
    let tag = &rest[..rest[1..].find('$')? + 2];
    let inner = &tag[1..tag.len() - 1];
    let plain = inner.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if !plain || inner.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    Some(rest[tag.len()..].find(tag).map_or(rest.len(), |end| tag.len() + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_outside_quotes() {
        let sql = "-- a; b\nCREATE TABLE \"x;y\" (a text DEFAULT 'it''s; ok'); /* c; /* d; */ */\n\
                   CREATE FUNCTION f() RETURNS text AS $body$ BEGIN; COMMIT; $body$ LANGUAGE sql;\n\
                   SELECT E'\\';', $$;$$, a$b$c; -- end\n;";
        let found = statements(sql);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(transaction_command(sql), None);
        assert_eq!(transaction_command("SELECT 1; -- x\n /* y */ Commit;"), Some("Commit"));
        assert_eq!(transaction_command("ALTER TABLE begin_dates ADD a int"), None);
    }

    #[test]
    fn the_first_lines_are_marks() {
        assert!(is_no_transaction("-- no-transaction\nVACUUM"));
        assert!(!is_no_transaction("SELECT 1; -- no-transaction"));
        assert_eq!(destroys("-- why\n-- destructive: the notes\nDROP TABLE notes"), Some("the notes"));
        assert_eq!(destroys("DROP TABLE notes"), None);
    }

    #[test]
    fn a_concurrent_index_is_named() {
        let named = |sql| concurrent_index(sql).map(|index| index.name);
        assert_eq!(named("-- no-transaction\nCREATE INDEX CONCURRENTLY idx_A ON t(a);"), Some("idx_a".into()));
        assert_eq!(named("create unique index concurrently if not exists \"Ab\" on t(a)"), Some("Ab".into()));
        assert_eq!(named("CREATE INDEX CONCURRENTLY ON t(a)"), None);
        assert_eq!(named("CREATE INDEX i ON t(a)"), None);
        let whole = concurrent_index("CREATE INDEX CONCURRENTLY i ON public.\"T\"(a) WHERE a > 1").unwrap();
        assert_eq!((whole.is_unique, whole.table, whole.rest), (false, "public.\"T\"", "(a) WHERE a > 1"));
        assert_eq!(dropped_index("-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;"), Some("i"));
        assert_eq!(dropped_index("DROP INDEX i"), None);
    }
}
