//! What the tests of Tenure share.
