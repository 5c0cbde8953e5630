import session = require("../index.js");

export = session.Session;
