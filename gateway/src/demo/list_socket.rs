//! The backend's WebSocket that shares the list: commands in, changes out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::shopping_list::{ItemName, ShoppingList};
use super::websocket::{Closed, Socket};

/// What a client may ask for over the list's WebSocket: `{"add": "Milk"}` or `{"remove": 3}`.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Command {
    Add(String),
    Remove(u64),
}

/// Sends the list and its changes; does what commands say and returns every other message.
pub(super) async fn share(mut socket: Socket, list: Arc<ShoppingList>) -> Result<(), Closed> {
    let (now, mut changes) = list.follow();
    socket.send(as_message(&now)).await?;
    loop {
        tokio::select! {
            change = changes.next() => socket.send(as_message(&change)).await?,
            message = socket.receive() => {
                if let Some(answer) = obey(&list, message?) {
                    socket.send(answer).await?;
                }
            }
        }
    }
}

/// Carries out a command, whose success is told to all as a change; what it returns goes to its
/// sender alone.
fn obey(list: &ShoppingList, message: Message) -> Option<Message> {
    let command = match &message {
        Message::Text(text) => serde_json::from_str(text.as_str()).ok(),
        _ => None,
    };
    let refusal = match command {
        None => return Some(message),
        Some(Command::Remove(id)) if list.remove(id) => return None,
        Some(Command::Remove(id)) => format!("There is no item {id}."),
        Some(Command::Add(name)) => match ItemName::parse(&name).map(|name| list.add(name)) {
            Ok(Ok(_)) => return None,
            Ok(Err(full)) => full.to_string(),
            Err(why) => why,
        },
    };
    Some(as_message(&json!({ "type": "error", "error": refusal })))
}

fn as_message(value: &impl Serialize) -> Message {
    Message::text(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}
