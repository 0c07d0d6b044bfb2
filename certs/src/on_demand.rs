//! Certificates that are made when somebody asks for them: how a self-signed `*` site is served.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Clock;
use crate::certificate::Certificate;
use crate::local_ca::{IssueError, LocalCa};
use crate::subject_name::SubjectName;

/// How many names are remembered. Strangers choose the names, so it must have an end; a name that
/// was dropped costs one more signature.
const CAPACITY: usize = 1024;

/// Leaves of the local CA by the name that was asked for, the oldest dropped first.
pub(crate) struct OnDemand {
    ca: Arc<LocalCa>,
    clock: Clock,
    leaves: RwLock<Leaves>,
}

#[derive(Default)]
struct Leaves {
    by_name: HashMap<SubjectName, Arc<Certificate>>,
    by_age: VecDeque<SubjectName>,
}

impl OnDemand {
    pub(crate) fn new(ca: Arc<LocalCa>, clock: Clock) -> Self {
        Self { ca, clock, leaves: RwLock::default() }
    }

    /// The certificate for a name: the remembered one, unless it is due for renewal.
    pub(crate) fn leaf(&self, name: SubjectName) -> Result<Arc<Certificate>, IssueError> {
        let now = (self.clock)();
        let remembered = {
            let leaves = self.leaves.read().unwrap_or_else(PoisonError::into_inner);
            leaves.by_name.get(&name).cloned()
        };
        if let Some(leaf) = remembered.filter(|leaf| now < leaf.renew_at()) {
            return Ok(leaf);
        }
        // Made without the lock: the others go on. Two that ask for the same name at the same
        // moment each get a good certificate, and the later one is remembered.
        let leaf = Arc::new(self.ca.issue_names([name.clone()], now)?);
        self.leaves
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remember(name, Arc::clone(&leaf));
        Ok(leaf)
    }
}

impl Leaves {
    fn remember(&mut self, name: SubjectName, leaf: Arc<Certificate>) {
        if self.by_name.insert(name.clone(), leaf).is_some() {
            return;
        }
        self.by_age.push_back(name);
        if self.by_age.len() > CAPACITY
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.by_name.remove(&oldest);
        }
    }
}

impl fmt::Debug for OnDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDemand").field("ca", &self.ca).finish_non_exhaustive()
    }
}
