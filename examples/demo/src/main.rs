//! A small web app on Tenure.

fn main() {}
