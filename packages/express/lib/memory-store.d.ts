import session = require("../index.js");

export = session.MemoryStore;
