//! Certificates, which end.

use std::path::Path;

use estore_kit::certificates::expires_at;
use jiff::Timestamp;

use super::Finding;
use crate::config::Config;

/// How many days before its end a certificate should have been renewed.
const DAYS_MIN: i64 = 30;

/// The certificates that are shown: to clients, and to the other services.
pub fn shown(config: &Config) -> Vec<(&'static str, &Path)> {
    let named = [("tls", &config.tls.certificate), ("services", &config.services.certificate)];
    named.into_iter().filter_map(|(section, file)| Some((section, file.as_deref()?))).collect()
}

/// What each of them is worth.
pub fn of(config: &Config, now: Timestamp) -> Vec<Finding> {
    shown(config).into_iter().map(|(section, file)| one(section, file, now)).collect()
}

fn one(section: &str, file: &Path, now: Timestamp) -> Finding {
    const MEND: &str = "renew it: the new one is taken within a second of being put in the file's place";
    let what = format!("certificate of [{section}]");
    let ends = match expires_at(file) {
        Ok(ends) => ends,
        Err(error) => return Finding::wrong(what, error.to_string(), "name a certificate in PEM, and its key"),
    };
    let days = now.duration_until(ends).as_hours() / 24;
    if ends <= now {
        return Finding::wrong(what, format!("it ended at {ends}"), MEND);
    }
    let told = format!("it ends in {days} days, at {ends}");
    if days < DAYS_MIN { Finding::warning(what, told, MEND) } else { Finding::ok(what, told) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use jiff::{Timestamp, ToSpan};

    use super::of;
    use crate::config::Config;
    use crate::findings::Level;

    #[test]
    fn a_certificate_is_told_of_before_it_ends_and_after() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.pem");
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k.pem -out c.pem -days 60 -subj /CN=x";
        let made = Command::new("openssl").args(words.split(' ')).current_dir(folder.path()).output();
        assert!(made.expect("openssl is installed").status.success());
        let mut config = Config::default();
        assert_eq!(of(&config, Timestamp::now()), []);
        config.tls.certificate = Some(file.clone());
        let in_days = |days: i64| Timestamp::now() + (days * 24).hours();
        let level = |config: &Config, days| of(config, in_days(days))[0].level;
        assert_eq!(level(&config, 0), Level::Ok);
        assert_eq!(level(&config, 29), Level::Ok);
        assert_eq!(level(&config, 31), Level::Warning);
        assert_eq!(level(&config, 61), Level::Wrong);
        assert!(of(&config, in_days(31))[0].what.contains("[tls]"));
        config.services.certificate = Some(folder.path().join("nowhere.pem"));
        assert_eq!(of(&config, in_days(0))[1].level, Level::Wrong);
    }
}
