//! The steps of the schema, embedded.

use estore_kit::audit::{KEEP_AUDIT_LOG, SEAL_AUDIT_LOG, SHAPE_PARTITIONS};
use estore_kit::migration::Migration;

/// The migrations of `estore_users`, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 202_611_222_030,
        name: "create_accounts",
        up: include_str!("../migrations/202611222030_create_accounts/up.sql"),
        down: include_str!("../migrations/202611222030_create_accounts/down.sql"),
    },
    Migration {
        version: 202_611_222_031,
        name: "create_sessions_and_mail",
        up: include_str!("../migrations/202611222031_create_sessions_and_mail/up.sql"),
        down: include_str!("../migrations/202611222031_create_sessions_and_mail/down.sql"),
    },
    Migration {
        version: 202_611_222_130,
        name: "create_event_outbox",
        up: include_str!("../migrations/202611222130_create_event_outbox/up.sql"),
        down: include_str!("../migrations/202611222130_create_event_outbox/down.sql"),
    },
    Migration {
        version: 202_611_230_116,
        name: "announce_ended_sessions",
        up: include_str!("../migrations/202611230116_announce_ended_sessions/up.sql"),
        down: include_str!("../migrations/202611230116_announce_ended_sessions/down.sql"),
    },
    Migration {
        version: 202_611_230_130,
        name: "one_time_passwords",
        up: include_str!("../migrations/202611230130_one_time_passwords/up.sql"),
        down: include_str!("../migrations/202611230130_one_time_passwords/down.sql"),
    },
    Migration {
        version: 202_611_260_035,
        name: "close_rows",
        up: include_str!("../migrations/202611260035_close_rows/up.sql"),
        down: include_str!("../migrations/202611260035_close_rows/down.sql"),
    },
    Migration {
        version: 202_611_260_250,
        name: "end_sessions_one_by_one",
        up: include_str!("../migrations/202611260250_end_sessions_one_by_one/up.sql"),
        down: include_str!("../migrations/202611260250_end_sessions_one_by_one/down.sql"),
    },
    Migration {
        version: 202_611_260_255,
        name: "slow_down_guessing",
        up: include_str!("../migrations/202611260255_slow_down_guessing/up.sql"),
        down: include_str!("../migrations/202611260255_slow_down_guessing/down.sql"),
    },
    Migration {
        version: 202_611_260_300,
        name: "name_permissions",
        up: include_str!("../migrations/202611260300_name_permissions/up.sql"),
        down: include_str!("../migrations/202611260300_name_permissions/down.sql"),
    },
    Migration {
        version: 202_611_260_305,
        name: "keep_api_keys",
        up: include_str!("../migrations/202611260305_keep_api_keys/up.sql"),
        down: include_str!("../migrations/202611260305_keep_api_keys/down.sql"),
    },
    Migration {
        version: 202_611_260_310,
        name: "keep_second_factors",
        up: include_str!("../migrations/202611260310_keep_second_factors/up.sql"),
        down: include_str!("../migrations/202611260310_keep_second_factors/down.sql"),
    },
    Migration {
        version: 202_611_260_315,
        name: "tell_of_erasures",
        up: include_str!("../migrations/202611260315_tell_of_erasures/up.sql"),
        down: include_str!("../migrations/202611260315_tell_of_erasures/down.sql"),
    },
    Migration {
        version: 202_611_260_320,
        name: "refuse_changes",
        up: include_str!("../migrations/202611260320_refuse_changes/up.sql"),
        down: include_str!("../migrations/202611260320_refuse_changes/down.sql"),
    },
    SHAPE_PARTITIONS,
    KEEP_AUDIT_LOG,
    Migration {
        version: 202_611_260_335,
        name: "audit_accounts",
        up: include_str!("../migrations/202611260335_audit_accounts/up.sql"),
        down: include_str!("../migrations/202611260335_audit_accounts/down.sql"),
    },
    SEAL_AUDIT_LOG,
    Migration {
        version: 202_611_260_400,
        name: "audit_credentials",
        up: include_str!("../migrations/202611260400_audit_credentials/up.sql"),
        down: include_str!("../migrations/202611260400_audit_credentials/down.sql"),
    },
    Migration {
        version: 202_611_261_000,
        name: "keep_passkeys",
        up: include_str!("../migrations/202611261000_keep_passkeys/up.sql"),
        down: include_str!("../migrations/202611261000_keep_passkeys/down.sql"),
    },
    Migration {
        version: 202_611_261_010,
        name: "tell_of_api_keys",
        up: include_str!("../migrations/202611261010_tell_of_api_keys/up.sql"),
        down: include_str!("../migrations/202611261010_tell_of_api_keys/down.sql"),
    },
    Migration {
        version: 202_611_261_020,
        name: "confirm_one_registration",
        up: include_str!("../migrations/202611261020_confirm_one_registration/up.sql"),
        down: include_str!("../migrations/202611261020_confirm_one_registration/down.sql"),
    },
    Migration {
        version: 202_611_261_030,
        name: "seal_letters",
        up: include_str!("../migrations/202611261030_seal_letters/up.sql"),
        down: include_str!("../migrations/202611261030_seal_letters/down.sql"),
    },
    Migration {
        version: 202_611_261_815,
        name: "keep_answered_challenges",
        up: include_str!("../migrations/202611261815_keep_answered_challenges/up.sql"),
        down: include_str!("../migrations/202611261815_keep_answered_challenges/down.sql"),
    },
];
