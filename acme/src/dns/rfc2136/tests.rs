//! Messages, without a server.

use hickory_resolver::proto::rr::rdata::SOA;
use hickory_resolver::proto::rr::rdata::name::NS;

use super::*;

fn zone() -> Name {
    fqdn("example.test").unwrap()
}

fn soa(name: &Name) -> Record {
    let data = SOA::new(name.clone(), name.clone(), 1, 3600, 600, 86400, 1);
    Record::from_rdata(name.clone(), 60, RData::SOA(data))
}

fn answer(authoritative: bool) -> Message {
    let mut message = Message::response(1, OpCode::Query);
    message.metadata.authoritative = authoritative;
    message
}

#[test]
fn a_zone_begins_where_its_soa_is() {
    let mut here = answer(true);
    here.add_answer(soa(&zone()));
    assert_eq!(apex(&here, &zone()), Apex::Here);
    // The SOA of a zone above stands in another section, or is a CNAME's target.
    assert_eq!(apex(&here, &fqdn("a.example.test").unwrap()), Apex::Above);
    let mut above = answer(true);
    above.add_authority(soa(&zone()));
    assert_eq!(apex(&above, &fqdn("a.example.test").unwrap()), Apex::Above);
    // What a cache says is no sign of a zone that can be changed.
    let mut cached = answer(false);
    cached.add_answer(soa(&zone()));
    assert_eq!(apex(&cached, &zone()), Apex::Above);
}

#[test]
fn a_referral_leads_elsewhere() {
    let mut referral = answer(false);
    let ns = RData::NS(NS(fqdn("ns.elsewhere.test").unwrap()));
    referral.add_authority(Record::from_rdata(zone(), 60, ns));
    assert_eq!(apex(&referral, &zone()), Apex::Elsewhere);
    referral.metadata.response_code = ResponseCode::Refused;
    assert_eq!(apex(&referral, &zone()), Apex::Above);
}

#[test]
fn one_record_is_added_or_taken_away() {
    let name = fqdn("_acme-challenge.example.test").unwrap();
    for (change, class, ttl) in
        [(Change::Set, DNSClass::IN, TTL), (Change::Remove, DNSClass::NONE, 0)]
    {
        let message = update(&zone(), &name, "abc", change);
        let message = Message::from_vec(&message.to_vec().unwrap()).unwrap();
        assert_eq!((message.op_code, message.recursion_desired), (OpCode::Update, false));
        assert_eq!(message.queries, [Query::query(zone(), RecordType::SOA)]);
        let [record] = &message.authorities[..] else { panic!("{message:?}") };
        assert_eq!((&record.name, record.dns_class, record.ttl), (&name, class, ttl));
        assert_eq!(record.data, RData::TXT(TXT::new(vec!["abc".into()])));
        assert!(message.answers.is_empty() && message.additionals.is_empty());
    }
}
