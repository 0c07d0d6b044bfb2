//! The list that the sample backend keeps, in memory and bounded, and the changes its readers
//! follow.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// The most items the list holds.
pub(super) const MAX_ITEMS: usize = 1_000;

/// The most characters an item's name has.
pub(super) const MAX_NAME: usize = 200;

/// Changes kept for a reader that is behind; one further behind is given the whole list instead.
const BACKLOG: usize = 64;

/// What the list holds at the start: sample data.
const SAMPLES: [&str; 5] = ["Milk", "Rye bread", "A dozen eggs", "Apples", "Coffee beans"];

/// One entry of the list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    /// Never used again once the item is removed.
    pub(super) id: u64,
    pub(super) name: ItemName,
}

/// What to buy: 1 to [`MAX_NAME`] characters, none of them a control character.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct ItemName(String);

impl ItemName {
    /// Takes a name, without the white space around it.
    ///
    /// # Errors
    /// The sentence to answer with.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 {
            Err("An item needs a name.".to_owned())
        } else if length > MAX_NAME {
            Err(format!("The item's name has {length} characters; {MAX_NAME} is the most."))
        } else if name.chars().any(char::is_control) {
            Err("An item's name is one line without control characters.".to_owned())
        } else {
            Ok(Self(name.to_owned()))
        }
    }
}

/// What readers are told, as JSON tagged with `type`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Change {
    /// The whole list: at the start, and whenever single changes do not tell the story.
    List { items: Vec<Item> },
    /// One item was added at the end.
    Added { item: Item },
    /// One item is gone.
    Removed { id: u64 },
}

/// The list holds [`MAX_ITEMS`].
#[derive(Debug)]
pub(super) struct ListFull;

impl fmt::Display for ListFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The list holds {MAX_ITEMS} items, which is the most: remove one first.")
    }
}

/// The list, shared by all requests.
#[derive(Debug)]
pub(super) struct ShoppingList {
    entries: Mutex<Entries>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug)]
struct Entries {
    items: Vec<Item>,
    next_id: u64,
}

impl ShoppingList {
    /// A list with sample items.
    pub(super) fn with_samples() -> Self {
        let items: Vec<Item> = (1..)
            .zip(SAMPLES)
            .map(|(id, name)| Item { id, name: ItemName(name.to_owned()) })
            .collect();
        let next_id = items.len() as u64 + 1;
        Self {
            entries: Mutex::new(Entries { items, next_id }),
            changes: broadcast::Sender::new(BACKLOG),
        }
    }

    /// All items, oldest first.
    pub(super) fn items(&self) -> Vec<Item> {
        self.lock().items.clone()
    }

    /// One item.
    pub(super) fn item(&self, id: u64) -> Option<Item> {
        self.lock().items.iter().find(|item| item.id == id).cloned()
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// How many readers follow the changes now.
    pub(super) fn followers(&self) -> usize {
        self.changes.receiver_count()
    }

    /// Adds an item at the end.
    pub(super) fn add(&self, name: ItemName) -> Result<Item, ListFull> {
        let mut entries = self.lock();
        if entries.items.len() >= MAX_ITEMS {
            return Err(ListFull);
        }
        let item = Item { id: entries.next_id, name };
        entries.next_id += 1;
        entries.items.push(item.clone());
        self.tell(Change::Added { item: item.clone() });
        Ok(item)
    }

    /// Removes an item, and says whether it was there.
    pub(super) fn remove(&self, id: u64) -> bool {
        let mut entries = self.lock();
        let Some(place) = entries.items.iter().position(|item| item.id == id) else {
            return false;
        };
        entries.items.remove(place);
        self.tell(Change::Removed { id });
        true
    }

    /// Removes all items.
    pub(super) fn clear(&self) {
        let mut entries = self.lock();
        entries.items.clear();
        self.tell(Change::List { items: Vec::new() });
    }

    /// The list as it is now and every change after it, none missed and none told twice.
    pub(super) fn follow(self: &Arc<Self>) -> (Change, Follower) {
        let (now, changes) = self.subscribe();
        let list = Arc::clone(self);
        (now, Follower { list, changes })
    }

    fn subscribe(&self) -> (Change, broadcast::Receiver<Change>) {
        let entries = self.lock();
        let items = entries.items.clone();
        (Change::List { items }, self.changes.subscribe())
    }

    /// Called with the lock held, so that changes are told in the order they are made.
    fn tell(&self, change: Change) {
        // An error says that nobody follows.
        let _ = self.changes.send(change);
    }

    /// The lock is never held across a panic that leaves the list half changed.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the changes of a list.
#[derive(Debug)]
pub(super) struct Follower {
    list: Arc<ShoppingList>,
    changes: broadcast::Receiver<Change>,
}

impl Follower {
    /// The next change; the whole list where more were missed than are kept. May be dropped while
    /// it waits without losing a change.
    pub(super) async fn next(&mut self) -> Change {
        match self.changes.recv().await {
            Ok(change) => change,
            Err(_) => {
                let (now, changes) = self.list.subscribe();
                self.changes = changes;
                now
            }
        }
    }
}
