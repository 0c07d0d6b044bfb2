//! Trouble that tests script.

use std::collections::{HashMap, VecDeque};

use super::answer::{Answer, Problem};
use super::kind::Kind;

/// What a request meets instead of what it should.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// This answer, and nothing is done.
    Answer(Answer),
    /// The connection is closed without an answer.
    Reset,
    /// No answer ever.
    Stall,
    /// The order becomes invalid with this error: for `Finalize` and `Order`. For `Challenge` it is
    /// the challenge that fails with it.
    Invalid(Problem),
    /// The certificate is not what was asked for: for `Finalize`.
    Certificate(Flaw),
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// It is for `elsewhere.test`.
    OtherName,
    /// It is of a key that nobody has.
    OtherKey,
    /// It ended an hour ago.
    Expired,
    /// It starts tomorrow.
    NotYetValid,
    /// The intermediate is missing.
    NoChain,
    /// It is signed by another authority of the same name.
    OtherIssuer,
    /// It is no PEM.
    NoPem,
}

/// What is to come.
#[derive(Default)]
pub(crate) struct Troubles {
    next: HashMap<Kind, VecDeque<Trouble>>,
    always: HashMap<Kind, Trouble>,
}

impl Troubles {
    pub(crate) fn next(&mut self, kind: Kind, trouble: Trouble) {
        self.next.entry(kind).or_default().push_back(trouble);
    }

    pub(crate) fn always(&mut self, kind: Kind, trouble: Trouble) {
        self.always.insert(kind, trouble);
    }

    /// What the request that came now meets.
    pub(crate) fn take(&mut self, kind: Kind) -> Option<Trouble> {
        let next = self.next.get_mut(&kind).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.get(&kind).cloned())
    }
}
