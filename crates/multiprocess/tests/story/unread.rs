//! Arguments that a child does not read to their end.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::proc;

/// Cannot be read.
#[derive(Serialize)]
pub(crate) struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Unreadable, D::Error> {
        Err(D::Error::custom("unreadable"))
    }
}

/// Kills the process that reads it.
#[derive(Serialize)]
pub(crate) struct Deadly;

impl<'de> Deserialize<'de> for Deadly {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Deadly, D::Error> {
        proc::kill(std::process::id());
        super::a_minute();
        Err(D::Error::custom("it lives"))
    }
}
