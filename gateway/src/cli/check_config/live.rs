//! What only this machine can say: `--live`. Nothing is made and nothing is written.

mod addresses;
mod certificates;
mod files;
mod guards;
mod names;
mod pages;
mod secrets;
mod storage;

use gateway_config::Problems;
use gateway_config::model::Config;

use super::places::Places;

/// Compares a configuration with the machine.
pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    names::check(config, places, problems);
    certificates::check_sites(config, places, problems);
    certificates::check_upstreams(config, places, problems);
    pages::check(config, places, problems);
    secrets::check(config, places, problems);
    guards::check(config, places, problems);
    storage::check(config, places, problems);
    files::check(config, places, problems);
    addresses::check(config, places, problems);
}
