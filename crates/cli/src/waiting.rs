//! Running what waits for others, and telling programs how it went.

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn waiting_for(
    work: impl Future<Output = Result<Exit, Failure>>,
    json: bool,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::Runtime)?.block_on(work);
    if let (Err(failure), true) = (&done, json) {
        output::print_json(&Failed::from(failure))?;
    }
    done
}

/// What programs get where there is no result.
#[derive(Serialize)]
struct Failed {
    error: FailedBy,
}

#[derive(Serialize)]
struct FailedBy {
    kind: &'static str,
    message: String,
}

impl From<&Failure> for Failed {
    fn from(failure: &Failure) -> Self {
        Self {
            error: FailedBy {
                kind: failure.kind(),
                message: output::in_one_line(failure),
            },
        }
    }
}
