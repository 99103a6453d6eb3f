//! SQL as text: known again whatever its values are, and shown without them.

/// What a piece of a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Comment,
    /// A literal or a parameter: what differs between two calls of one statement.
    Value,
    Word,
    Sign,
}

/// What is the same for every call of a statement, and for its text as `pg_stat_statements` keeps it: without comments,
/// and with `?` for each value.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for (kind, text) in pieces(text) {
        match kind {
            Kind::Space | Kind::Comment => {}
            Kind::Value => value(&mut out),
            // Constants for the server as well; `IS NULL` becomes `IS ?` on both sides.
            Kind::Word if ["null", "true", "false"].iter().any(|known| text.eq_ignore_ascii_case(known)) => {
                value(&mut out);
            }
            // So is what is extracted from a time.
            Kind::Word if follows_extract(&out) => value(&mut out),
            Kind::Word | Kind::Sign => out.push(text),
        }
    }
    while out.last() == Some(&";") {
        out.pop();
    }
    out.join(" ")
}

fn follows_extract(out: &[&str]) -> bool {
    matches!(out, [.., extract, "("] if extract.eq_ignore_ascii_case("extract"))
}

/// A sign before a number belongs to it, and of a list of values the newer servers keep one.
fn value(out: &mut Vec<&str>) {
    if out.last() == Some(&"-") {
        out.pop();
    }
    if out.len() >= 2 && out[out.len() - 2..] == ["?", ","] {
        out.pop();
    } else {
        out.push("?");
    }
}

/// The statement on one line, without comments, with `?` for each literal, at most `characters_max` long.
#[must_use]
pub fn shown(text: &str, characters_max: usize) -> String {
    let (mut out, mut length, mut space) = (String::new(), 0, false);
    for (kind, text) in pieces(text) {
        let text = match kind {
            Kind::Space | Kind::Comment => {
                space = true;
                continue;
            }
            Kind::Value if !is_parameter(text) => "?",
            Kind::Value | Kind::Word | Kind::Sign => text,
        };
        let gap = usize::from(space && length > 0);
        if length + gap + text.chars().count() > characters_max {
            out.push('…');
            return out;
        }
        if gap == 1 {
            out.push(' ');
        }
        out.push_str(text);
        length += gap + text.chars().count();
        space = false;
    }
    out.trim_end_matches([';', ' ']).to_owned()
}

/// One line of a plan without the values of its conditions; its costs and rows stay.
#[must_use]
pub fn plan_line(line: &str) -> String {
    let costs = line.contains("(cost=") || line.contains("(actual");
    let mut out = String::new();
    for (kind, text) in pieces(line) {
        match kind {
            Kind::Value if is_parameter(text) || (costs && text.starts_with(|c: char| c.is_ascii_digit())) => {
                out.push_str(text);
            }
            Kind::Value => out.push('?'),
            Kind::Space => out.push(' '),
            Kind::Comment => {}
            Kind::Word | Kind::Sign => out.push_str(text),
        }
    }
    let indent = line.len() - line.trim_start().len();
    format!("{:indent$}{}", "", out.trim())
}

/// `$1` and the like.
fn is_parameter(text: &str) -> bool {
    text.strip_prefix('$').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn pieces(text: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (length, kind) = match first {
            _ if first.is_whitespace() => (run(rest, char::is_whitespace), Kind::Space),
            _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), Kind::Comment),
            _ if rest.starts_with("/*") => (block_comment(rest), Kind::Comment),
            '\'' => (quoted(rest, false), Kind::Value),
            '"' => (name(rest), Kind::Word),
            '$' => dollar(rest),
            _ if first.is_ascii_digit() => (number(rest), Kind::Value),
            _ if is_word(first) => word(rest),
            _ => (first.len_utf8(), Kind::Sign),
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some((kind, piece))
    })
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !of(letter)).unwrap_or(text.len())
}

fn word(text: &str) -> (usize, Kind) {
    let length = run(text, |letter| is_word(letter) || letter == '$');
    // E'…', B'…', X'…', N'…'
    if length == 1 && text[1..].starts_with('\'') && "eEbBxXnN".contains(&text[..1]) {
        return (1 + quoted(&text[1..], "eE".contains(&text[..1])), Kind::Value);
    }
    (length, Kind::Word)
}

fn number(text: &str) -> usize {
    let mut before = ' ';
    let length = text.find(|letter: char| {
        let exponent = "+-".contains(letter) && "eE".contains(before);
        before = letter;
        !(letter.is_ascii_alphanumeric() || letter == '.' || letter == '_' || exponent)
    });
    length.unwrap_or(text.len())
}

/// A quote inside is doubled or, where `escapes`, behind a backslash; an open one goes on to the end.
fn quoted(text: &str, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 1,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 1,
            b'\'' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

fn name(text: &str) -> usize {
    text[1..].find('"').map_or(text.len(), |end| end + 2)
}

/// `$1`, or `$tag$ … $tag$`.
fn dollar(text: &str) -> (usize, Kind) {
    let tag = 1 + run(&text[1..], is_word);
    if !text[tag..].starts_with('$') {
        let digits = 1 + run(&text[1..], |letter| letter.is_ascii_digit());
        return if digits > 1 { (digits, Kind::Value) } else { (1, Kind::Sign) };
    }
    let opening = &text[..=tag];
    let inside = &text[opening.len()..];
    (inside.find(opening).map_or(text.len(), |end| opening.len() * 2 + end), Kind::Value)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
