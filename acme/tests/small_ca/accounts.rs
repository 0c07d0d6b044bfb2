//! Accounts, keys, nonces and signatures.

use std::collections::HashMap;

use instant_acme::{Account, ExternalAccountKey, Key, NewAccount};

use super::Set;
use crate::harness::account::{self, Http, is_bad_nonce, is_problem};
use crate::harness::small_ca::{Kind, Settings, SmallCa};

#[tokio::test]
async fn a_key_finds_its_account() {
    let set = Set::start(Settings::default()).await;
    let url = set.ca.directory_url();
    let (key, pkcs8) = Key::generate_pkcs8().unwrap();
    let builder = Account::builder_with_http(Box::new(Http::trusting(None)));
    let unknown = builder.from_key((key, pkcs8.clone_key().into()), url.clone()).await;
    assert!(is_problem(&unknown.err().unwrap(), "accountDoesNotExist"));

    let key = || Key::from_pkcs8_der(pkcs8.clone_key()).unwrap();
    let builder = Account::builder_with_http(Box::new(Http::trusting(None)));
    let made = builder.create_from_key((key(), pkcs8.clone_key().into()), url.clone()).await;
    let builder = Account::builder_with_http(Box::new(Http::trusting(None)));
    let found = builder.from_key((key(), pkcs8.clone_key().into()), url).await;
    assert_eq!(made.unwrap().0.id(), found.unwrap().0.id());
    assert_eq!(set.ca.count(Kind::NewAccount), 4);
}

#[tokio::test]
async fn another_key_s_signature_is_refused() {
    let set = Set::start(Settings::default()).await;
    let (_, other) = Key::generate_pkcs8().unwrap();
    let builder = Account::builder_with_http(Box::new(Http::trusting(None)));
    let id = set.account.id().to_owned();
    let forger = builder.from_parts(id, other, set.ca.directory_url()).await.unwrap();
    let error = forger.update_contacts(&[]).await.err().unwrap();
    assert!(is_problem(&error, "malformed"), "{error:?}");
}

#[tokio::test]
async fn keys_are_changed_and_accounts_end() {
    let set = Set::start(Settings::default()).await;
    let (old, mut account) = (set.account.clone(), set.account.clone());
    drop(account.update_key().await.unwrap());
    account.update_contacts(&["mailto:b@example.org"]).await.unwrap();
    let error = old.update_contacts(&[]).await.unwrap_err();
    assert!(is_problem(&error, "malformed"), "{error:?}");
    let error = account.update_contacts(&["tel:110"]).await.unwrap_err();
    assert!(is_problem(&error, "unsupportedContact"), "{error:?}");

    account.clone().deactivate().await.unwrap();
    let error = account.update_contacts(&[]).await.unwrap_err();
    assert!(is_problem(&error, "unauthorized"), "{error:?}");
}

#[tokio::test]
async fn external_accounts() {
    let external_accounts = HashMap::from([("kid-1".to_owned(), vec![1; 32])]);
    let ca = SmallCa::start(Settings { external_accounts, ..Settings::default() }).await;
    let url = ca.directory_url();
    let error = account::try_create(&url, None, None).await.err().unwrap();
    assert!(is_problem(&error, "externalAccountRequired"), "{error:?}");
    for (id, key) in [("kid-1", [2; 32]), ("kid-2", [1; 32])] {
        let wrong = ExternalAccountKey::new(id.to_owned(), &key);
        let error = account::try_create(&url, None, Some(&wrong)).await.err().unwrap();
        assert!(is_problem(&error, "unauthorized"), "{error:?}");
    }
    let right = ExternalAccountKey::new("kid-1".to_owned(), &[1; 32]);
    drop(account::try_create(&url, None, Some(&right)).await.unwrap());
}

#[tokio::test]
async fn terms_are_to_be_agreed_to() {
    let terms_of_service = Some("https://example.org/terms".to_owned());
    let ca = SmallCa::start(Settings { terms_of_service, ..Settings::default() }).await;
    let shy = NewAccount { terms_of_service_agreed: false, ..account::NEW };
    let builder = Account::builder_with_http(Box::new(Http::trusting(None)));
    let error = builder.create(&shy, ca.directory_url(), None).await.err().unwrap();
    assert!(is_problem(&error, "malformed"), "{error:?}");
    account::create(&ca.directory_url(), None).await;
}

#[tokio::test]
async fn nonces_are_refused_as_often_as_wanted() {
    let set = Set::start(Settings::default()).await;
    set.ca.set(|settings| settings.refused_nonces = 2);
    set.account.update_contacts(&[]).await.unwrap();
    assert_eq!(set.ca.count(Kind::Account), 3);
    // instant-acme gives up after three.
    set.ca.set(|settings| settings.refused_nonces = 3);
    let error = set.account.update_contacts(&[]).await.unwrap_err();
    assert!(is_bad_nonce(&error), "{error:?}");
}
