//! Servers that speak TLS, with certificates of authorities that this process makes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::servers::{Ends, Mail, Request, converse};

/// An authority that signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a server shows of itself.
pub(crate) type Identity = Arc<ServerConfig>;

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its certificate as a file for `ca_file`.
    pub(crate) fn file(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, &self.pem).unwrap();
        path
    }

    /// A server that is called `host`.
    pub(crate) fn identity(&self, host: &str) -> Identity {
        self.signed(host, |_| {})
    }

    /// A server whose certificate was over long ago.
    pub(crate) fn expired(&self, host: &str) -> Identity {
        self.signed(host, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1))
    }

    fn signed(&self, host: &str, with: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        with(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

type Encrypted = StreamOwned<ServerConnection, TcpStream>;

fn encrypted(stream: TcpStream, identity: &Identity) -> Encrypted {
    StreamOwned::new(ServerConnection::new(identity.clone()).unwrap(), stream)
}

/// Gives every connection to `serve`, each with its own time limit; one that fails costs no other.
fn listen(mut serve: impl FnMut(TcpStream) -> std::io::Result<()> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let _ = serve(stream);
        }
    });
    address
}

/// An HTTPS server; it answers 200, and ends the connection.
pub(crate) struct Https {
    address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Https {
    pub(crate) fn start(identity: Identity) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let address = listen({
            let seen = seen.clone();
            move |stream| {
                let mut stream = encrypted(stream, &identity);
                let request = request(&mut stream)?;
                seen.lock().unwrap().push(request);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
                stream.conn.send_close_notify();
                stream.flush()
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn request(stream: &mut Encrypted) -> std::io::Result<Request> {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut request = Request { path: path.to_owned(), headers, body: Vec::new() };
    let length = request.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body)?;
    Ok(request)
}

/// An SMTP server that takes mail only when it is encrypted, and lets people log in then.
pub(crate) struct SecureSmtp {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Mail>>>,
}

impl SecureSmtp {
    /// TLS from the first byte.
    pub(crate) fn implicit(identity: Identity) -> Self {
        Self::start(move |stream, seen| {
            let mut stream = encrypted(stream, &identity);
            stream.write_all(b"220 test\r\n")?;
            converse(stream, "AUTH PLAIN", &mut Vec::new(), seen).map(|_| ())
        })
    }

    /// In the clear until the client asks for more.
    pub(crate) fn starttls(identity: Identity) -> Self {
        Self::start(move |mut stream, seen| {
            stream.write_all(b"220 test\r\n")?;
            if converse(&mut stream, "STARTTLS", &mut Vec::new(), seen)? == Ends::StartTls {
                converse(encrypted(stream, &identity), "AUTH PLAIN", &mut Vec::new(), seen)?;
            }
            Ok(())
        })
    }

    fn start(mut serve: impl FnMut(TcpStream, &Mutex<Vec<Mail>>) -> std::io::Result<()> + Send + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let address = listen({
            let seen = seen.clone();
            move |stream| serve(stream, &seen)
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().clone()
    }
}
