//! Where backups are kept: a folder or a bucket, by URL.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, WriteMultipart};
use url::Url;

use super::error::BackupError;

/// One part of an upload, in bytes. Stores take 10,000 of them: 80 GiB a file.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts under way at once; with the one being filled they bound the memory of an upload.
const PARTS_MAX: usize = 2;
/// How the settings of stores begin. Shorter names, such as `TOKEN`, may be anybody's.
const SETTINGS: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];
/// The largest small object that is read whole, in bytes.
const SMALL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A folder or bucket of backups.
#[derive(Debug, Clone)]
pub struct Target {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    url: String,
}

/// An object's place and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Relative to the target.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) bytes: u64,
}

impl Target {
    /// Opens a target. `settings` are the store's credentials and options by name, such as the process's
    /// environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, …); other names are passed over.
    ///
    /// # Errors
    /// [`BackupError::Target`]; [`BackupError::File`] when the folder of a `file://` URL cannot be made.
    pub fn open(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, BackupError> {
        let refuse = |reason: String| BackupError::Target { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|error| refuse(error.to_string()))?;
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match parsed.scheme() {
            "file" => {
                let folder = parsed.to_file_path().map_err(|()| refuse("it names no folder of this machine".into()))?;
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
                made.map_err(BackupError::file("make", &folder))?;
                let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| refuse(error.to_string()))?;
                (Arc::new(store.with_fsync(true)), Path::default())
            }
            "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" | "adl" | "azure" => {
                let named = settings.into_iter().filter(|(name, _)| SETTINGS.iter().any(|own| name.starts_with(own)));
                let opened = object_store::parse_url_opts(&parsed, named);
                let (store, prefix) = opened.map_err(|error| refuse(error.to_string()))?;
                (Arc::from(store), prefix)
            }
            other => return Err(refuse(format!("no store is known for `{other}`"))),
        };
        Ok(Self { store, prefix, url: url.to_owned() })
    }

    /// The URL it was opened with.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Stores a small object under a name that is free, whole or not at all.
    pub(crate) async fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<(), BackupError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.store.put_opts(&self.path(name), bytes.into(), options).await;
        put.map(drop).map_err(BackupError::store(format!("store {name}")))
    }

    /// Stores a small object, replacing one of its name.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), BackupError> {
        let put = self.store.put(&self.path(name), bytes.into()).await;
        put.map(drop).map_err(BackupError::store(format!("store {name}")))
    }

    /// Begins a large object; it is there once [`Upload::finish`] says so, and not before.
    pub(crate) async fn upload(&self, name: &str) -> Result<Upload, BackupError> {
        let begun = self.store.put_multipart(&self.path(name)).await;
        let upload = begun.map_err(BackupError::store(format!("begin {name}")))?;
        Ok(Upload { parts: WriteMultipart::new_with_chunk_size(upload, PART_BYTES), name: name.to_owned() })
    }

    /// A small object; none when it is not there.
    pub(crate) async fn get_small(&self, name: &str) -> Result<Option<Vec<u8>>, BackupError> {
        let found = match self.store.get(&self.path(name)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(BackupError::store(format!("fetch {name}")))?,
        };
        if found.meta.size > SMALL_BYTES_MAX {
            return Err(BackupError::damaged(name, format!("it is {} bytes long, which cannot be", found.meta.size)));
        }
        let bytes = found.bytes().await.map_err(BackupError::store(format!("fetch {name}")))?;
        Ok(Some(bytes.to_vec()))
    }

    /// A large object, piece by piece.
    pub(crate) async fn fetch(
        &self,
        name: &str,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>, BackupError> {
        match self.store.get(&self.path(name)).await {
            Err(object_store::Error::NotFound { .. }) => Err(BackupError::damaged(name, "it is missing")),
            found => Ok(found.map_err(BackupError::store(format!("fetch {name}")))?.into_stream()),
        }
    }

    /// Everything under a folder of the target, or under the target.
    pub(crate) async fn list(&self, folder: Option<&str>) -> Result<Vec<Stored>, BackupError> {
        let under = folder.map_or_else(|| self.prefix.clone(), |folder| self.path(folder));
        let listed: Vec<_> =
            self.store.list(Some(&under)).try_collect().await.map_err(BackupError::store("list what it holds"))?;
        let relative = |path: &Path| -> Option<String> {
            let parts: Vec<String> = path.prefix_match(&self.prefix)?.map(|part| part.as_ref().to_owned()).collect();
            Some(parts.join("/"))
        };
        let stored =
            listed.iter().filter_map(|meta| Some(Stored { name: relative(&meta.location)?, bytes: meta.size }));
        Ok(stored.collect())
    }

    /// Removes objects; those that are gone already are no error.
    pub(crate) async fn remove(&self, names: &[String]) -> Result<(), BackupError> {
        let paths: Vec<Path> = names.iter().map(|name| self.path(name)).collect();
        let mut answers = self.store.delete_stream(futures_util::stream::iter(paths.into_iter().map(Ok)).boxed());
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(BackupError::Store { action: "remove a file".to_owned(), source }),
            }
        }
        Ok(())
    }
}

/// A large object under way, in bounded memory.
#[derive(Debug)]
pub(crate) struct Upload {
    parts: WriteMultipart,
    name: String,
}

impl Upload {
    /// Adds bytes; waits while enough are on their way.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), BackupError> {
        let room = self.parts.wait_for_capacity(PARTS_MAX).await;
        room.map_err(BackupError::store(format!("store {}", self.name)))?;
        self.parts.put(bytes);
        Ok(())
    }

    /// Publishes the object under its name.
    pub(crate) async fn finish(self) -> Result<(), BackupError> {
        self.parts.finish().await.map(drop).map_err(BackupError::store(format!("finish {}", self.name)))
    }

    /// Takes back what was sent. What a store keeps of it is no object.
    pub(crate) async fn abort(self) {
        if let Err(error) = self.parts.abort().await {
            tracing::warn!(%error, name = self.name, "an unfinished upload could not be taken back");
        }
    }
}
