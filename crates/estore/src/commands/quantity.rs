//! Times and sizes as people read them.

/// An age in seconds.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size in bytes.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        ..KIB => format!("{bytes} B"),
        _ if bytes < KIB * KIB => format!("{} KiB", bytes / KIB),
        _ if bytes < 10 * KIB * KIB * KIB => format!("{}.{} MiB", bytes / KIB / KIB, bytes / KIB % KIB * 10 / KIB),
        _ => format!("{} GiB", bytes / KIB / KIB / KIB),
    }
}

/// A number with its thousands set apart.
pub fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if number < 0 { format!("-{shown}") } else { shown }
}

/// A time in microseconds.
pub fn time(micros: i64) -> String {
    match micros {
        ..10_000 => format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10),
        10_000..10_000_000 => format!("{} ms", number(micros / 1_000)),
        _ => age(micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_them() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(number), ["0", "999", "1,000", "-1,234,567"]);
        assert_eq!(
            [0, 1_234, 9_999, 10_000, 1_234_567, 12_000_000].map(time),
            ["0.00 ms", "1.23 ms", "9.99 ms", "10 ms", "1,234 ms", "12 s"]
        );
        assert_eq!([0, 1_536, 1_572_864].map(size), ["0 B", "1 KiB", "1.5 MiB"]);
    }
}
