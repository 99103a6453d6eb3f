//! What to do on a PostgreSQL of one's own: archiving is set up by whoever runs it.

use std::path::Path;

use super::pgbackrest::{ARCHIVE_SECONDS_MAX, STANZA};

/// The configuration and the commands, ready to be used as root on the server's machine.
#[must_use]
pub fn instructions(repository: &Path, keep_days: u32) -> String {
    let repository = repository.display();
    format!(
        "# The databases are on a PostgreSQL of your own: archiving is set up on its machine.
# 1. /etc/pgbackrest.conf, mode 0640, owner postgres (apt-get install pgbackrest):
[global]
repo1-path={repository}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=        # the output of: openssl rand -base64 48; keep a copy elsewhere
repo1-retention-full-type=time
repo1-retention-full={keep_days}
compress-type=zst
process-max=2
start-fast=y

[{STANZA}]
pg1-path=                 # the output of: sudo -u postgres psql -Atc 'SHOW data_directory'

# 2. postgresql.conf; archive_mode needs a restart of the server:
archive_mode = on
archive_command = 'pgbackrest --stanza={STANZA} archive-push \"%p\"'
archive_timeout = {ARCHIVE_SECONDS_MAX}

# 3. Once, then the first each week and the second each day:
sudo -u postgres pgbackrest --stanza={STANZA} stanza-create
sudo -u postgres pgbackrest --stanza={STANZA} check
sudo -u postgres pgbackrest --stanza={STANZA} backup --type=full
sudo -u postgres pgbackrest --stanza={STANZA} backup --type=diff

# A moment with a name, and the way back to it, into an empty folder:
sudo -u postgres psql -c \"SELECT pg_create_restore_point('before-sale')\"
sudo -u postgres pgbackrest --stanza={STANZA} --pg1-path=/srv/restored --type=name --target=before-sale \\
  --target-action=promote --archive-mode=off restore
"
    )
}
