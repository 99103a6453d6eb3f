//! A row of a customer file: what it may hold, and what is wrong with it.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ReaderBuilder, StringRecord, Trim};
use uuid::Uuid;

use crate::breached::LEAKED;
use crate::email::Email;
use crate::hashing;
use crate::limits::IMPORT_ROW_BYTES_MAX;
use crate::password;
use crate::secret::Secret;

const COLUMNS: [&str; 6] = ["email", "hashed_password", "password", "is_verified", "is_active", "is_admin"];

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportFault {
    /// The line of the file, from 1 for the header.
    pub line: u64,
    /// The column's name; empty where the whole row is meant.
    pub column: String,
    /// A stable word for the broken rule.
    pub rule: &'static str,
    /// The rule and the mend, for a person.
    pub detail: String,
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, detail } = self;
        if column.is_empty() {
            write!(f, "line {line}: {rule}: {detail}")
        } else {
            write!(f, "line {line}, {column}: {rule}: {detail}")
        }
    }
}

impl ImportFault {
    fn new(line: u64, column: &str, rule: &'static str, detail: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), rule, detail: detail.into() }
    }

    /// A row whose password has leaked elsewhere.
    pub(crate) fn leaked(line: u64) -> Self {
        Self::new(line, COLUMNS[2], "password_breached", LEAKED)
    }

    /// A row whose address stands in an earlier one.
    pub(crate) fn duplicate(line: i64, first_line: i64) -> Self {
        let detail = format!("the address stands in line {first_line} already");
        Self::new(u64::try_from(line).unwrap_or_default(), COLUMNS[0], "duplicate", detail)
    }
}

/// A customer to be.
pub(crate) struct Customer {
    pub(crate) line: u64,
    email: Email,
    /// Empty when there is a password instead.
    pub(crate) hashed_password: String,
    pub(crate) password: Option<Secret>,
    is_verified: bool,
    is_active: bool,
    is_admin: bool,
}

impl Customer {
    /// The row in COPY's text format. No field can hold a tab, a line break or a backslash.
    pub(crate) fn copy_line(&self, import_id: Uuid, hash: &str) -> String {
        let Self { line, email, is_verified, is_active, is_admin, .. } = self;
        format!("{import_id}\t{line}\t{email}\t{hash}\t{is_verified}\t{is_active}\t{is_admin}\n")
    }
}

/// The rows of a file, one at a time.
pub(crate) struct CustomerRows<R> {
    reader: csv::Reader<Bounded<R>>,
    /// Bytes read since the last row ended.
    since_row: Rc<Cell<usize>>,
    has_ended: bool,
    /// Where each of `COLUMNS` stands.
    places: [Option<usize>; COLUMNS.len()],
    record: StringRecord,
}

impl<R: Read> CustomerRows<R> {
    /// Reads the header.
    pub(crate) fn open(reader: R) -> Result<Self, ImportFault> {
        let since_row = Rc::new(Cell::new(0));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::Headers)
            .flexible(true)
            .from_reader(Bounded { reader, since_row: Rc::clone(&since_row) });
        let header = reader.headers().map_err(|error| unreadable(&error, 1))?;
        let names: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').to_ascii_lowercase()).collect();
        if names.iter().all(String::is_empty) {
            return Err(ImportFault::new(1, "", "empty_file", "the file has no header line"));
        }
        if let Some(name) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
            let detail = format!("is not a column of this import; known are {}", COLUMNS.join(", "));
            return Err(ImportFault::new(1, name, "unknown_column", detail));
        }
        if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(ImportFault::new(1, name, "duplicate_column", "stands twice in the header"));
        }
        let places = COLUMNS.map(|column| names.iter().position(|name| name == column));
        if places[0].is_none() {
            return Err(ImportFault::new(1, COLUMNS[0], "missing_column", "is needed"));
        }
        if places[1].is_none() && places[2].is_none() {
            let detail = "is needed, or else password";
            return Err(ImportFault::new(1, COLUMNS[1], "missing_column", detail));
        }
        Ok(Self { reader, since_row, has_ended: false, places, record: StringRecord::new() })
    }

    fn field(&self, column: usize) -> &str {
        self.places[column].and_then(|place| self.record.get(place)).unwrap_or_default()
    }

    fn customer(&self, line: u64) -> Result<Customer, Vec<ImportFault>> {
        let mut faults = Vec::new();
        if self.record.len() > self.places.iter().flatten().count() {
            faults.push(ImportFault::new(line, "", "too_many_fields", "has more fields than the header"));
        }
        let email = Email::parse(self.field(0))
            .map_err(|error| faults.push(ImportFault::new(line, COLUMNS[0], error.code(), error.to_string())))
            .ok();
        let password = self.credentials(line, email.as_ref(), &mut faults);
        let mut flag = |column, default| self.flag(line, column, default, &mut faults);
        let (is_verified, is_active, is_admin) = (flag(3, false), flag(4, true), flag(5, false));
        if is_admin && !is_verified {
            let detail = "must be true where is_admin is: a role is given to a proved address alone";
            faults.push(ImportFault::new(line, COLUMNS[3], "email_not_verified", detail));
        }
        match email {
            Some(email) if faults.is_empty() => {
                let hashed_password = self.field(1).trim().to_owned();
                Ok(Customer { line, email, hashed_password, password, is_verified, is_active, is_admin })
            }
            _ => Err(faults),
        }
    }

    fn credentials(&self, line: u64, email: Option<&Email>, faults: &mut Vec<ImportFault>) -> Option<Secret> {
        let (hash, plain) = (self.field(1).trim(), self.field(2));
        match (hash.is_empty(), plain.is_empty()) {
            (true, true) => {
                faults.push(ImportFault::new(line, COLUMNS[1], "missing", "is needed, or else password"));
                None
            }
            (false, false) => {
                let detail = "must be empty where hashed_password is given";
                faults.push(ImportFault::new(line, COLUMNS[2], "two_credentials", detail));
                None
            }
            (false, true) => {
                if !hashing::is_acceptable(hash) {
                    let detail =
                        "must be an Argon2id hash ($argon2id$…) or a bcrypt hash ($2a$, $2b$, $2y$) of a usual cost";
                    faults.push(ImportFault::new(line, COLUMNS[1], "unknown_hash", detail));
                }
                None
            }
            (true, false) => {
                if let Err(fault) = password::judge(plain, email) {
                    faults.push(ImportFault::new(line, COLUMNS[2], fault.code(), fault.to_string()));
                }
                Some(Secret::new(plain.to_owned()))
            }
        }
    }

    fn flag(&self, line: u64, column: usize, default: bool, faults: &mut Vec<ImportFault>) -> bool {
        match self.field(column).trim().to_ascii_lowercase().as_str() {
            "" => default,
            "true" | "t" | "1" | "yes" => true,
            "false" | "f" | "0" | "no" => false,
            _ => {
                faults.push(ImportFault::new(line, COLUMNS[column], "wrong_type", "must be true or false"));
                default
            }
        }
    }
}

impl<R: Read> Iterator for CustomerRows<R> {
    type Item = Result<Customer, Vec<ImportFault>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let line = self.reader.position().line();
        self.since_row.set(0);
        match self.reader.read_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.record.position().map_or(line, csv::Position::line);
                Some(self.customer(line))
            }
            Err(error) => {
                self.has_ended = error.is_io_error();
                Some(Err(vec![unreadable(&error, line)]))
            }
        }
    }
}

/// Ends the reading of a row that has no end: memory stays bounded whatever the file is.
struct Bounded<R> {
    reader: R,
    since_row: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row.get() > IMPORT_ROW_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row has no end; is a quote left open?"));
        }
        let read = self.reader.read(buffer)?;
        self.since_row.set(self.since_row.get() + read);
        Ok(read)
    }
}

fn unreadable(error: &csv::Error, line: u64) -> ImportFault {
    match error.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(line, csv::Position::line);
            ImportFault::new(line, "", "not_utf8", "is not UTF-8; save the file in that encoding")
        }
        _ => ImportFault::new(line, "", "unreadable", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::CustomerRows;

    const HASH: &str = "$2b$10$abcdefghijklmnopqrstuuJ7p0Cz5n6c0r0T9PXJuyQyG9b0e4mJq";

    fn faults(text: &[u8]) -> Vec<(u64, String, &'static str)> {
        match CustomerRows::open(text) {
            Err(fault) => vec![(fault.line, fault.column, fault.rule)],
            Ok(rows) => {
                rows.filter_map(Result::err).flatten().map(|fault| (fault.line, fault.column, fault.rule)).collect()
            }
        }
    }

    #[test]
    fn a_good_file_has_no_fault() {
        let text = format!("\u{feff}Email,hashed_password,is_verified\r\na@b.co,{HASH},true\r\nb@b.co,{HASH},\r\n");
        assert_eq!(faults(text.as_bytes()), []);
    }

    #[test]
    fn each_fault_is_named_by_line_column_and_rule() {
        let text = format!(
            "email,hashed_password,password,is_active\nx,{HASH},,\na@b.co,md5,,maybe\nb@b.co,,,\nc@b.co,,password1,\n"
        );
        let expected = [
            (2, "email", "invalid_email"),
            (3, "hashed_password", "unknown_hash"),
            (3, "is_active", "wrong_type"),
            (4, "hashed_password", "missing"),
            (5, "password", "password_common"),
        ];
        assert_eq!(faults(text.as_bytes()), expected.map(|(line, column, rule)| (line, column.to_owned(), rule)));
    }

    #[test]
    fn no_administrator_comes_in_with_an_address_that_nobody_has_proved() {
        let text = format!("email,hashed_password,is_admin,is_verified\na@b.co,{HASH},yes,yes\nb@b.co,{HASH},yes,\n");
        assert_eq!(faults(text.as_bytes()), [(3, "is_verified".to_owned(), "email_not_verified")]);
    }

    #[test]
    fn files_that_are_no_customers_are_told_so() {
        for (text, rule) in [
            (&b""[..], "empty_file"),
            (b"name\n", "unknown_column"),
            (b"email\n", "missing_column"),
            (b"password\n", "missing_column"),
        ] {
            assert_eq!(faults(text)[0].2, rule);
        }
        let endless = format!("email,password\n\"{}", "a".repeat(1 << 20));
        assert_eq!(faults(endless.as_bytes()), [(2, String::new(), "unreadable")]);
        assert_eq!(faults(b"email,password\na\xff@b.co,longenough7x\n")[0], (2, String::new(), "not_utf8"));
    }
}
