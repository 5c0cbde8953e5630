//! Manual pages.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::command::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(crate) fn write(dir: Option<&Path>) -> Result<Exit, Failure> {
    match dir {
        Some(dir) => write_pages(dir)?,
        None => print_page()?,
    }
    Ok(Exit::Well)
}

fn write_pages(dir: &Path) -> Result<(), Failure> {
    fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|source| Failure::ManualPages {
            dir: dir.to_owned(),
            source,
        })
}

fn print_page() -> Result<(), Failure> {
    let mut page = Vec::new();
    Man::new(Cli::command().disable_help_subcommand(true))
        .render(&mut page)
        .map_err(Failure::Output)?;
    output::print_raw(&page)
}
