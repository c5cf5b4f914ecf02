//! Whose certificates are believed where we are the one that asks.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::ServerError;

/// Where systems keep the certificates of authorities: Debian, Red Hat, SUSE, Alpine.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// TLS towards servers that these authorities vouch for, or those of the system.
///
/// # Errors
/// The certificates cannot be read, or there are none.
pub(crate) fn believing(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, ServerError> {
    let system = || SYSTEM.into_iter().map(Path::new).find(|path| path.is_file());
    let Some(path) = authorities.or_else(system) else {
        let what = "find certificates of authorities: this system has none, name a file of them";
        return Err(ServerError::new(what));
    };
    let doing = || format!("read the certificates of authorities in {}", path.display());
    let certificates = CertificateDer::pem_file_iter(path);
    let certificates = certificates.map_err(|error| ServerError::caused(doing(), error))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| ServerError::caused(doing(), error))?;
        // Stores hold certificates that nobody understands any more; they vouch for nothing.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(ServerError::caused(doing(), "there are none"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ServerError::caused("speak TLS", error))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
