//! What is asked of a server: one command, on one key but for walks.

use std::borrow::Cow;
use std::sync::LazyLock;

use redis::{Cmd, Script, ToRedisArgs, cmd};

/// A script that runs at the server, where nothing else runs meanwhile.
pub(crate) struct Lua {
    source: &'static str,
    /// The name that a server gives it.
    hash: LazyLock<String>,
}

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(crate) static $name: Lua = Lua {
            source: include_str!(concat!("scripts/", $file, ".lua")),
            hash: LazyLock::new(|| Script::new($name.source).get_hash().to_owned()),
        };
    };
}

script!(TOUCH, "touch");
script!(INSERT, "insert");
script!(UPDATE, "update");
script!(REMOVE_IF_OWNED, "remove_if_owned");
script!(SAVE_ATTEMPTS, "save_attempts");
script!(INDEX_ADD, "index_add");
script!(INDEX_READ, "index_read");
script!(INDEX_CLEAN, "index_clean");
#[cfg(feature = "express")]
script!(EXPRESS_REPLACE, "express_replace");
#[cfg(feature = "express")]
script!(EXPRESS_REMOVE, "express_remove");

/// One command at one place, so that a cluster knows the node that has it.
pub(crate) struct Request {
    pub(crate) place: Place,
    command: Command,
    pub(crate) repeat: Repeat,
    /// Whether the replicas are to have it before it counts as done.
    pub(crate) is_write: bool,
}

/// Which node of a cluster is asked.
pub(crate) enum Place {
    /// The one that has this key.
    Key(String),
    /// The one that has this slot.
    Slot(u16),
}

enum Command {
    Plain(Cmd),
    Script {
        script: &'static Lua,
        key: String,
        arguments: Vec<Vec<u8>>,
    },
}

/// Whether a request may be sent once more when it may have been done already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Done twice is the same as done once.
    Safe,
    /// The second time would find what the first one left, and tell it wrong.
    Unsafe,
}

impl Request {
    /// The command of this name with the key and `arguments`.
    pub(crate) fn plain(name: &str, key: String, arguments: &[&str]) -> Self {
        let bytes: usize = arguments.iter().map(|argument| argument.len()).sum();
        let mut command = Cmd::with_capacity(2 + arguments.len(), name.len() + key.len() + bytes);
        command.arg(name).arg(&key).arg(arguments);
        Self {
            place: Place::Key(key),
            command: Command::Plain(command),
            repeat: Repeat::Safe,
            is_write: false,
        }
    }

    /// The command of this name, which is about no key, at the node that has `slot`.
    pub(crate) fn at_slot(name: &str, slot: u16) -> Self {
        Self {
            place: Place::Slot(slot),
            command: Command::Plain(cmd(name)),
            repeat: Repeat::Safe,
            is_write: false,
        }
    }

    /// `script` on the key.
    pub(crate) fn script(script: &'static Lua, key: String) -> Self {
        Self {
            place: Place::Key(key.clone()),
            command: Command::Script {
                script,
                key,
                arguments: Vec::new(),
            },
            repeat: Repeat::Safe,
            is_write: false,
        }
    }

    /// One more argument, or several.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        match &mut self.command {
            Command::Plain(command) => {
                command.arg(argument);
            }
            Command::Script { arguments, .. } => argument.write_redis_args(arguments),
        }
        self
    }

    /// It changes a session.
    pub(crate) fn writing(mut self, repeat: Repeat) -> Self {
        self.is_write = true;
        self.repeat = repeat;
        self
    }

    /// As a command that names the script by its hash.
    pub(crate) fn short(&self) -> Cow<'_, Cmd> {
        match &self.command {
            Command::Plain(command) => Cow::Borrowed(command),
            Command::Script {
                script,
                key,
                arguments,
            } => Cow::Owned(evaluation("EVALSHA", &script.hash, key, arguments)),
        }
    }

    /// As a command that brings the script along, which makes the server know it from then on.
    pub(crate) fn whole(&self) -> Cow<'_, Cmd> {
        match &self.command {
            Command::Plain(command) => Cow::Borrowed(command),
            Command::Script {
                script,
                key,
                arguments,
            } => Cow::Owned(evaluation("EVAL", script.source, key, arguments)),
        }
    }
}

fn evaluation(name: &str, script: &str, key: &str, arguments: &[Vec<u8>]) -> Cmd {
    let mut command = cmd(name);
    command.arg(script).arg(1).arg(key).arg(arguments);
    command
}
