//! The table and the pictures.

use measure::{Bar, Options, Payload, Row, Task, Work, bars, heading, raw, text, version_of};

use crate::contenders::SIGNED;

/// # Errors
/// If they cannot be written.
pub fn write(rows: &[Row], options: &Options) -> anyhow::Result<()> {
    raw("in-process-actix", &rows)?;
    let mut page = heading("In process, actix-web", options.is_quick);
    page += &format!(
        "A call of actix-web's service, sessions in memory and warm, a valid cookie in every request; what each adds to the bare \
         application. {} alternating rounds of {} requests; the ratio is to {SIGNED}. actix-session looks its session up in every \
         request, whether the handler asks or not; its store in memory is the bench's, for it has none.\n\n\
         actix-web {}, actix-session {}, Tenure {}.\n",
        options.rounds,
        options.requests_a_round,
        version_of("actix-web"),
        version_of("actix-session"),
        version_of("tenure-actix"),
    );
    for row in rows {
        page += &format!("\n## {}\n\n{}", row.work, row.table(SIGNED));
    }
    text("in-process-actix.md", &page)?;
    for task in Task::ALL {
        draw(rows, task)?;
    }
    Ok(())
}

fn draw(rows: &[Row], task: Task) -> anyhow::Result<()> {
    let Some(row) = rows
        .iter()
        .find(|row| row.work == Work::new(task, Payload::OneKey))
    else {
        return Ok(());
    };
    let drawn: Vec<_> = row
        .measured
        .iter()
        .skip(1)
        .map(|one| Bar {
            name: one.name.clone(),
            value: one.added.median,
            spread: Some((one.added.lower_quartile, one.added.upper_quartile)),
            is_ours: one.name.starts_with("Tenure"),
        })
        .collect();
    let title = format!("actix-web: added to a request whose handler {task} the session (1 key)");
    bars(&format!("in-process-actix-{task}"), &title, "ns", &drawn)
}
