//! Roles and their settings, once for each server, without passwords.

use tokio_postgres::Config;

use super::create::Source;

/// The servers of these databases: the name of each one's file, and one of its databases.
pub(crate) fn servers(sources: &[Source]) -> Vec<(String, &Source)> {
    let mut servers: Vec<(String, &Source)> = Vec::new();
    for source in sources {
        if servers.iter().any(|(_, known)| is_same_server(&known.dump, &source.dump)) {
            continue;
        }
        let name =
            if servers.is_empty() { "globals.sql".to_owned() } else { format!("globals-{}.sql", source.service) };
        servers.push((name, source));
    }
    servers
}

fn is_same_server(one: &Config, other: &Config) -> bool {
    one.get_hosts() == other.get_hosts() && one.get_ports() == other.get_ports()
}
