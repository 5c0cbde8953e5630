// Real servers to keep sessions in: each on a free port, in a folder of its own, gone with the process that started it.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { setTimeout: pause } = require("node:timers/promises");

const PATIENCE = 60_000;
const PASSWORD = "keyboard-cat";

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

const isRoot = process.getuid?.() === 0;

/** Database servers refuse to run as root. */
function as(user, program, args) {
  return isRoot ? ["setpriv", [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", program, ...args]] : [program, args];
}

function folderFor(user) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-"));
  if (isRoot && user) run("chown", [user, folder]);
  return folder;
}

function run(program, args, options = {}) {
  const done = spawnSync(program, args, { encoding: "utf8", ...options });
  if (done.error) throw new Error(`${program} is missing: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${program} failed: ${done.stderr}`);
  return done.stdout;
}

/** Starts a server and waits until `isReady`; what comes back stops it and removes its folder. */
async function serve([program, args], folder, isReady, env = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: folder, ...env } });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  let failure;
  child.on("error", (error) => {
    failure = error;
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);

  const deadline = Date.now() + PATIENCE;
  while (!(await isReady())) {
    if (failure || child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${program} does not run: ${failure ?? said}`);
    }
    await pause(20);
  }
  return async () => {
    process.removeListener("exit", kill);
    kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    fs.rmSync(folder, { recursive: true, force: true });
  };
}

const takesConnections = (port) => () =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

exports.startRedis = async function () {
  const [port, folder] = [await freePort(), folderFor()];
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no", "--dir", folder];
  const stop = await serve(["redis-server", args], folder, takesConnections(port));
  return { url: `redis://127.0.0.1:${port}`, stop };
};

exports.startPostgres = async function () {
  const [port, folder] = [await freePort(), folderFor("postgres")];
  const versions = fs.readdirSync("/usr/lib/postgresql").sort((one, other) => Number(other) - Number(one));
  const programs = path.join("/usr/lib/postgresql", versions[0], "bin");
  const [data, password] = [path.join(folder, "data"), path.join(folder, "password")];
  fs.writeFileSync(password, PASSWORD, { mode: 0o644 });
  const install = ["-D", data, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${password}`, "-N"];
  run(...as("postgres", path.join(programs, "initdb"), install));
  const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off"];
  const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const ready = ["-q", "-h", "127.0.0.1", "-p", String(port)];
  const isReady = () => spawnSync(path.join(programs, "pg_isready"), ready).status === 0;
  const stop = await serve(as("postgres", path.join(programs, "postgres"), args), folder, isReady);
  return { url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`, stop };
};

exports.startMariaDb = async function () {
  const [port, folder] = [await freePort(), folderFor("mysql")];
  const [data, socket] = [path.join(folder, "data"), path.join(folder, "socket")];
  const where = ["--no-defaults", `--datadir=${data}`];
  const install = [...where, "--auth-root-authentication-method=normal", "--skip-test-db"];
  run(...as("mysql", "mariadb-install-db", install), { env: { ...process.env, TMPDIR: folder } });
  const files = [`--socket=${socket}`, `--pid-file=${path.join(folder, "pid")}`];
  const args = [...where, ...files, "--bind-address=127.0.0.1", `--port=${port}`, "--skip-log-bin"];
  const client = ["--no-defaults", "--user=root", `--socket=${socket}`];
  const isReady = () => spawnSync("mariadb-admin", [...client, "--silent", "ping"]).status === 0;
  const stop = await serve(as("mysql", "mariadbd", args), folder, isReady);
  const grant = `CREATE USER tester@'%' IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO tester@'%'; CREATE DATABASE app`;
  run("mariadb", [...client, "--execute", grant]);
  return { host: "127.0.0.1", port, user: "tester", password: PASSWORD, database: "app", stop };
};

const SECANTUS = `
import sys, signal
from secantus import SecantusDBServer
host, port, folder = sys.argv[1:4]
SecantusDBServer(host=host, port=int(port), storage_path=folder, replica_set_name=None, ttl_sweep_seconds=1).start()
signal.pause()
`;

/** A server that speaks MongoDB's protocol, from the Python packages that the tests of the whole project install. */
exports.startMongo = async function () {
  const [port, folder] = [await freePort(), folderFor()];
  const packages = process.env.TENURE_PYTHON_PACKAGES ?? path.join(__dirname, "../../../../target/python");
  const program = ["python3", ["-c", SECANTUS, "127.0.0.1", String(port), folder]];
  const stop = await serve(program, folder, takesConnections(port), { PYTHONPATH: packages });
  return { url: `mongodb://127.0.0.1:${port}/app`, stop };
};
