//! Reads a form as far as its token, and hands all of it on.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use tenure_core::{CsrfRefusal, FormCsrfField, FormProgress, Opened};

/// Leaves the request as it was, if its form has the token. Holds what comes before the token in memory, 64 KiB and one
/// chunk at the most.
pub(crate) async fn read_form(
    request: &mut ServiceRequest,
    mut field: FormCsrfField,
    opened: &Opened,
) -> Result<(), CsrfRefusal> {
    let mut rest = request.take_payload();
    let mut read = Vec::new();
    loop {
        match rest.next().await {
            Some(Ok(chunk)) => {
                read.extend_from_slice(&chunk);
                if field.read(&chunk) != FormProgress::ReadOn {
                    break;
                }
            }
            // It must not look whole to the handler.
            Some(Err(_)) => return Err(CsrfRefusal::TokenMissing),
            None => {
                let _ = field.end();
                break;
            }
        }
    }
    opened.verify_csrf_token(field.value())?;
    let whole = stream::once(async { Ok(Bytes::from(read)) }).chain(rest);
    request.set_payload(Payload::Stream {
        payload: Box::pin(whole),
    });
    Ok(())
}
