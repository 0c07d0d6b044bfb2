//! What becomes of successes, failures and checks: members that are left out and come back, said in
//! the journal and shown in the metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::members::Member;
use super::standing::{Change, now};
use super::{Connection, Place, Upstream};
use crate::fault::Fault;
use crate::journal;

impl Upstream {
    /// A server has answered.
    pub(crate) fn succeeded(&self, connection: &Connection) {
        let member = &connection.member;
        // What nearly every request finds, and writes nothing then.
        if member.standing.is_untroubled() {
            return;
        }
        if let Some(change) = member.standing.succeeded(now()) {
            self.changed(member, change, "a request succeeded");
        }
    }

    /// A request has failed on a server. A kept connection that had died says nothing about it.
    pub(crate) fn failed(&self, connection: &Connection, fault: &Fault) {
        let blamed = match fault {
            Fault::NoAnswer { .. } => !connection.reused,
            Fault::Garbage { .. } | Fault::FirstByteTimeout { .. } => true,
            _ => false,
        };
        if matches!(fault, Fault::NoAnswer { .. }) {
            self.refresh(&connection.member);
        }
        if blamed {
            self.failed_on(&connection.member, fault);
        }
    }

    /// Whatever was at its address may have moved; the records may have too.
    pub(super) fn refresh(&self, member: &Member) {
        if let Some(Place::Named { name, .. }) =
            self.servers.get(member.server).map(|server| &server.place)
        {
            name.refresh_soon();
        }
    }

    pub(super) fn failed_on(&self, member: &Arc<Member>, fault: &Fault) {
        let Some(fail) = self.config.fail else { return };
        let members = self.members.load();
        // The only one there is is asked whatever happens.
        if members.len() < 2 {
            return;
        }
        let change = member.standing.failed(fail, now());
        members.troubled.store(true, Relaxed);
        if let Some(change) = change {
            let times = fail.max;
            let last = fault.chain();
            self.changed(
                member,
                change,
                &format!("{times} requests failed in a row, the last: {last}"),
            );
        }
    }

    /// A health check has ended: well, or for this reason.
    pub(super) fn checked(&self, member: &Arc<Member>, outcome: Result<(), String>) {
        let Some(health) = &self.config.health else { return };
        self.metrics.checked(outcome.is_ok());
        if let Some(change) = member.standing.checked(outcome.is_ok(), health, now()) {
            let why = match outcome {
                Ok(()) => "its health checks pass".to_owned(),
                Err(reason) => format!("its health check failed: {reason}"),
            };
            self.changed(member, change, &why);
        }
    }

    fn changed(&self, member: &Member, change: Change, why: &str) {
        let (server, upstream) = (&member.label, &self.config.name);
        let fields: &[(&str, &dyn std::fmt::Display)] = &[("upstream", upstream)];
        match change {
            Change::Out => {
                let what = format_args!("{server} is left out: {why}");
                journal::warn("server_out", what, fields);
            }
            Change::Back => {
                let what = format_args!("{server} is asked again: {why}");
                journal::info("server_back", what, fields);
            }
        }
        let members = self.members.load();
        if change == Change::Out && !members.iter().any(|member| member.standing.is_in()) {
            let what = "no server is left; all of them are tried all the same";
            journal::warn("servers_out", what, fields);
        }
        self.publish();
    }

    /// Shows its servers in the metrics from now on: its configuration is served.
    pub(crate) fn show(&self) {
        *self.is_served.lock() = true;
        self.publish();
    }

    /// Shows them no more: another configuration is served.
    pub(crate) fn hide(&self) {
        let mut is_served = self.is_served.lock();
        *is_served = false;
        self.servers.iter().for_each(|server| self.metrics.forget_server(&server.label));
    }

    /// Shows how many addresses of each server are asked, and how many are left out.
    pub(super) fn publish(&self) {
        let is_served = self.is_served.lock();
        if !*is_served {
            return;
        }
        let members = self.members.load();
        for (index, server) in self.servers.iter().enumerate() {
            let of_server = members.iter().filter(|member| member.server == index);
            let (mut asked, mut left_out) = (0, 0);
            for member in of_server {
                *(if member.standing.is_in() { &mut asked } else { &mut left_out }) += 1;
            }
            self.metrics.servers(&server.label, asked, left_out);
        }
    }
}
