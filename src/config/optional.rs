//! Structs whose fields are all optional, because `None` is what was not said.

/// Defines such a struct, and `or`: these values, and another's where nothing is said.
macro_rules! optional {
    ($(#[$of_struct:meta])* pub struct $name:ident { $($(#[$meta:meta])* pub $field:ident: Option<$type:ty>,)* }) => {
        $(#[$of_struct])*
        pub struct $name { $($(#[$meta])* pub $field: Option<$type>,)* }

        impl $name {
            /// These values, and those of `other` where nothing is said.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($field: self.$field.or(other.$field)),* }
            }

            /// Whether something is said about the field called `key`.
            #[must_use]
            pub fn says(&self, key: &str) -> bool {
                match key {
                    $(stringify!($field) => self.$field.is_some(),)*
                    _ => false,
                }
            }
        }
    };
}

pub(crate) use optional;
