//! One question, one answer, with a name server of our choice.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long an answer over UDP is waited for, before the question is sent once more.
const UDP: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// How long an answer over TCP may take, the connection included.
const TCP: Duration = Duration::from_secs(10);

/// The size that fits every path (DNS flag day 2020); what is larger comes over TCP.
const PAYLOAD: u16 = 1232;

/// A question to a server that knows, which is not to ask others.
pub(super) fn question(name: &Name, of: RecordType) -> Message {
    let mut message = Message::query();
    message.add_query(Query::query(name.clone(), of));
    message
}

/// Asks over UDP, and over TCP where the answer is too large.
pub(super) async fn ask(server: SocketAddr, name: &Name, of: RecordType) -> io::Result<Message> {
    let mut question = question(name, of);
    let mut edns = Edns::new();
    edns.set_max_payload(PAYLOAD);
    question.set_edns(edns);
    let bytes = question.to_vec().map_err(io::Error::other)?;
    let answer = udp(server, &question, &bytes).await?;
    if !answer.truncation {
        return Ok(answer);
    }
    let answer = over_tcp(server, &bytes).await?;
    let answer = Message::from_vec(&answer).map_err(io::Error::other)?;
    match answers(&answer, &question) {
        true => Ok(answer),
        false => Err(io::Error::other("the answer is to another question")),
    }
}

/// Sends a message over TCP and reads the answer, whatever it is.
pub(super) async fn over_tcp(server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let framed = [&length.to_be_bytes()[..], message].concat();
        stream.write_all(&framed).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    timeout(TCP, exchange).await.map_err(|_| no_answer(TCP))?
}

async fn udp(server: SocketAddr, question: &Message, bytes: &[u8]) -> io::Result<Message> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    // Each question has a port of its own, and connected it hears that server only.
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let mut buffer = [0; PAYLOAD as usize];
    for _ in 0..ATTEMPTS {
        socket.send(bytes).await?;
        let answered = async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                let answer = Message::from_vec(buffer.get(..length).unwrap_or_default());
                // Anything else is not for us, and ours may still come.
                if let Ok(answer) = answer
                    && answers(&answer, question)
                {
                    return io::Result::Ok(answer);
                }
            }
        };
        if let Ok(answer) = timeout(UDP, answered).await {
            return answer;
        }
    }
    Err(no_answer(UDP * 2))
}

fn answers(answer: &Message, question: &Message) -> bool {
    answer.message_type == MessageType::Response
        && answer.id == question.id
        && answer.queries == question.queries
}

fn no_answer(waited: Duration) -> io::Error {
    let text = format!("no answer within {} s", waited.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, text)
}
