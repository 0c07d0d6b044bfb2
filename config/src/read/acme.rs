//! `[acme]`.

pub(super) mod certificate;
mod directories;
mod dns;

use super::node::Node;
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{Acme, AcmeCertificate, AcmeDirectory, ChallengeKind};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::parse_contact;

/// `[acme]` as far as it could be read, with what further checks need of it.
pub(crate) struct ReadAcme {
    pub(crate) acme: Acme,
    /// What sites get that say nothing else.
    pub(crate) certificate: AcmeCertificate,
    /// The place of each challenge that is named.
    pub(crate) challenges: Vec<(ChallengeKind, Option<Span>)>,
    /// The place of the whole list.
    pub(crate) challenges_span: Option<Span>,
    /// Whether there is a `dns`, however broken.
    pub(crate) has_dns: bool,
}

pub(super) fn read(node: &Node<'_>) -> Option<ReadAcme> {
    let table = node.table()?;
    let contact =
        table.read("contact", |node| node.each(|item| item.parse(Format::Contact, parse_contact)));
    let directories = table.read("directory", |node| directories::read(&node));
    let directories = with_roots(directories.unwrap_or_default(), &table);
    let list = table.given("challenges");
    let challenges_span = list.and_then(|node| node.span());
    let challenges = list.and_then(|node| read_challenges(&node)).unwrap_or_default();
    let has_dns = table.has("dns");
    let dns = table.given("dns").and_then(|node| dns::read(&node));
    let certificate = certificate::read(&table, &AcmeCertificate::default());
    table.finish();

    let kinds = challenges.iter().map(|(kind, _)| *kind);
    let acme = Acme {
        contact: contact.unwrap_or_default(),
        directories,
        challenges: challenges_span.is_some().then(|| kinds.collect()),
        dns,
    };
    Some(ReadAcme { acme, certificate, challenges, challenges_span, has_dns })
}

/// `ca` stands for the `roots` of every directory that has none.
fn with_roots(mut directories: Vec<AcmeDirectory>, table: &Table<'_>) -> Vec<AcmeDirectory> {
    let node = table.given("ca");
    let file = node.and_then(|node| node.path(Format::File));
    let mut without = directories.iter_mut().filter(|one| one.roots.is_none()).peekable();
    if file.is_some() && without.peek().is_none() {
        let complaint = Complaint::new(
            Code::MisplacedKey,
            "`ca` of [acme] does nothing, because every directory has `roots` of its own",
        );
        table.report.add(table.key_span("ca").as_ref(), complaint.help("remove `ca`"));
    }
    without.for_each(|directory| directory.roots.clone_from(&file));
    directories
}

fn read_challenges(node: &Node<'_>) -> Option<Vec<(ChallengeKind, Option<Span>)>> {
    let list = node.each(|item| Some((read_challenge(item)?, item.span())))?;
    for (index, (kind, span)) in list.iter().enumerate() {
        let Some((_, first)) = list[..index].iter().find(|(earlier, _)| earlier == kind) else {
            continue;
        };
        let complaint = Complaint::new(Code::DuplicateEntry, format!("`{kind}` is named twice"))
            .help("keep one; the first in the list is tried first");
        let complaint = first.iter().fold(complaint, |it, span| it.related(span, "the first"));
        node.report.add(span.as_ref(), complaint);
    }
    Some(list)
}

fn read_challenge(node: &Node<'_>) -> Option<ChallengeKind> {
    let written = node.text()?;
    ChallengeKind::ALL.into_iter().find(|kind| kind.as_str() == written)
}
