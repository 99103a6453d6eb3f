//! The databases that a process needs, and how each is looked at.

use std::sync::Arc;

use estore_ops::monitor::lookout::Lookout;
use estore_ops::roles::Service;

use crate::databases::{AddressError, Databases};

/// One database.
#[derive(Debug)]
pub struct Watched {
    /// Whose it is.
    pub service: Service,
    /// What its server is called in figures.
    pub server: String,
    /// Whether no database before it is on the same server: what is the server's is asked here.
    pub is_first: bool,
    /// How it is looked at.
    pub lookout: Lookout,
}

/// Those of these services. Nothing is connected yet.
pub fn of(services: &[Service], databases: &Databases) -> Result<Arc<[Watched]>, AddressError> {
    let mut all: Vec<Watched> = Vec::new();
    for &service in services {
        let server = databases.server_name(service)?;
        let is_first = all.iter().all(|before| before.server != server);
        all.push(Watched { service, server, is_first, lookout: Lookout::new(databases.monitor(service)?) });
    }
    Ok(all.into())
}
