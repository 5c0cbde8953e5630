//! How far long work has come, for whoever sits at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// On standard error, and only if that is a terminal. Gone when dropped.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// So many `of_what` are to come, as far as is known.
    pub(super) fn towards(total: Option<u64>, of_what: &'static str) -> Self {
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{bar:40} {human_pos} of {human_len} {msg}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {human_pos} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(of_what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    pub(super) fn has_come_to(&self, done: u64) {
        // More may have come since they were counted.
        if self.bar.length().is_some_and(|total| done > total) {
            self.bar.set_length(done);
        }
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
