//! Certificates for servers on the loopback.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::process::StartError;

/// What a server shows and what its clients check it with, as PEM.
#[derive(Debug)]
pub struct Certificates {
    /// The certificate of the authority that signed the server's.
    pub authority: String,
    /// The server's certificate, for `localhost`.
    pub server: String,
    /// The server's key.
    pub(super) server_key: String,
}

impl Certificates {
    /// An authority of its own, and a server's certificate that it signed.
    ///
    /// # Errors
    /// If there are no random numbers.
    pub fn generate() -> Result<Self, StartError> {
        generate().map_err(|error| StartError::NotReady(error.to_string()))
    }

    /// Writes `ca.pem`, `server.pem` and `server.key`, which nobody else may read: some servers refuse a key otherwise.
    pub(super) fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (name, content) in [
            ("ca.pem", &self.authority),
            ("server.pem", &self.server),
            ("server.key", &self.server_key),
        ] {
            let file = folder.join(name);
            std::fs::write(&file, content)?;
            std::fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        }
        Ok(())
    }
}

fn generate() -> Result<Certificates, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let server_key = KeyPair::generate()?;
    let server = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&server_key, &authority)?;
    Ok(Certificates {
        authority: authority.pem(),
        server: server.pem(),
        server_key: server_key.serialize_pem(),
    })
}
