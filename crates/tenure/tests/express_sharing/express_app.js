'use strict'

// An Express application on express-session and one of its stores, with which a Rust service shares its sessions. The query
// may say what the cookie of a new session is like.
// node express_app.js <port> <layout> <url>

const express = require('express')
const session = require('express-session')

const [port, layout, url] = process.argv.slice(2)

async function connectRedis () {
  const { createClient } = require('redis')
  const { RedisStore } = require('connect-redis')
  const client = createClient({ url })
  await client.connect()
  return new RedisStore({ client })
}

function connectPgSimple () {
  const Store = require('connect-pg-simple')(session)
  return new Store({ conString: url, createTableIfMissing: true })
}

function connectMongo (options) {
  const { MongoStore } = require('connect-mongo')
  return MongoStore.create({ mongoUrl: url, ...options })
}

async function expressMySqlSession () {
  const Store = require('express-mysql-session')(session)
  const { hostname, port, username, password, pathname } = new URL(url)
  const store = new Store({
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1)
  })
  await store.onReady()
  return store
}

const stores = {
  memory: () => new session.MemoryStore(),
  'connect-redis': connectRedis,
  'connect-pg-simple': connectPgSimple,
  'connect-mongo': () => connectMongo({}),
  'connect-mongo of documents': () => connectMongo({ stringify: false }),
  'express-mysql-session': expressMySqlSession
}

async function main () {
  const app = express()
  const cookie = { maxAge: 3_600_000, sameSite: 'lax' }
  app.use(session({
    // For a test of cookies that are secure.
    proxy: true,
    store: await stores[layout](),
    secret: ['keyboard cat', 'an older cat'],
    resave: false,
    saveUninitialized: false,
    cookie: (request) => request.query.cookie ? JSON.parse(request.query.cookie) : cookie
  }))

  // What it sees, and then what it writes.
  app.get('/visit', (request, response) => {
    const { visits = 0, express = 0, rust = 0 } = request.session
    request.session.visits = visits + 1
    request.session.express = express + 1
    request.session.profile ??= { born: new Date(0), tags: ['né', '東京', null, 0.5], nested: { $set: 1 } }
    response.json({ visits, express, rust })
  })

  app.get('/look', (request, response) => {
    const { cookie, ...data } = JSON.parse(JSON.stringify(request.session))
    response.json(data)
  })

  // Begins a session, and shows what is to be stored.
  app.get('/record', (request, response) => {
    request.session.a = 1
    response.json({ record: JSON.stringify(request.session) })
  })

  app.get('/destroy', (request, response, next) => {
    request.session.destroy((error) => error ? next(error) : response.json({}))
  })

  app.get('/regenerate', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error)
      request.session.visits = 1
      response.json({})
    })
  })

  app.listen(Number(port), '127.0.0.1')
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
