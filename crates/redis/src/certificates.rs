//! The certificates of TLS, looked at before they are used: the driver takes a PEM without a certificate for trust
//! in nobody.

use std::error::Error;

use redis::{ClientTlsConfig, TlsCertificates};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::ConnectError;

/// What a client shows, as PEM.
#[derive(Clone)]
pub(crate) struct ClientCertificate {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// None if there is nothing to say about them.
pub(crate) fn certificates(
    authority: Option<Vec<u8>>,
    client: Option<ClientCertificate>,
) -> Result<Option<TlsCertificates>, ConnectError> {
    if authority.is_none() && client.is_none() {
        return Ok(None);
    }
    if let Some(pem) = &authority {
        check_authority(pem).map_err(|source| ConnectError::Certificate { source })?;
    }
    if let Some(client) = &client {
        check_client(client).map_err(|source| ConnectError::ClientCertificate { source })?;
    }
    Ok(Some(TlsCertificates {
        client_tls: client.map(|client| ClientTlsConfig {
            client_cert: client.certificate,
            client_key: client.key,
        }),
        root_cert: authority,
    }))
}

fn check_authority(pem: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|error| error.to_string())?)?;
    }
    match roots.is_empty() {
        true => Err("there is no certificate in it".into()),
        false => Ok(()),
    }
}

fn check_client(client: &ClientCertificate) -> Result<(), Box<dyn Error + Send + Sync>> {
    let first = CertificateDer::pem_slice_iter(&client.certificate).next();
    first
        .ok_or("there is no certificate in the first")?
        .map_err(|error| error.to_string())?;
    // Without what it says, which may be of the key.
    PrivateKeyDer::from_pem_slice(&client.key).map_err(|_| "there is no key in the second")?;
    Ok(())
}
