//! What we write to people. Plain ASCII, so that no encoding breaks a link or a token.

use crate::email::Email;
use crate::secret::Secret;

/// Why a letter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verification,
    AlreadyRegistered,
    PasswordReset,
    PasswordChanged,
    EmailChange,
    EmailChangeAsked,
    EmailChanged,
    Erased,
    TotpOn,
    TotpOff,
    RecoveryCodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeySuspected,
    ApiKeyMade,
}

impl Purpose {
    /// The word in the outbox.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::AlreadyRegistered => "already_registered",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::EmailChange => "email_change",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::Erased => "erased",
            Self::TotpOn => "totp_on",
            Self::TotpOff => "totp_off",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeySuspected => "passkey_suspected",
            Self::ApiKeyMade => "api_key_made",
        }
    }
}

/// A letter as it goes to the outbox.
pub(crate) struct Letter {
    pub(crate) purpose: Purpose,
    pub(crate) recipient: String,
    pub(crate) subject: &'static str,
    pub(crate) body: String,
}

const NOT_YOU: &str = "If that was not you, you need not do anything.";

/// The proof of a new account's address.
pub(crate) fn verification(to: &Email, public_url: &str, token: &Secret, hours: u32) -> Letter {
    let body = format!(
        "Welcome.\n\nPlease confirm that this address is yours, and that you asked for an account with it just now. Open this \
         page and press the button:\n\n{}\n\n{}\n\n\
         This works once, within {hours} hours. {NOT_YOU}\n",
        link(public_url, "verify-email", token),
        token_line(token),
    );
    letter(Purpose::Verification, to.as_str(), "Confirm your address", body)
}

/// For the owner of an address that somebody registers once more.
pub(crate) fn already_registered(to: &Email, public_url: &str) -> Letter {
    let body = format!(
        "Somebody asked for an account with this address at {public_url}, and you have one already.\n\n\
         If it was you, log in as usual; if you have forgotten your password, ask for a new one.\n{NOT_YOU}\n"
    );
    letter(Purpose::AlreadyRegistered, to.as_str(), "You already have an account", body)
}

/// The way to a new password.
pub(crate) fn password_reset(to: &Email, public_url: &str, token: &Secret, minutes: u32) -> Letter {
    let body = format!(
        "Somebody asked for a new password for your account. To choose one, open this page:\n\n{}\n\n{}\n\n\
         This works once, within {minutes} minutes. {NOT_YOU}\n",
        link(public_url, "reset-password", token),
        token_line(token),
    );
    letter(Purpose::PasswordReset, to.as_str(), "Choose a new password", body)
}

/// After a password has been changed. What goes on without it is named: whoever had the account may have left it there.
pub(crate) fn password_changed(to: &str, left: KeysLeft) -> Letter {
    let body = format!(
        "The password of your account has been changed, and other devices have been logged out.\n\n{}\
         If that was not you, ask for a new password at once.\n",
        what_goes_on(left)
    );
    letter(Purpose::PasswordChanged, to, "Your password has been changed", body)
}

/// What acts for an account or logs in to it without its password.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeysLeft {
    pub(crate) api_keys: i64,
    pub(crate) passkeys: i64,
}

fn what_goes_on(left: KeysLeft) -> String {
    let counted = |count: i64, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let passkeys = counted(left.passkeys, "passkey", "passkeys");
    let api_keys = counted(left.api_keys, "API key in your name", "API keys in your name");
    let named: Vec<String> = passkeys.into_iter().chain(api_keys).collect();
    if named.is_empty() {
        return String::new();
    }
    format!("Still good without the password: {}. Remove what you do not know.\n\n", named.join(" and "))
}

/// After an API key has been made. What its maker calls it is not said: it would be a stranger's text if that was not them.
pub(crate) fn api_key_made(to: &str) -> Letter {
    let body = "An API key has been made in your name. Programs that have it act for you, until it ends or is revoked.\n\n\
                If that was not you, ask for a new password at once, and revoke the key.\n";
    letter(Purpose::ApiKeyMade, to, "An API key has been made in your name", body.to_owned())
}

/// The proof of the address that an account wants to have.
pub(crate) fn email_change(to: &Email, public_url: &str, token: &Secret, hours: u32) -> Letter {
    let body = format!(
        "An account wants to use this address from now on. To agree, open this page and press the button:\n\n{}\n\n{}\n\n\
         This works once, within {hours} hours. {NOT_YOU}\n",
        link(public_url, "verify-email", token),
        token_line(token),
    );
    letter(Purpose::EmailChange, to.as_str(), "Confirm your new address", body)
}

/// For the old address, when a change is asked for.
pub(crate) fn email_change_asked(to: &str, new: &Email) -> Letter {
    let body = format!(
        "Somebody who knows your password asked that your account use the address {new} from now on.\n\n\
         If that was not you, change your password at once.\n"
    );
    letter(Purpose::EmailChangeAsked, to, "Your address is about to change", body)
}

/// For the old address, when it has been switched.
pub(crate) fn email_changed(to: &str, new: &str) -> Letter {
    let body = format!("Your account now uses the address {new}; this one is no longer used.\n");
    letter(Purpose::EmailChanged, to, "Your address has been changed", body)
}

/// After an account has been erased.
pub(crate) fn erased(to: &str) -> Letter {
    let body = "Your account has been erased, as you asked. This was our last letter.\n";
    letter(Purpose::Erased, to, "Your account has been erased", body.to_owned())
}

/// After a second factor has been confirmed.
pub(crate) fn totp_on(to: &str) -> Letter {
    let body = "From now on your account asks for a code of your authenticator beside the password.\n\n\
                If that was not you, ask for a new password at once, and write to us.\n";
    letter(Purpose::TotpOn, to, "You now log in by two steps", body.to_owned())
}

/// After an authenticator has ended; what is asked for beside the password from now on.
pub(crate) fn totp_off(to: &str, takes_more: bool) -> Letter {
    let body = format!(
        "Your account no longer takes codes of an authenticator. {}\n\n\
         If that was not you, change your password at once.\n",
        what_is_asked(takes_more)
    );
    letter(Purpose::TotpOff, to, "Your authenticator has been removed", body)
}

/// After a passkey has been added. What its owner calls it is not said: it would be a stranger's text if that was not them.
pub(crate) fn passkey_added(to: &str, is_second_step: bool) -> Letter {
    let also = if is_second_step { " Beside the password, your account asks for it from now on." } else { "" };
    let body = format!(
        "A passkey has been added to your account, and logs in to it.{also}\n\n\
         If that was not you, ask for a new password at once, remove the passkey, and write to us.\n"
    );
    letter(Purpose::PasskeyAdded, to, "A passkey has been added to your account", body)
}

/// After a passkey has been removed; what is asked for beside the password from now on.
pub(crate) fn passkey_removed(to: &str, takes_more: bool) -> Letter {
    let body = format!(
        "A passkey of your account has been removed, and logs in no more. {}\n\n\
         If that was not you, change your password at once.\n",
        what_is_asked(takes_more)
    );
    letter(Purpose::PasskeyRemoved, to, "A passkey of your account has been removed", body)
}

/// After a passkey has been refused for good.
pub(crate) fn passkey_suspected(to: &str) -> Letter {
    let body = "One of your passkeys was used in a way that points to a copy of it. It is no longer taken.\n\n\
                Please log in in another way, remove that passkey, and look at where you are logged in.\n";
    letter(Purpose::PasskeySuspected, to, "One of your passkeys is no longer taken", body.to_owned())
}

fn what_is_asked(takes_more: bool) -> &'static str {
    if takes_more {
        "Beside the password, your account still asks for a second step."
    } else {
        "Where you log in by the password, that alone is asked for."
    }
}

/// After a recovery code has been used up.
pub(crate) fn recovery_code_used(to: &str) -> Letter {
    let body = "One of your recovery codes has been used, and does no more.\n\n\
                If that was not you, change your password at once, and make new codes.\n";
    letter(Purpose::RecoveryCodeUsed, to, "A recovery code has been used", body.to_owned())
}

fn letter(purpose: Purpose, recipient: &str, subject: &'static str, body: String) -> Letter {
    Letter { purpose, recipient: recipient.to_owned(), subject, body }
}

fn link(public_url: &str, page: &str, token: &Secret) -> String {
    format!("{}/{page}?token={}", public_url.trim_end_matches('/'), token.reveal())
}

/// Alone on its line, for those who use the API by hand.
fn token_line(token: &Secret) -> String {
    format!("Token: {}", token.reveal())
}

#[cfg(test)]
mod tests {
    use super::verification;
    use crate::email::Email;
    use crate::secret::Secret;

    #[test]
    fn a_letter_holds_the_link_and_the_token_on_lines_of_their_own() {
        let to = Email::parse("a@b.co").unwrap();
        let letter = verification(&to, "http://shop.example/", &Secret::new("t0ken".into()), 24);
        assert!(letter.body.lines().any(|line| line == "http://shop.example/verify-email?token=t0ken"));
        assert!(letter.body.lines().any(|line| line == "Token: t0ken"));
        assert!(letter.body.is_ascii());
    }
}
