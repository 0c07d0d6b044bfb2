//! Certificates that are not what was asked for.

use std::time::SystemTime;

use rustls::CertificateError;
use rustls::Error::InvalidCertificate;

use super::{Set, one};
use crate::harness::issue;
use crate::harness::small_ca::{Flaw, Kind, Settings, Trouble};
use instant_acme::NewOrder;
use x509_parser::prelude::{FromDer, X509Certificate};

#[tokio::test]
async fn flaws_that_a_client_sees() {
    let set = Set::start(Settings::default()).await;
    for flaw in
        [Flaw::OtherName, Flaw::Expired, Flaw::NotYetValid, Flaw::NoChain, Flaw::OtherIssuer]
    {
        set.ca.next(Kind::Finalize, Trouble::Certificate(flaw));
        let issued = set.issue_one().await.unwrap();
        let Err(InvalidCertificate(error)) = set.check(&issued, "a.test", SystemTime::now()) else {
            panic!("{flaw:?} is none")
        };
        let fits = match flaw {
            Flaw::OtherName => matches!(error, CertificateError::NotValidForNameContext { .. }),
            Flaw::Expired => matches!(error, CertificateError::ExpiredContext { .. }),
            Flaw::NotYetValid => matches!(error, CertificateError::NotValidYetContext { .. }),
            Flaw::NoChain => matches!(error, CertificateError::UnknownIssuer),
            _ => matches!(error, CertificateError::BadSignature),
        };
        assert!(fits, "{flaw:?}: {error:?}");
    }
}

#[tokio::test]
async fn flaws_that_only_the_owner_sees() {
    let set = Set::start(Settings::default()).await;
    for (flaw, is_own) in [(None, true), (Some(Flaw::OtherKey), false)] {
        if let Some(flaw) = flaw {
            set.ca.next(Kind::Finalize, Trouble::Certificate(flaw));
        }
        let names = one();
        let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
        issue::authorize_by_http(&mut order, &set.responder).await.unwrap();
        order.poll_ready(&issue::polling()).await.unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        order.finalize_csr(&issue::request_by(&key, vec!["a.test".to_owned()])).await.unwrap();
        let pem = order.poll_certificate(&issue::polling()).await.unwrap();
        let issued = issue::Issued::from_pem(&pem);
        set.check(&issued, "a.test", SystemTime::now()).unwrap();
        let (_, certificate) = X509Certificate::from_der(&issued.chain[0]).unwrap();
        let public = certificate.public_key().subject_public_key.as_ref();
        assert_eq!(public == key.public_key_raw(), is_own);
    }
    set.ca.next(Kind::Finalize, Trouble::Certificate(Flaw::NoPem));
    let issued = set.issue_one().await.unwrap();
    assert!(issued.chain.is_empty());
}
