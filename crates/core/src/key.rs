//! Typed names for what a session holds.

use std::fmt;
use std::marker::PhantomData;

/// The name of a value in a session, and its type: write it once as a constant, and no reader
/// can take it for another type.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tenure_core::Key;
///
/// #[derive(Serialize, Deserialize)]
/// struct Cart { items: Vec<u64> }
///
/// const CART: Key<Cart> = Key::new("cart");
/// assert_eq!(CART.name(), "cart");
/// ```
///
/// The value is kept as JSON under that name. To change the type in a way that old JSON does not
/// fit, change the name too: a value that does not fit is an error when it is read.
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            value: PhantomData,
        }
    }

    /// The name, as it stands in the session's JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.name)
    }
}
