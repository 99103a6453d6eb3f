//! The mail that a shop wrote into its folder.

use std::path::Path;

/// The newest mail to an address that holds `text`.
pub(super) fn newest_mail(folder: &Path, email: &str, text: &str) -> Option<String> {
    let mut mails: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .filter(|(_, path)| path.extension().is_some_and(|kind| kind == "eml"))
        .collect();
    mails.sort();
    mails.into_iter().rev().find_map(|(_, path)| {
        let mail = std::fs::read_to_string(path).ok()?;
        (mail.contains(&format!("To: {email}")) && mail.contains(text)).then_some(mail)
    })
}

/// How many mails hold `text`.
pub(super) fn count_mails(folder: &Path, text: &str) -> usize {
    let mails = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mails = mails.filter(|path| path.extension().is_some_and(|kind| kind == "eml"));
    mails.filter(|path| std::fs::read_to_string(path).is_ok_and(|mail| mail.contains(text))).count()
}
