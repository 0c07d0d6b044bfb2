//! Orders (RFC 8555, section 7.4), and what comes of them.

use std::collections::HashSet;
use std::time::Duration;

use rcgen::{CertificateSigningRequestParams, SanType};
use serde_json::{Value, json};

use super::Shared;
use super::answer::{Answer, Problem};
use super::authority::Wanted;
use super::jws;
use super::profiles;
use super::renewal::rfc3339;
use super::server::Signed;
use super::state::{Identifier, Order, Status};
use super::trouble::Trouble;

/// How long orders and authorizations are kept.
pub(super) const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Shared {
    pub(super) fn new_order(&self, request: &Signed) -> Result<Answer, Problem> {
        let account = request.account()?;
        let payload = &request.payload;
        let identifiers = payload["identifiers"].as_array().into_iter().flatten();
        let identifiers =
            identifiers.map(Identifier::from_json).collect::<Result<Vec<_>, Problem>>()?;
        if identifiers.is_empty() {
            return Err(Problem::malformed("an order wants identifiers"));
        }
        let settings = self.settings.lock().unwrap().clone();
        let wanted = payload["profile"].as_str().filter(|_| settings.profiles);
        let profile = profiles::choose(wanted, &identifiers)?;
        let replaces = payload["replaces"].as_str().filter(|_| settings.renewal_info);
        if let Some(id) = replaces {
            self.check_replaced(id, account, &identifiers)?;
        }
        let authorizations = identifiers.iter().map(|it| self.authorize(account, it)).collect();
        let expires = self.now() + LIFE;
        let mut state = self.state.lock().unwrap();
        let number = state.orders.len();
        state.orders.push(Order {
            account,
            identifiers,
            authorizations,
            status: Status::Pending,
            error: None,
            expires,
            profile,
            replaces: replaces.map(str::to_owned),
            certificate: None,
            processing_looks: settings.processing_looks,
        });
        state.settle(number);
        drop(state);
        if let Some(id) = replaces {
            self.mark_replaced(id, number);
        }
        Ok(self.show_order(201, number))
    }

    pub(super) fn look_at_order(&self, request: &Signed) -> Result<Answer, Problem> {
        let number = self.own_order(request)?;
        let mut state = self.state.lock().unwrap();
        state.settle(number);
        let order = &mut state.orders[number];
        if order.status == Status::Processing {
            match order.processing_looks.checked_sub(1) {
                Some(left) => order.processing_looks = left,
                None => order.status = Status::Valid,
            }
        }
        if let Some(Trouble::Invalid(problem)) = &request.trouble {
            order.status = Status::Invalid;
            order.error = Some(problem.clone());
        }
        drop(state);
        Ok(self.show_order(200, number))
    }

    pub(super) fn finalize(&self, request: &Signed) -> Result<Answer, Problem> {
        let number = self.own_order(request)?;
        if let Some(Trouble::Invalid(_)) = request.trouble {
            return self.look_at_order(request);
        }
        let mut state = self.state.lock().unwrap();
        state.settle(number);
        let order = &state.orders[number];
        if order.status != Status::Ready {
            let detail = format!("the order is {}", order.status.name());
            return Err(Problem::new(403, "orderNotReady", detail));
        }
        let csr = csr(&request.payload, &order.identifiers)?;
        let flaw = match request.trouble {
            Some(Trouble::Certificate(flaw)) => Some(flaw),
            _ => None,
        };
        let wanted = Wanted {
            account: order.account,
            identifiers: order.identifiers.clone(),
            key: csr.public_key,
            now: self.now(),
            validity: profiles::validity(order.profile),
            flaw,
        };
        state.certificates.push(self.authority.issue(wanted));
        let certificate = state.certificates.len() - 1;
        let order = &mut state.orders[number];
        order.certificate = Some(certificate);
        order.status = if order.processing_looks > 0 { Status::Processing } else { Status::Valid };
        drop(state);
        Ok(self.show_order(200, number))
    }

    pub(super) fn certificate(&self, request: &Signed) -> Result<Answer, Problem> {
        let account = request.account()?;
        let state = self.state.lock().unwrap();
        let number = request.rest.parse::<usize>().ok();
        let certificate = number.and_then(|number| state.certificates.get(number));
        let certificate = certificate.ok_or_else(Problem::not_found)?;
        if certificate.account != account {
            return Err(Problem::unauthorized("this is another's certificate"));
        }
        let kind = "application/pem-certificate-chain";
        Ok(Answer::empty(200).with_body(kind, certificate.chain.clone()))
    }

    fn own_order(&self, request: &Signed) -> Result<usize, Problem> {
        let account = request.account()?;
        let state = self.state.lock().unwrap();
        let number: usize = request.rest.parse().map_err(|_| Problem::not_found())?;
        let order = state.orders.get(number).ok_or_else(Problem::not_found)?;
        let is_own = order.account == account;
        is_own.then_some(number).ok_or_else(|| Problem::unauthorized("this is another's order"))
    }

    fn show_order(&self, status: u16, number: usize) -> Answer {
        let settings = self.settings.lock().unwrap().clone();
        let state = self.state.lock().unwrap();
        let order = &state.orders[number];
        let authorizations = order.authorizations.iter();
        let mut body = json!({
            "status": order.status.name(),
            "expires": rfc3339(order.expires),
            "identifiers": order.identifiers.iter().map(Identifier::to_json).collect::<Vec<_>>(),
            "authorizations": authorizations
                .map(|it| self.url(&format!("/authorization/{it}")))
                .collect::<Vec<_>>(),
            "finalize": self.url(&format!("/finalize/{number}")),
        });
        if settings.profiles {
            body["profile"] = order.profile.into();
        }
        if let Some(id) = &order.replaces {
            body["replaces"] = id.clone().into();
        }
        if let Some(problem) = &order.error {
            body["error"] = problem.document().clone();
        }
        if let Some(number) = order.certificate.filter(|_| order.status == Status::Valid) {
            body["certificate"] = self.url(&format!("/certificate/{number}")).into();
        }
        let is_waiting = matches!(order.status, Status::Processing | Status::Pending);
        let after = settings.poll_retry_after.filter(|_| is_waiting && status != 201);
        Answer::json(status, &body)
            .with_location(self.url(&format!("/order/{number}")))
            .with_retry_after(after)
    }
}

/// Reads a certificate request, which must be for exactly these.
fn csr(
    payload: &Value,
    identifiers: &[Identifier],
) -> Result<CertificateSigningRequestParams, Problem> {
    let bad = |detail: String| Problem::new(400, "badCSR", detail);
    let der = jws::decode(payload["csr"].as_str().unwrap_or_default())?;
    let csr = CertificateSigningRequestParams::from_der(&der.into())
        .map_err(|error| bad(error.to_string()))?;
    let names = csr.params.subject_alt_names.iter().filter_map(|name| match name {
        SanType::DnsName(name) => Some(Identifier::Dns(name.to_string())),
        SanType::IpAddress(address) => Some(Identifier::Ip(*address)),
        _ => None,
    });
    let names: HashSet<Identifier> = names.collect();
    let ordered: HashSet<Identifier> = identifiers.iter().cloned().collect();
    if names != ordered {
        return Err(bad(format!("the request is for {names:?}, the order for {ordered:?}")));
    }
    Ok(csr)
}
