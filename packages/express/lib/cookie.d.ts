import session = require("../index.js");

export = session.Cookie;
