//! `errors` of one level, and how levels add up.

use super::{Level, nearest};
use crate::model::{ErrorFormat, ErrorPage, Errors, HeaderPreset, StatusPattern};

/// What one level says about errors.
#[derive(Debug, Default)]
pub(crate) struct ErrorsLevel {
    pub(crate) format: Option<ErrorFormat>,
    pub(crate) pages: Vec<(StatusPattern, ErrorPage)>,
    pub(crate) intercept: Option<bool>,
}

/// Pages add up, the nearest word about a status being the last. A route whose headers are an API's
/// speaks JSON where nobody says anything else.
pub(super) fn merge(levels: &[&Level], preset: HeaderPreset) -> Errors {
    let said = || levels.iter().filter_map(|level| level.errors.as_ref());
    let mut pages: Vec<(StatusPattern, ErrorPage)> = Vec::new();
    for (pattern, page) in said().flat_map(|level| &level.pages) {
        pages.retain(|(earlier, _)| earlier != pattern);
        pages.push((*pattern, page.clone()));
    }
    let usual = match preset {
        HeaderPreset::Api => ErrorFormat::Json,
        _ => ErrorFormat::Auto,
    };
    let format = nearest(levels, |level| level.errors.as_ref()?.format);
    let intercept = nearest(levels, |level| level.errors.as_ref()?.intercept);
    Errors { format: format.unwrap_or(usual), pages, intercept: intercept.unwrap_or(false) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{HeaderLevel, merge};
    use crate::model::PageKind;
    use http::StatusCode;

    fn page(path: &str) -> ErrorPage {
        ErrorPage { path: path.into(), kind: PageKind::Html }
    }

    fn level(errors: ErrorsLevel) -> Level {
        Level { errors: Some(errors), ..Level::default() }
    }

    #[test]
    fn pages_add_up_and_the_nearest_counts() {
        let exact = StatusPattern::Exact(StatusCode::NOT_FOUND);
        let (all, bad) = (StatusPattern::Class(4), StatusPattern::Class(5));
        let site = level(ErrorsLevel {
            pages: vec![(exact, page("a")), (bad, page("b"))],
            intercept: Some(true),
            ..ErrorsLevel::default()
        });
        let route = level(ErrorsLevel {
            pages: vec![(bad, page("c")), (all, page("d"))],
            ..ErrorsLevel::default()
        });
        let errors = merge(&[&site, &Level::default(), &route]).errors;
        let of = |status| errors.page(StatusCode::from_u16(status).expect("a status"));
        assert_eq!(of(404), Some(&page("a")));
        assert_eq!(of(403), Some(&page("d")));
        assert_eq!(of(502), Some(&page("c")));
        assert_eq!(of(302), None);
        assert!(errors.intercept);
    }

    #[test]
    fn an_api_speaks_json_unless_it_is_told_otherwise() {
        let headers = HeaderLevel { preset: Some(HeaderPreset::Api), operations: Vec::new() };
        let api = Level { headers: Some(headers), ..Level::default() };
        let auto = level(ErrorsLevel { format: Some(ErrorFormat::Auto), ..ErrorsLevel::default() });
        assert_eq!(merge(&[]).errors.format, ErrorFormat::Auto);
        assert_eq!(merge(&[&api]).errors.format, ErrorFormat::Json);
        assert_eq!(merge(&[&auto, &api]).errors.format, ErrorFormat::Auto);
    }
}
