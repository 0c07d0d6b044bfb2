//! What a route does with the request.

use gateway_config::model::{Action, Files, PathPattern, Rewrite, Route, Target, Upstream};
use http::StatusCode;
use serde::Serialize;
use tokio::time::Instant;

use super::answer::{HeaderFact, Outcome};
use super::upstream::UpstreamFacts;
use super::{FirstFault, Inquiry};
use crate::asked;
use crate::downstream::Framing;
use crate::fault::Fault;
use crate::files;
use crate::h1;
use crate::head::Fields;
use crate::headers::request::{Forwarding, fields_for_upstream};
use crate::headers::response::Rules;
use crate::path::Path;
use crate::policy::body::BodyGauge;
use crate::policy::limit::{Limiter, Within};
use crate::reply::Answer;
use crate::rewrite::rewritten;
use crate::route::own_length;

/// What a route does.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ActionFacts {
    /// Passes the request on.
    Proxy(Box<ProxyFacts>),
    /// Answers by itself.
    Respond { status: u16 },
    /// Answers from a folder.
    Files(FilesFacts),
    /// Sends the client elsewhere.
    Redirect { status: u16, to: String, keep_path: bool },
}

/// Which file is looked for.
#[derive(Debug, Serialize)]
pub(crate) struct FilesFacts {
    pub(crate) dir: String,
    /// The name below it; none where nothing of that name is served whatever the folder holds.
    pub(crate) file: Option<String>,
    /// The file that stands in for pages that are not there.
    pub(crate) spa: Option<String>,
    pub(crate) precompressed: bool,
}

/// How a request is passed on.
#[derive(Debug, Serialize)]
pub(crate) struct ProxyFacts {
    pub(crate) upstream: UpstreamFacts,
    /// What is done to the path.
    pub(crate) rewrite: String,
    /// The request as the upstream sees it; none where it never gets there.
    pub(crate) request: Option<UpstreamRequest>,
}

/// The request that goes upstream.
#[derive(Debug, Serialize)]
pub(crate) struct UpstreamRequest {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<UpstreamHeader>,
    /// Headers of the client that the upstream does not get.
    pub(crate) dropped: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct UpstreamHeader {
    #[serde(flatten)]
    pub(crate) header: HeaderFact,
    pub(crate) origin: HeaderOrigin,
}

/// Who said a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeaderOrigin {
    /// Passed on as it came.
    Client,
    /// Added by the gateway, or said by it in the client's place.
    Gateway,
}

/// A request that has found its route.
pub(super) struct Call<'c> {
    pub(super) inquiry: &'c Inquiry<'c>,
    pub(super) route: &'c Route,
    pub(super) authority: &'c str,
    pub(super) path: &'c Path<'c>,
}

impl Call<'_> {
    /// What the route does; a request that cannot be passed on leaves its fault.
    pub(super) fn facts(&self, faults: &mut FirstFault) -> ActionFacts {
        match &self.route.action {
            Action::Proxy(target) => {
                let rules = Rules::of(&self.route.policy);
                let preflight = rules.is_preflight(&self.inquiry.question.head);
                let arrives = faults.0.is_none() && matches!(preflight, Ok(false));
                let request = faults.ok(self.for_upstream(target)).filter(|_| arrives);
                ActionFacts::Proxy(Box::new(ProxyFacts {
                    upstream: UpstreamFacts::of(&target.upstream),
                    rewrite: described(&target.rewrite, &self.route.path),
                    request,
                }))
            }
            Action::Respond(respond) => ActionFacts::Respond { status: respond.status.as_u16() },
            Action::Files(files) => ActionFacts::Files(self.looked_for(files)),
            Action::Redirect(redirect) => ActionFacts::Redirect {
                status: redirect.status.as_u16(),
                to: redirect.to.clone(),
                keep_path: redirect.keep_path,
            },
        }
    }

    /// How a request ends that nothing has refused.
    pub(super) fn outcome(&self) -> Result<Outcome, Fault> {
        let target = self.inquiry.question.head.target();
        let rules = Rules::of(&self.route.policy);
        let (answer, because) = match &self.route.action {
            _ if rules.is_preflight(&self.inquiry.question.head)? => (
                Answer::empty(StatusCode::NO_CONTENT),
                "a preflight, allowed by the route's `cors`",
            ),
            Action::Proxy(to) => return Ok(Outcome::passed(self.passed(to))),
            Action::Files(folder) => {
                files::check_method(&self.inquiry.question.head.method)?;
                let file = self.looked_for(folder).file.ok_or(Fault::NoFile)?;
                let dir = folder.dir.display();
                return Ok(Outcome::from_folder(format!("`{file}` below {dir}, if it is there")));
            }
            Action::Respond(respond) => (Answer::fixed(respond), "the route's `respond`"),
            Action::Redirect(redirect) => {
                (Answer::redirect(redirect, target)?, "the route's `redirect`")
            }
        };
        let limiters: Vec<_> = self.route.policy.limits.iter().map(|l| Limiter::new(l)).collect();
        // As for a client's first request.
        let (asked, client) = (&self.inquiry.question.head, self.inquiry.client.ip);
        let within = limiters.iter().map(|limiter| limiter.check(asked, client, &self.path.normal));
        let told = within.filter_map(|within| match within {
            Ok(Within::Rate(allowance)) => Some(allowance),
            _ => None,
        });
        let allowances: Vec<_> = told.collect();
        let answer = answer.limited(&allowances);
        let dress = rules.to(&self.inquiry.question.head);
        Ok(Outcome::answered(answer, Some(dress), &self.inquiry.veil(), because))
    }

    fn looked_for(&self, files: &Files) -> FilesFacts {
        let prefix = match &self.route.path {
            PathPattern::Prefix(prefix) => prefix.len(),
            PathPattern::Exact(_) => 0,
        };
        let name = files::name_below(&self.path.normal, prefix);
        let file = name.map(|name| match name.trim_start_matches('/') {
            folder if name.ends_with('/') => format!("{folder}{}", files.index),
            file => file.to_owned(),
        });
        FilesFacts {
            dir: files.dir.display().to_string(),
            file,
            spa: files.spa.clone(),
            precompressed: files.precompressed,
        }
    }

    fn passed(&self, to: &Target) -> String {
        let Upstream { name, servers, .. } = &*to.upstream;
        let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        let where_to = match servers.join(", ") {
            servers if servers == *name => String::new(),
            servers => format!(" ({servers})"),
        };
        let (head, prefix) = (&self.inquiry.question.head, own_length(&self.route.path));
        let target = rewritten(&to.rewrite, prefix, self.path, head);
        format!("passed to the upstream `{name}`{where_to} as {} {target}", head.method)
    }

    fn for_upstream(&self, target: &Target) -> Result<UpstreamRequest, Fault> {
        let asked = &self.inquiry.question.head;
        let upgrade = asked::websocket(asked);
        let framing = h1::of_request(asked)?;
        let announced = match framing {
            Framing::Length(length) => Some(length),
            Framing::Empty | Framing::Open => None,
        };
        BodyGauge::start(self.route.policy.body, announced, Instant::now())?;
        let prefix = own_length(&self.route.path);
        let sent = rewritten(&target.rewrite, prefix, self.path, asked);
        let forwarding = Forwarding {
            client: self.inquiry.client,
            peer: &self.inquiry.question.peer.to_canonical().to_string(),
            authority: self.authority,
            trace: self.inquiry.trace,
            target: &sent,
            body: framing,
            upgrade,
            added: None,
            forwarded: self.route.policy.forwarded,
        };
        let mut fields = Fields::default();
        fields_for_upstream(asked, &forwarding, &mut fields);
        Ok(UpstreamRequest {
            method: asked.method.to_string(),
            target: sent.clone().into_owned(),
            headers: self.compared(&asked.fields, &fields),
            dropped: dropped(&asked.fields, &fields),
        })
    }

    fn compared(&self, asked: &Fields, sent: &Fields) -> Vec<UpstreamHeader> {
        let veil = self.inquiry.veil();
        let facts = sent.iter().map(|field| {
            let passed_on = asked.named(field.name).any(|brought| brought == field.value);
            let origin = if passed_on { HeaderOrigin::Client } else { HeaderOrigin::Gateway };
            UpstreamHeader { header: veil.header(field), origin }
        });
        facts.collect()
    }
}

fn dropped(asked: &Fields, sent: &Fields) -> Vec<String> {
    let mut names: Vec<String> = asked
        .iter()
        .filter(|field| !sent.has_named(field.name))
        .map(|field| String::from_utf8_lossy(field.name).into_owned())
        .collect();
    names.dedup();
    names
}

fn described(rewrite: &Rewrite, pattern: &PathPattern) -> String {
    match rewrite {
        Rewrite::Keep => "the path is kept".into(),
        Rewrite::StripPrefix(prefix) => format!("{prefix} is cut off the path"),
        Rewrite::To(path) => format!("the path becomes {path}"),
        Rewrite::Below(prefix) => format!("{pattern} becomes {prefix}/*"),
    }
}
