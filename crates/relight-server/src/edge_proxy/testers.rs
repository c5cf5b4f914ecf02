//! Testers who come to an address of this machine: both sides show a certificate.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relight_engine::edge::config::MutualTls;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::{ServerError, secret_file};

/// Longest file of a certificate and its key, in bytes.
const KEY_BYTES_MAX: usize = 256 << 10;
/// How long a tester may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many handshakes may go on at once.
const HANDSHAKES_MAX: usize = 128;

/// What the address shows, and whom it lets in: nobody without a certificate of these authorities.
pub(super) fn acceptor(testers: &MutualTls) -> Result<TlsAcceptor, ServerError> {
    let MutualTls { certificate, authorities } = testers;
    let failed = |path: &Path| {
        let context = format!("read {}", path.display());
        move |cause: String| ServerError::caused(context, cause)
    };
    let pem = secret_file::read(certificate, KEY_BYTES_MAX);
    let pem = pem.map_err(|error| failed(certificate)(error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(certificate)(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| failed(certificate)(error.to_string()))?;
    let known = CertificateDer::pem_file_iter(authorities)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(authorities)(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for authority in known {
        roots.add(authority).map_err(|error| failed(authorities)(error.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    // Without any authority there is nobody to let in, and this is an error.
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| failed(authorities)(error.to_string()))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_client_cert_verifier(verifier).with_single_cert(chain, key))
        .map_err(|error| ServerError::caused("use certificate and key", error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shakes hands; none with whoever shows no certificate, or is slow.
pub(super) async fn shake(tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await.ok()?.ok()
}

/// The handshakes that go on, the oldest first. One takes milliseconds: where there are too many,
/// those that have gone on for longest come from somebody who shows nothing, and end.
#[derive(Debug, Default)]
pub(super) struct Handshakes(VecDeque<AbortHandle>);

impl Handshakes {
    pub(super) fn begin(&mut self, handshake: impl Future<Output = ()> + Send + 'static) {
        self.0.retain(|it| !it.is_finished());
        if self.0.len() >= HANDSHAKES_MAX
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back(tokio::spawn(handshake).abort_handle());
    }
}

impl Drop for Handshakes {
    fn drop(&mut self) {
        for handshake in &self.0 {
            handshake.abort();
        }
    }
}
