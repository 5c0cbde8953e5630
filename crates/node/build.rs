//! Lets the addon leave Node's symbols to the Node that loads it.

fn main() {
    napi_build::setup();
}
