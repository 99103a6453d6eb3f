//! Lists the query files of all services, so that a statement can be told by its file's name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut list = String::from("&[\n");
    for name in ["kit", "api", "users", "inventory", "payments", "ops"] {
        let folder = here.join(format!("../estore-{name}/queries"));
        println!("cargo::rerun-if-changed={}", folder.display());
        add(&folder, name, &mut list)?;
    }
    let folder = here.join("queries");
    println!("cargo::rerun-if-changed={}", folder.display());
    add(&folder, "estore", &mut list)?;
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("queries.rs"), list)
}

fn add(folder: &Path, name: &str, list: &mut String) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            add(&path, &format!("{name}/{stem}"), list)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let name = format!("{name}/{stem}");
            writeln!(list, "    ({name:?}, include_str!({:?})),", path.canonicalize()?).map_err(io::Error::other)?;
        }
    }
    Ok(())
}
