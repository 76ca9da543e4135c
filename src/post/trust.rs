//! Whose certificates are believed: those that this machine trusts, or those that the authorities of a file have signed.

use std::path::{Path, PathBuf};

use lettre::transport::smtp::client::{Certificate as MailCertificate, CertificateStore, TlsParameters};
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// What this machine believes: the store of the system, or the file that `SSL_CERT_FILE` names.
    Machine,
    /// The certificates of a file, and nobody else's.
    Authorities(Vec<Certificate<'static>>),
}

/// Why the certificates of a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file could not be read.
    #[error("ca_file: cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has no certificate in it, or one that is none.
    #[error("ca_file: {} {problem}; it takes certificates in PEM (-----BEGIN CERTIFICATE-----)", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Trust {
    /// The authorities in the PEM file `file`; the machine's where there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or holds anything but certificates.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, TrustError> {
        let Some(file) = file else { return Ok(Self::Machine) };
        let pem = std::fs::read(file).map_err(|source| TrustError::Read { file: file.to_owned(), source })?;
        let wrong = |problem: String| TrustError::Content { file: file.to_owned(), problem };
        let mut certificates = Vec::new();
        for item in parse_pem(&pem) {
            match item.map_err(|error| wrong(format!("is no PEM: {error}")))? {
                PemItem::Certificate(certificate) => certificates.push(certificate),
                _ => return Err(wrong("holds a private key, which belongs nowhere near this".to_owned())),
            }
        }
        if certificates.is_empty() {
            return Err(wrong("has no certificate in it".to_owned()));
        }
        let trust = Self::Authorities(certificates);
        // What is no certificate inside of its PEM would be left out in silence later.
        let tried = trust.mail("localhost");
        tried.map_err(|error| wrong(format!("has a certificate that is none ({error})")))?;
        Ok(trust)
    }

    /// For HTTPS.
    pub(super) fn roots(&self) -> RootCerts {
        match self {
            Self::Machine => RootCerts::PlatformVerifier,
            Self::Authorities(certificates) => RootCerts::new_with_certs(certificates),
        }
    }

    /// For mail to `host`.
    ///
    /// # Errors
    /// When a certificate is none.
    pub(crate) fn mail(&self, host: &str) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let builder = TlsParameters::builder(host.to_owned());
        let Self::Authorities(certificates) = self else { return builder.build() };
        let mut builder = builder.certificate_store(CertificateStore::None);
        for certificate in certificates {
            builder = builder.add_root_certificate(MailCertificate::from_der(certificate.der().to_vec())?);
        }
        builder.build()
    }
}

/// What to do about an error, when it is about a certificate. The words are those of rustls, which reaches us inside of
/// the errors of two libraries.
pub(crate) fn advice(error: &str) -> &'static str {
    if error.contains("UnknownIssuer") {
        "; nobody whom this machine trusts, or whom ca_file names, has signed the server's certificate: write ca_file = \
         \"PATH\" with the authority that did"
    } else if error.contains("CaUsedAsEndEntity") {
        "; the server shows the certificate of an authority as its own: it needs one that the authority has signed"
    } else {
        ""
    }
}
