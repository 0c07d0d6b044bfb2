//! Accounts: made, found, changed (RFC 8555, section 7.3).

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Answer, Problem};
use super::jws::{Key, Message};
use super::server::Signed;
use super::state::Account;

impl Signed {
    /// The account's number.
    pub(super) fn account(&self) -> Result<usize, Problem> {
        self.account.ok_or_else(|| Problem::malformed("this wants a kid"))
    }
}

impl Shared {
    pub(super) fn new_account(&self, request: &Signed) -> Result<Answer, Problem> {
        if request.account.is_some() {
            return Err(Problem::malformed("a new account wants a jwk"));
        }
        if let Some(number) = self.find(&request.key) {
            return Ok(self.show_account(200, number));
        }
        let payload = &request.payload;
        if payload["onlyReturnExisting"] == true {
            return Err(Problem::new(400, "accountDoesNotExist", "this key has no account"));
        }
        let wants_terms = self.settings.lock().unwrap().terms_of_service.is_some();
        if wants_terms && payload["termsOfServiceAgreed"] != true {
            return Err(Problem::malformed("the terms of service were not agreed to"));
        }
        let contact = contact(payload)?.unwrap_or_default();
        self.check_external(request)?;
        let mut state = self.state.lock().unwrap();
        state.accounts.push(Account { key: request.key.clone(), contact, is_deactivated: false });
        let number = state.accounts.len() - 1;
        drop(state);
        Ok(self.show_account(201, number))
    }

    pub(super) fn update_account(&self, request: &Signed) -> Result<Answer, Problem> {
        let number = request.account()?;
        if request.rest != number.to_string() {
            return Err(Problem::unauthorized("this is another's account"));
        }
        let contact = contact(&request.payload)?;
        let mut state = self.state.lock().unwrap();
        let account = &mut state.accounts[number];
        if let Some(contact) = contact {
            account.contact = contact;
        }
        account.is_deactivated = request.payload["status"] == "deactivated";
        drop(state);
        Ok(self.show_account(200, number))
    }

    /// RFC 8555, section 7.3.5: the new key signs inside, the old one outside.
    pub(super) fn change_key(&self, request: &Signed) -> Result<Answer, Problem> {
        let number = request.account()?;
        let message = Message::from_json(&request.payload)?;
        let key = Key::from_jwk(&message.header["jwk"])?;
        message.verify(&key)?;
        let payload = message.payload()?;
        let is_for_here = message.header["url"] == request.url
            && message.header.get("nonce").is_none()
            && payload["account"] == self.url(&format!("/account/{number}"))
            && Key::from_jwk(&payload["oldKey"])? == request.key;
        if !is_for_here {
            return Err(Problem::malformed("the change of key is for another account, key or URL"));
        }
        if let Some(other) = self.find(&key) {
            let location = self.url(&format!("/account/{other}"));
            let problem = Problem::new(409, "malformed", "the new key has an account already");
            return Ok(Answer::from(problem).with_location(location));
        }
        self.state.lock().unwrap().accounts[number].key = key;
        Ok(self.show_account(200, number))
    }

    fn find(&self, key: &Key) -> Option<usize> {
        self.state.lock().unwrap().accounts.iter().position(|account| account.key == *key)
    }

    fn show_account(&self, status: u16, number: usize) -> Answer {
        let state = self.state.lock().unwrap();
        let account = &state.accounts[number];
        let body = json!({
            "status": if account.is_deactivated { "deactivated" } else { "valid" },
            "contact": account.contact,
            "orders": self.url(&format!("/orders/{number}")),
        });
        Answer::json(status, &body).with_location(self.url(&format!("/account/{number}")))
    }

    fn check_external(&self, request: &Signed) -> Result<(), Problem> {
        let settings = self.settings.lock().unwrap();
        if settings.external_accounts.is_empty() {
            return Ok(());
        }
        let Some(binding) = request.payload.get("externalAccountBinding") else {
            let detail = "this CA wants an external account";
            return Err(Problem::new(403, "externalAccountRequired", detail));
        };
        let message = Message::from_json(binding)?;
        let id = message.header["kid"].as_str().unwrap_or_default();
        let key = settings.external_accounts.get(id);
        let key = key.ok_or_else(|| Problem::unauthorized("no such external account"))?;
        message.verify_mac(key)?;
        let is_bound = message.header["url"] == request.url && message.payload()? == request.jwk;
        is_bound.then_some(()).ok_or_else(|| {
            Problem::malformed("the external account is bound to another key or URL")
        })
    }
}

fn contact(payload: &Value) -> Result<Option<Vec<String>>, Problem> {
    let Some(list) = payload["contact"].as_array() else { return Ok(None) };
    let list: Vec<String> = list.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
    match list.iter().find(|it| !it.starts_with("mailto:")) {
        None => Ok(Some(list)),
        Some(other) => Err(Problem::new(400, "unsupportedContact", format!("no mail: {other}"))),
    }
}
