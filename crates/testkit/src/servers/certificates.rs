//! Certificates for servers on the loopback.

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
