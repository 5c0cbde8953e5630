//! Reads a form as far as its token, and hands all of it on.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum_core::body::Body;
use http::{HeaderMap, Request};
use http_body::{Body as _, Frame, SizeHint};
use tenure_core::{CsrfRefusal, FormCsrfField, FormProgress, Opened};

/// The request as it was, if its form has the token. Holds what comes before the token in memory, 64 KiB and one
/// chunk at the most.
pub(crate) async fn read_form(
    request: Request<Body>,
    mut field: FormCsrfField,
    opened: &Opened,
) -> Result<Request<Body>, CsrfRefusal> {
    let (parts, mut rest) = request.into_parts();
    let mut read = Vec::new();
    let mut trailers = None;
    loop {
        let frame = match poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await {
            Some(Ok(frame)) => frame,
            // It must not look whole to the handler.
            Some(Err(_)) => return Err(CsrfRefusal::TokenMissing),
            None => {
                let _ = field.end();
                break;
            }
        };
        match frame.into_data() {
            Ok(data) => {
                read.extend_from_slice(&data);
                if field.read(&data) != FormProgress::ReadOn {
                    break;
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    opened.verify_csrf_token(field.value())?;
    let read = (!read.is_empty()).then(|| Bytes::from(read));
    Ok(Request::from_parts(
        parts,
        Body::new(Whole { read, rest, trailers }),
    ))
}

/// A body of which the first bytes were read before.
struct Whole {
    read: Option<Bytes>,
    rest: Body,
    trailers: Option<HeaderMap>,
}

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = axum_core::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum_core::Error>>> {
        if let Some(read) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.trailers.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |read| read.len() as u64);
        let rest = self.rest.size_hint();
        let mut whole = SizeHint::new();
        whole.set_lower(rest.lower() + read);
        if let Some(upper) = rest.upper() {
            whole.set_upper(upper + read);
        }
        whole
    }
}
