//! Real servers on this machine, inside the test process: HTTP with answers that are told beforehand, and SMTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// A request that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// With a header and a body.
    Full(u16, (&'static str, &'static str), &'static str),
    /// The connection stays open and nothing comes.
    Silence,
}

/// An HTTP server. After the answers that it was given, everything is 200.
pub(crate) struct Http {
    server: Arc<tiny_http::Server>,
    seen: Arc<Mutex<Vec<Request>>>,
    worker: Option<JoinHandle<()>>,
}

impl Http {
    pub(crate) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::on("127.0.0.1:0", answers)
    }

    pub(crate) fn on(address: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Arc::new(tiny_http::Server::http(address).unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        let worker = std::thread::spawn({
            let (server, seen) = (server.clone(), seen.clone());
            move || {
                let mut silent = Vec::new();
                for mut request in server.incoming_requests() {
                    let mut body = Vec::new();
                    request.as_reader().read_to_end(&mut body).unwrap();
                    let headers = request.headers().iter();
                    let headers = headers.map(|one| (one.field.to_string(), one.value.to_string())).collect();
                    seen.lock().unwrap().push(Request { path: request.url().to_owned(), headers, body });
                    match answers.pop().unwrap_or(Answer::Status(200)) {
                        Answer::Silence => silent.push(request),
                        Answer::Status(status) => drop(request.respond(tiny_http::Response::empty(status))),
                        Answer::Full(status, (name, value), text) => {
                            let header = tiny_http::Header::from_bytes(name, value).unwrap();
                            let answer = tiny_http::Response::from_string(text).with_status_code(status);
                            drop(request.respond(answer.with_header(header)));
                        }
                    }
                }
            }
        });
        Self { server, seen, worker: Some(worker) }
    }

    pub(crate) fn address(&self) -> String {
        self.server.server_addr().to_ip().unwrap().to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address())
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// An address of this machine at which nobody listens.
pub(crate) fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A mail that has arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// The line that logged in.
    pub(crate) login: Option<String>,
    pub(crate) data: String,
}

/// An SMTP server without encryption. `refusals` answer the first MAIL commands.
pub(crate) struct Smtp {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Mail>>>,
}

impl Smtp {
    pub(crate) fn start(refusals: impl IntoIterator<Item = &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut refusals: Vec<_> = refusals.into_iter().collect();
        refusals.reverse();
        std::thread::spawn({
            let seen = seen.clone();
            move || {
                for stream in listener.incoming() {
                    let _ = serve(stream.unwrap(), &mut refusals, &seen);
                }
            }
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().clone()
    }
}

/// What the conversation of a connection ends with.
#[derive(PartialEq, Eq)]
pub(crate) enum Ends {
    Quit,
    /// The client wants to go on encrypted.
    StartTls,
}

fn serve(mut stream: TcpStream, refusals: &mut Vec<&'static str>, seen: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"220 test\r\n")?;
    converse(stream, "8BITMIME", refusals, seen).map(|_| ())
}

/// Speaks SMTP after the greeting; `offers` is what the server says that it can.
pub(crate) fn converse(
    stream: impl Read + Write,
    offers: &str,
    refusals: &mut Vec<&'static str>,
    seen: &Mutex<Vec<Mail>>,
) -> std::io::Result<Ends> {
    let mut stream = BufReader::new(stream);
    let mut mail = Mail::default();
    let mut login = None;
    while let Some(line) = line(&mut stream)? {
        let answer = match line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase().as_str() {
            "EHLO" => format!("250-test\r\n250 {offers}"),
            "STARTTLS" if offers.contains("STARTTLS") => {
                stream.get_mut().write_all(b"220 go on\r\n")?;
                return Ok(Ends::StartTls);
            }
            "AUTH" => {
                login = Some(line);
                "235 welcome".to_owned()
            }
            "MAIL" => match refusals.pop() {
                Some(refusal) => refusal.to_owned(),
                None => {
                    mail = Mail { from: line, login: login.clone(), ..Mail::default() };
                    "250 ok".to_owned()
                }
            },
            "RCPT" => {
                mail.to.push(line);
                "250 ok".to_owned()
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n")?;
                while let Some(line) = self::line(&mut stream)?.filter(|line| line != ".") {
                    mail.data += &format!("{line}\n");
                }
                seen.lock().unwrap().push(mail.clone());
                "250 ok".to_owned()
            }
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n")?;
                return Ok(Ends::Quit);
            }
            _ => "250 ok".to_owned(),
        };
        stream.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(Ends::Quit)
}

/// The next line without its end; `None` where the connection ends.
fn line(stream: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    Ok((stream.read_line(&mut line)? > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}
