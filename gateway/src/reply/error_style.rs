//! How a route tells about errors, made ready when the configuration is built.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use gateway_config::model::{Config, ErrorFormat, ErrorPage, PageKind, Policy, StatusPattern};
use http::StatusCode;

use super::accept::{Form, preferred};
use super::page::{Page, PageError};
use crate::fault::Fault;
use crate::head::RequestHead;
use crate::policy::Refused;

/// Every page that a configuration names, each read once.
#[derive(Debug, Default)]
pub(crate) struct Pages(HashMap<PathBuf, Arc<Page>>);

impl Pages {
    /// Reads them all.
    ///
    /// # Errors
    /// Every [`PageError`] there is.
    pub(crate) fn read(config: &Config) -> Result<Self, Vec<PageError>> {
        let (mut pages, mut errors) = (HashMap::new(), Vec::new());
        for page in named(config) {
            if pages.contains_key(&page.path) {
                continue;
            }
            match Page::read(page) {
                Ok(read) => drop(pages.insert(page.path.clone(), Arc::new(read))),
                Err(error) if errors.iter().any(|known: &PageError| known.path() == page.path) => {
                    drop(error);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(pages)) } else { Err(errors) }
    }

    /// What stands for them where files are not looked at.
    pub(crate) fn unread(policy: &Policy) -> Self {
        let pages = named_by(policy);
        Self(pages.map(|page| (page.path.clone(), Arc::new(Page::unread(page)))).collect())
    }

    /// A route's, of what has been read.
    pub(crate) fn style(&self, policy: &Policy) -> ErrorStyle {
        let find = |page: &ErrorPage| self.0.get(&page.path).cloned();
        let pages = policy.errors.pages.iter();
        let under_work = policy.maintenance.as_ref().and_then(|work| work.page.as_ref());
        ErrorStyle {
            format: policy.errors.format,
            pages: pages.filter_map(|(pattern, page)| Some((*pattern, find(page)?))).collect(),
            maintenance: under_work.and_then(find),
            intercept: policy.errors.intercept,
        }
    }
}

fn named(config: &Config) -> impl Iterator<Item = &ErrorPage> {
    let sites = config.sites.iter();
    let policies = sites.flat_map(|site| {
        let routes = site.routes.iter().map(|route| &route.policy);
        std::iter::once(&site.policy).chain(routes)
    });
    policies.flat_map(named_by)
}

fn named_by(policy: &Policy) -> impl Iterator<Item = &ErrorPage> {
    let of_errors = policy.errors.pages.iter().map(|(_, page)| page);
    of_errors.chain(policy.maintenance.as_ref().and_then(|work| work.page.as_ref()))
}

/// How a route tells about errors.
#[derive(Debug)]
pub(crate) struct ErrorStyle {
    format: ErrorFormat,
    pages: Vec<(StatusPattern, Arc<Page>)>,
    maintenance: Option<Arc<Page>>,
    intercept: bool,
}

/// What is told where no site is known.
pub(crate) static PLAIN: ErrorStyle = ErrorStyle {
    format: ErrorFormat::Auto,
    pages: Vec::new(),
    maintenance: None,
    intercept: false,
};

impl ErrorStyle {
    /// The form that a client is told in; `None` where any will do.
    fn form(&self, asked: Option<&RequestHead>) -> Option<Form> {
        match self.format {
            ErrorFormat::Json => Some(Form::Json),
            ErrorFormat::Auto => asked.and_then(preferred),
        }
    }

    /// The form of what is no page of somebody's own.
    pub(super) fn own_form(&self, asked: Option<&RequestHead>) -> Form {
        self.form(asked).unwrap_or(Form::Text)
    }

    /// The page for a fault, if there is one that its client takes.
    pub(super) fn page_for(
        &self,
        fault: &Fault,
        status: StatusCode,
        asked: Option<&RequestHead>,
    ) -> Option<&Page> {
        let under_work = match fault {
            Fault::Refused(Refused::Maintenance { .. }) => self.maintenance.as_deref(),
            _ => None,
        };
        under_work.or_else(|| self.page(status)).filter(|page| fits(page.kind, self.form(asked)))
    }

    /// Whether a client is told about a fault by a page of the route's own.
    pub(crate) fn has_page_for(
        &self,
        fault: &Fault,
        status: StatusCode,
        asked: &RequestHead,
    ) -> bool {
        self.page_for(fault, status, Some(asked)).is_some()
    }

    /// The page that replaces what an upstream sends with this status, if there is one that its
    /// client takes.
    pub(crate) fn page_instead(&self, status: StatusCode, asked: &RequestHead) -> Option<&Page> {
        if !self.intercept {
            return None;
        }
        self.page(status).filter(|page| fits(page.kind, self.form(Some(asked))))
    }

    /// One for exactly this status, or else one for its class.
    fn page(&self, status: StatusCode) -> Option<&Page> {
        let find = |wanted| self.pages.iter().find(|(pattern, _)| *pattern == wanted);
        let class = || find(StatusPattern::Class(status.as_u16() / 100));
        find(StatusPattern::Exact(status)).or_else(class).map(|(_, page)| &**page)
    }
}

/// Whether a client that wants this form takes a page of this kind. Whoever names no form takes any.
fn fits(kind: PageKind, form: Option<Form>) -> bool {
    match form {
        None => true,
        Some(Form::Html) => kind != PageKind::Json,
        Some(Form::Json) => kind == PageKind::Json,
        Some(Form::Text) => kind == PageKind::Text,
    }
}
