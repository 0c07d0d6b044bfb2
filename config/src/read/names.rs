//! Things that a file defines under a name and refers to by it.

use std::cell::Cell;
use std::sync::Arc;

use super::node::NamedNode;
use crate::complaint::{Complaint, Report};
use crate::problem::Code;
use crate::source::Span;
use crate::suggest::nearest;
use crate::text::parse_name;

/// Everything of one kind that has a name.
pub(super) struct Names<T> {
    /// "limit", "upstream": the table's name too.
    what: &'static str,
    list: Vec<Named<T>>,
}

struct Named<T> {
    name: String,
    span: Span,
    /// `None` where its definition has a problem, which has been reported.
    value: Option<Arc<T>>,
    used: Cell<bool>,
}

impl<T> Names<T> {
    pub(super) fn read<'a>(
        what: &'static str,
        entries: Vec<NamedNode<'a>>,
        read: impl Fn(&str, &NamedNode<'a>) -> Option<T>,
    ) -> Self {
        let list = entries.iter().map(|entry| {
            let name = parse_name(entry.name);
            if let Err(complaint) = name {
                entry.node.report.add(Some(&entry.span), complaint);
            }
            Named {
                name: entry.name.to_owned(),
                span: entry.span.clone(),
                value: read(entry.name, entry).map(Arc::new),
                used: Cell::new(false),
            }
        });
        Self { what, list: list.collect() }
    }

    /// What the name stands for; `None` where its definition is broken.
    pub(super) fn find(&self, name: &str, unknown: Code) -> Result<Option<Arc<T>>, Complaint> {
        match self.list.iter().find(|named| named.name == name) {
            Some(named) => {
                named.used.set(true);
                Ok(named.value.clone())
            }
            None => Err(self.unknown(name, unknown)),
        }
    }

    fn unknown(&self, name: &str, code: Code) -> Complaint {
        let Self { what, list } = self;
        let names = || list.iter().map(|named| named.name.as_str());
        let complaint = Complaint::new(code, format!("there is no {what} `{name}`"));
        complaint.help(match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("define it by a table [{what}.{name}]"),
        })
    }

    pub(super) fn report_unused(&self, report: &Report<'_>, code: Code) {
        for named in self.list.iter().filter(|named| !named.used.get()) {
            let message = format!("nothing uses {} `{}`", self.what, named.name);
            let complaint = Complaint::new(code, message).help("name it somewhere, or remove it");
            report.add(Some(&named.span), complaint);
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.list.iter().filter_map(|named| named.value.as_ref())
    }

    pub(super) fn used(&self) -> impl Iterator<Item = &Arc<T>> {
        let used = self.list.iter().filter(|named| named.used.get());
        used.filter_map(|named| named.value.as_ref())
    }
}
