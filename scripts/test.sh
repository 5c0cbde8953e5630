#!/usr/bin/env bash
# Installs what the tests need and runs them all. Needs Rust and a C compiler; installs Debian packages as root
# or by sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

install_packages() {
    local sudo=""
    if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The browser that the demo is tested in.
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if command -v apt-get >/dev/null; then
        install_packages chromium chromium-driver fonts-dejavu-core
    else
        echo "The tests drive a browser: install chromium and chromedriver, then run this again." >&2
        exit 1
    fi
fi

cargo test --workspace --all-features --locked
