//! The mutations that no test notices, and why that is right.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::find::Mutation;

/// Why mutations of a place survive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    file: String,
    /// The functions, as a mutation names its own. Without any, all of the file.
    #[serde(default)]
    within: Vec<String>,
    /// The changes, as a mutation names its own. Without any, all.
    #[serde(default)]
    change: Vec<String>,
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

pub fn read(path: &Path) -> Result<Vec<Survivor>> {
    Ok(toml::from_str::<File>(&fs::read_to_string(path)?)?.survivor)
}

impl Survivor {
    pub fn is_about(&self, mutation: &Mutation) -> bool {
        let is_one_of = |wanted: &[String], name: &String| wanted.is_empty() || wanted.contains(name);
        self.file == mutation.file
            && is_one_of(&self.within, &mutation.within)
            && is_one_of(&self.change, &mutation.change())
    }
}
