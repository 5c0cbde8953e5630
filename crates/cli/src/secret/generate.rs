//! `tenure secret generate`.

use tenure_secrets::SecretText;
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(hex: bool) -> Result<Exit, Failure> {
    let secret = if hex {
        SecretText::generate_hex()?
    } else {
        SecretText::generate()?
    };
    let line = Zeroizing::new(format!("{}\n", secret.expose()));
    output::print_raw(line.as_bytes())?;
    Ok(Exit::Well)
}
