//! What PostgreSQL makes of texts and of searches: lexemes with their places, and a tree of wanted lexemes. Both come
//! and go in its binary form, so that memory and the database mean the same by the same words.

use std::error::Error;
use std::fmt;

use bytes::{BufMut, BytesMut};
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// How deep a search may nest: deeper than words that a search may have.
const LEVELS_MAX: usize = 512;

/// A `tsvector`: lexemes, each with its places. A place is 14 bits of position below 2 bits of weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document(pub(crate) Vec<(Box<str>, Vec<u16>)>);

/// A `tsquery`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    /// Nothing but stop words: nothing holds it.
    Nothing,
    Lexeme(Box<str>),
    Not(Box<Query>),
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    /// The right side so many words behind the left one.
    Phrase(Box<Query>, Box<Query>, u16),
}

#[derive(Debug)]
struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text of PostgreSQL has a form that is not known here")
    }
}

impl Error for Unreadable {}

type Read<T> = Result<T, Unreadable>;

/// Reads from the front of bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Read<u8> {
        Ok(u8::from_be_bytes(self.take()?))
    }

    fn short(&mut self) -> Read<u16> {
        Ok(u16::from_be_bytes(self.take()?))
    }

    fn long(&mut self) -> Read<u32> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    fn text(&mut self) -> Read<Box<str>> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(Unreadable)?;
        let text = std::str::from_utf8(&self.0[..end]).map_err(|_| Unreadable)?.into();
        self.0 = &self.0[end + 1..];
        Ok(text)
    }
}

impl<'a> FromSql<'a> for Document {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let mut reader = Reader(raw);
        let lexemes = reader.long()?;
        let mut document = Vec::new();
        for _ in 0..lexemes {
            let lexeme = reader.text()?;
            let places = reader.short()?;
            document.push((lexeme, (0..places).map(|_| reader.short()).collect::<Read<_>>()?));
        }
        Ok(Self(document))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TS_VECTOR
    }
}

const VALUE: u8 = 1;
const OPERATOR: u8 = 2;
const NOT: u8 = 1;
const AND: u8 = 2;
const OR: u8 = 3;
const PHRASE: u8 = 4;

impl Query {
    /// Every lexeme, wanted or not.
    pub(crate) fn lexemes(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(true, &mut |lexeme, _| found.push(lexeme));
        found
    }

    /// The lexemes that a match holds.
    pub(crate) fn wanted(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(true, &mut |lexeme, is_wanted| {
            if is_wanted {
                found.push(lexeme);
            }
        });
        found
    }

    fn visit<'a>(&'a self, is_wanted: bool, see: &mut dyn FnMut(&'a str, bool)) {
        match self {
            Self::Nothing => {}
            Self::Lexeme(lexeme) => see(lexeme, is_wanted),
            Self::Not(side) => side.visit(!is_wanted, see),
            Self::And(left, right) | Self::Or(left, right) | Self::Phrase(left, right, _) => {
                left.visit(is_wanted, see);
                right.visit(is_wanted, see);
            }
        }
    }

    /// The same search with other lexemes in the place of some that are wanted: any of them will do.
    pub(crate) fn replaced(&self, with: &[(Box<str>, Vec<Box<str>>)]) -> Self {
        let both = |left: &Self, right: &Self| (Box::new(left.replaced(with)), Box::new(right.replaced(with)));
        match self {
            Self::Lexeme(lexeme) => {
                let others = with.iter().find(|(wanted, _)| wanted == lexeme).map(|(_, others)| others.as_slice());
                let any = others.unwrap_or_default().iter().cloned().map(Self::Lexeme);
                any.reduce(|left, right| Self::Or(Box::new(left), Box::new(right))).unwrap_or_else(|| self.clone())
            }
            Self::And(left, right) => {
                let (left, right) = both(left, right);
                Self::And(left, right)
            }
            Self::Or(left, right) => {
                let (left, right) = both(left, right);
                Self::Or(left, right)
            }
            Self::Phrase(left, right, distance) => {
                let (left, right) = both(left, right);
                Self::Phrase(left, right, *distance)
            }
            Self::Nothing | Self::Not(_) => self.clone(),
        }
    }

    fn read(reader: &mut Reader<'_>, levels: usize) -> Read<Self> {
        let below = levels.checked_sub(1).ok_or(Unreadable)?;
        match (reader.byte()?, reader.byte()?) {
            // Without a weight, not the beginning of a word: searches make no others.
            (VALUE, 0) if reader.byte()? == 0 => Ok(Self::Lexeme(reader.text()?)),
            (OPERATOR, NOT) => Ok(Self::Not(Box::new(Self::read(reader, below)?))),
            (OPERATOR, operator) => {
                let distance = if operator == PHRASE { reader.short()? } else { 0 };
                // The right side comes first.
                let right = Box::new(Self::read(reader, below)?);
                let left = Box::new(Self::read(reader, below)?);
                match operator {
                    AND => Ok(Self::And(left, right)),
                    OR => Ok(Self::Or(left, right)),
                    PHRASE => Ok(Self::Phrase(left, right, distance)),
                    _ => Err(Unreadable),
                }
            }
            _ => Err(Unreadable),
        }
    }

    /// Writes it and answers of how many nodes it is.
    fn write(&self, out: &mut BytesMut) -> u32 {
        let (operator, left, right) = match self {
            // PostgreSQL writes an empty search and reads none: what no text fulfils takes its place.
            Self::Nothing => {
                let any = || Box::new(Self::Lexeme("x".into()));
                return Self::And(any(), Box::new(Self::Not(any()))).write(out);
            }
            Self::Lexeme(lexeme) => {
                out.put_slice(&[VALUE, 0, 0]);
                out.put_slice(lexeme.as_bytes());
                out.put_u8(0);
                return 1;
            }
            Self::Not(side) => {
                out.put_slice(&[OPERATOR, NOT]);
                return 1 + side.write(out);
            }
            Self::And(left, right) => (AND, left, right),
            Self::Or(left, right) => (OR, left, right),
            Self::Phrase(left, right, _) => (PHRASE, left, right),
        };
        out.put_slice(&[OPERATOR, operator]);
        if let Self::Phrase(_, _, distance) = self {
            out.put_u16(*distance);
        }
        1 + right.write(out) + left.write(out)
    }
}

impl<'a> FromSql<'a> for Query {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let mut reader = Reader(raw);
        match reader.long()? {
            0 => Ok(Self::Nothing),
            _ => Ok(Self::read(&mut reader, LEVELS_MAX)?),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TSQUERY
    }
}

impl ToSql for Query {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let mut nodes = BytesMut::new();
        out.put_u32(self.write(&mut nodes));
        out.put_slice(&nodes);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TSQUERY
    }

    to_sql_checked!();
}
