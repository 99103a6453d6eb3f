//! Who owes whom: the kinds of PostgreSQL's messages as they pass, whatever pieces they come in.

/// The length of the message that asks for TLS; a startup message is longer.
const TLS_REQUEST_BYTES: usize = 8;
/// The kind of the messages that have none: a client's first ones.
const UNTYPED: u8 = 0;

/// Who owes whom, from the kinds of the messages.
#[derive(Debug)]
pub(super) struct Talk {
    /// Answers that the server owes, each up to "ready for query".
    pub(super) owed: usize,
    said: Frames,
    heard: Frames,
    /// The server's next byte says whether it speaks TLS.
    awaits_tls: bool,
    /// Nothing can be read here.
    is_encrypted: bool,
    /// The server has been ready for a query.
    pub(super) has_begun: bool,
}

impl Default for Talk {
    fn default() -> Self {
        let said = Frames { head: [UNTYPED; 5], held: 1, skip: 0 };
        let heard = Frames::default();
        Self { owed: 0, said, heard, awaits_tls: false, is_encrypted: false, has_begun: false }
    }
}

impl Talk {
    /// A talk that is encrypted from its first byte.
    pub(super) fn encrypted() -> Self {
        Self { is_encrypted: true, ..Self::default() }
    }

    /// The client sent this.
    pub(super) fn said(&mut self, mut bytes: &[u8]) {
        while !self.is_encrypted && !bytes.is_empty() {
            match self.said.next(&mut bytes) {
                Some((UNTYPED, TLS_REQUEST_BYTES)) => {
                    self.awaits_tls = true;
                    self.owed = 1;
                }
                // Startup, a query, the end of a group of messages.
                Some((UNTYPED | b'Q' | b'S', _)) => self.owed += 1,
                _ => {}
            }
            if self.awaits_tls && self.said.is_between() {
                self.said.held = 1;
                self.said.head[0] = UNTYPED;
            }
        }
    }

    /// The server sent this.
    pub(super) fn heard(&mut self, mut bytes: &[u8]) {
        if self.awaits_tls
            && let Some((speaks_tls, rest)) = bytes.split_first()
        {
            (self.awaits_tls, self.is_encrypted) = (false, *speaks_tls == b'S');
            self.owed = 0;
            bytes = rest;
        }
        while !self.is_encrypted && !bytes.is_empty() {
            // "Ready for query"; or "copy in", after which the server waits for us and passes over what ended its query.
            if let Some((kind @ (b'Z' | b'G'), _)) = self.heard.next(&mut bytes) {
                self.owed = self.owed.saturating_sub(1);
                self.has_begun |= kind == b'Z';
            }
        }
    }
}

/// Cuts a stream into messages: a byte of kind, four of length, the rest.
#[derive(Debug, Default)]
struct Frames {
    head: [u8; 5],
    held: usize,
    skip: usize,
}

impl Frames {
    /// The kind and length of the message that begins in these bytes, which are used up to there.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<(u8, usize)> {
        let passed = self.skip.min(bytes.len());
        self.skip -= passed;
        *bytes = &bytes[passed..];
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.head[self.held] = *byte;
            self.held += 1;
            if self.held == self.head.len() {
                let [kind, a, b, c, d] = self.head;
                let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default();
                (self.held, self.skip) = (0, length.saturating_sub(4));
                return Some((kind, length));
            }
        }
        None
    }

    /// Whether one message has ended and none has begun.
    fn is_between(&self) -> bool {
        self.held == 0 && self.skip == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Talk;

    /// A message of this kind with a body.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        let kind = (kind != super::UNTYPED).then_some(kind);
        kind.into_iter().chain(length).chain(body.iter().copied()).collect()
    }

    fn begun() -> Talk {
        let mut talk = Talk::default();
        talk.said(&message(super::UNTYPED, b"\0\x03\0\0user\0QQSS\0\0"));
        assert_eq!(talk.owed, 1);
        talk.heard(&[message(b'R', &[0; 4]), message(b'S', b"Z\0Z\0"), message(b'Z', b"I")].concat());
        assert_eq!(talk.owed, 0);
        talk
    }

    #[test]
    fn answers_are_counted_however_the_bytes_are_cut() {
        let asked = [message(b'P', b"SQ"), message(b'S', b""), message(b'Q', b"COMMIT\0")].concat();
        let answered =
            [message(b'D', b"ZZZZZZ"), message(b'Z', b"T"), message(b'C', b"Z"), message(b'Z', b"I")].concat();
        for piece in 1..=asked.len() {
            let mut talk = begun();
            asked.chunks(piece).for_each(|piece| talk.said(piece));
            assert_eq!(talk.owed, 2);
            answered.chunks(piece).for_each(|piece| talk.heard(piece));
            assert_eq!(talk.owed, 0);
        }
    }

    #[test]
    fn a_server_that_takes_a_copy_owes_nothing_until_it_ends() {
        let mut talk = begun();
        talk.said(&[message(b'B', b""), message(b'E', b""), message(b'S', b"")].concat());
        talk.heard(&message(b'G', b"\0\0\0"));
        talk.said(&message(b'd', b"SSS"));
        assert_eq!(talk.owed, 0);
        talk.said(&[message(b'c', b""), message(b'S', b"")].concat());
        assert_eq!(talk.owed, 1);
        talk.heard(&[message(b'C', b"COPY 1\0"), message(b'Z', b"T")].concat());
        assert_eq!(talk.owed, 0);
    }

    #[test]
    fn what_is_encrypted_is_not_read() {
        for (answer, owed) in [(b"S", 0), (b"N", 1)] {
            let mut talk = Talk::default();
            talk.said(&message(super::UNTYPED, &[4, 210, 22, 47]));
            assert_eq!(talk.owed, 1);
            talk.heard(answer);
            assert_eq!(talk.owed, 0);
            talk.said(&message(super::UNTYPED, b"\0\x03\0\0user\0me\0\0"));
            assert_eq!(talk.owed, owed);
        }
    }
}
