//! Certificates for servers on the loopback.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::process::StartError;

pub(super) const AUTHORITY_FILE: &str = "ca.pem";
pub(super) const CERTIFICATE_FILE: &str = "server.pem";
pub(super) const KEY_FILE: &str = "server.key";

/// What servers and clients show and what they check each other with, as PEM.
#[derive(Debug)]
pub struct Certificates {
    /// The certificate of the authority that signed the others.
    pub authority: String,
    /// The server's certificate.
    pub server: String,
    /// The server's key.
    pub(super) server_key: String,
    /// A client's certificate.
    pub client: String,
    /// The client's key.
    pub client_key: String,
}

impl Certificates {
    /// An authority of its own, and certificates that it signed: a client's, and a server's for `localhost`.
    ///
    /// # Errors
    /// If there are no random numbers.
    pub fn generate() -> Result<Self, StartError> {
        Self::generate_for("localhost")
    }

    /// The same, with a server's certificate for this name or address.
    ///
    /// # Errors
    /// If there are no random numbers, or it is no name.
    pub fn generate_for(server: &str) -> Result<Self, StartError> {
        generate(server).map_err(|error| StartError::NotReady(error.to_string()))
    }

    /// Writes `ca.pem`, `server.pem` and `server.key`, which nobody else may read: some servers refuse a key otherwise.
    pub(super) fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (name, content) in [
            (AUTHORITY_FILE, &self.authority),
            (CERTIFICATE_FILE, &self.server),
            (KEY_FILE, &self.server_key),
        ] {
            let file = folder.join(name);
            std::fs::write(&file, content)?;
            std::fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        }
        Ok(())
    }
}

fn generate(name: &str) -> Result<Certificates, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    // Some take a certificate whose subject is its issuer's for one that signed itself.
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let signed = |name: &str| -> Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &authority)?;
        Ok((certificate.pem(), key.serialize_pem()))
    };
    let (server, server_key) = signed(name)?;
    let (client, client_key) = signed("client")?;
    Ok(Certificates {
        authority: authority.pem(),
        server,
        server_key,
        client,
        client_key,
    })
}
