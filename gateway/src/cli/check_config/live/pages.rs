//! Can the pages for errors be sent?

use gateway_config::Problems;
use gateway_config::model::Config;

use super::super::finding::Finding;
use super::super::places::Places;
use crate::reply::Pages;

pub(super) fn check(config: &Config, places: &Places<'_>, problems: &mut Problems) {
    for error in Pages::read(config).err().into_iter().flatten() {
        let help = "put a file of UTF-8 text there, or name another one";
        let place = places.error_page(error.path());
        problems.push(Finding::ErrorPage.problem(error.to_string(), help.into(), place));
    }
}
