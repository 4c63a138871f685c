//! Numbers as whole numbers of the same order, so that there is one way to sort and to write them.

/// A number with a place in a column.
pub trait Key: Copy {
    /// A whole number that is greater exactly where this is.
    fn to_key(self) -> u64;
    /// The number with this key.
    fn from_key(key: u64) -> Self;
}

impl Key for u64 {
    fn to_key(self) -> u64 {
        self
    }

    fn from_key(key: u64) -> Self {
        key
    }
}

const SIGN: u64 = 1 << 63;

/// In the order of [`f64::total_cmp`], bit by bit.
impl Key for f64 {
    fn to_key(self) -> u64 {
        let bits = self.to_bits();
        if bits & SIGN == 0 { bits | SIGN } else { !bits }
    }

    fn from_key(key: u64) -> Self {
        Self::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn floating_point_numbers_keep_their_bits_and_their_order(left: f64, right: f64) {
            prop_assert_eq!(f64::from_key(left.to_key()).to_bits(), left.to_bits());
            prop_assert_eq!(left.to_key().cmp(&right.to_key()), left.total_cmp(&right));
        }
    }
}
