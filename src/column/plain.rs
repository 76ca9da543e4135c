//! Stored types whose keys are a matter of some bit operations: the fast lane.

use crate::counts::{Key, Keys};

use super::key::{f32_key, f64_key, i32_key, i64_key, i128_key};
use super::moments::Moments;

/// A stored type whose key is a matter of some bit operations.
pub(super) trait Plain: Copy {
    type Key: Key;
    const FLOAT: bool;
    fn key(self) -> Self::Key;
    fn is_nan(self) -> bool;
    fn add(values: &[Self], nans: u64, infinite: u64, moments: &mut Moments);
}

macro_rules! plain_integer {
    ($($t:ty, $key:ty, $to_key:expr;)*) => {$(
        impl Plain for $t {
            type Key = $key;
            const FLOAT: bool = false;
            #[inline(always)]
            fn key(self) -> $key {
                $to_key(self)
            }
            fn is_nan(self) -> bool {
                false
            }
            fn add(values: &[Self], _: u64, _: u64, moments: &mut Moments) {
                moments.add_ints(values);
            }
        }
    )*};
}
plain_integer! {
    i32, u32, i32_key;
    u32, u32, std::convert::identity;
    i64, u64, i64_key;
    u64, u64, std::convert::identity;
}

/// Wide decimals.
impl Plain for i128 {
    type Key = u128;
    const FLOAT: bool = false;
    #[inline(always)]
    fn key(self) -> u128 {
        i128_key(self)
    }
    fn is_nan(self) -> bool {
        false
    }
    fn add(values: &[Self], _: u64, _: u64, moments: &mut Moments) {
        moments.add_wide(values);
    }
}

macro_rules! plain_float {
    ($($t:ty, $key:ty, $to_key:expr, $add:ident;)*) => {$(
        impl Plain for $t {
            type Key = $key;
            const FLOAT: bool = true;
            #[inline(always)]
            fn key(self) -> $key {
                $to_key(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$t>::is_nan(self)
            }
            fn add(values: &[Self], nans: u64, infinite: u64, moments: &mut Moments) {
                moments.$add(values, nans, infinite);
            }
        }
    )*};
}
plain_float! {
    f32, u32, f32_key, add_f32;
    f64, u64, f64_key, add_f64;
}

/// Reaches the vector of one width inside [`Keys`].
pub(super) trait Width: Key {
    fn of(keys: &mut Keys) -> &mut Vec<Self>;
    fn wrap(keys: Vec<Self>) -> Keys;
}

macro_rules! width {
    ($($t:ty, $variant:ident;)*) => {$(
        impl Width for $t {
            fn of(keys: &mut Keys) -> &mut Vec<Self> {
                match keys {
                    Keys::$variant(keys) => keys,
                    _ => unreachable!("the width was checked at the door"),
                }
            }
            fn wrap(keys: Vec<Self>) -> Keys {
                Keys::$variant(keys)
            }
        }
    )*};
}
width! { u32, U32; u64, U64; u128, U128; }
