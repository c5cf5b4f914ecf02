//! Who the TLS listener says it is.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsFiles;
use crate::{ServerError, secret_file};

/// Longest file of a private key, in bytes: a chain may stand beside it.
const KEY_BYTES_MAX: usize = 256 << 10;

/// Reads certificate and key. TLS 1.2 and 1.3; senders are not asked who they are.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let TlsFiles { certificate, key } = files;
    let failed = |path: &std::path::Path| {
        let context = format!("read {}", path.display());
        move |cause| ServerError::caused(context, cause)
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(certificate)(error.to_string()))?;
    let pem = secret_file::read(key, KEY_BYTES_MAX);
    let pem = pem.map_err(|error| failed(key)(error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| failed(key)(error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| ServerError::caused("use certificate and key", error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
