//! The table and the pictures.

use measure::{Options, Row, Task, draw_added, heading, raw, text, version_of};

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
    let title = format!("actix-web: added to a request whose handler {task} the session (1 key)");
    draw_added(rows, task, &format!("in-process-actix-{task}"), &title)
}
