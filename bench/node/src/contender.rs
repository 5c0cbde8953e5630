//! Who is compared; `served/contenders.js` says how each is used.

pub struct Contender {
    pub name: &'static str,
    pub package: &'static str,
    /// The same site without sessions.
    pub floor: &'static str,
    pub is_ours: bool,
    pub keeps_all_in_the_cookie: bool,
}

pub const UPSTREAM: &str = "express-session";
const BARE: &str = "bare";
const BARE_FASTIFY: &str = "bare, fastify";

pub static CONTENDERS: [Contender; 11] = [
    contender(BARE, UPSTREAM, BARE),
    ours("Tenure, engine"),
    ours("Tenure, engine, unsealed"),
    ours("tenure-express"),
    contender(UPSTREAM, UPSTREAM, BARE),
    Contender {
        keeps_all_in_the_cookie: true,
        ..contender("iron-session", "iron-session", BARE)
    },
    contender(BARE_FASTIFY, "fastify", BARE_FASTIFY),
    contender("@fastify/session", "@fastify/session", BARE_FASTIFY),
    ours("Tenure, engine on Redis"),
    ours("tenure-express, connect-redis"),
    contender("express-session, connect-redis", "connect-redis", BARE),
];

const fn contender(name: &'static str, package: &'static str, floor: &'static str) -> Contender {
    Contender {
        name,
        package,
        floor,
        is_ours: false,
        keeps_all_in_the_cookie: false,
    }
}

const fn ours(name: &'static str) -> Contender {
    Contender {
        is_ours: true,
        ..contender(name, "tenure-express", BARE)
    }
}

impl Contender {
    pub fn is_bare(&self) -> bool {
        self.name == self.floor
    }
}
