// Keys of one word. `key64.wgsl` has the same names for keys of two.

alias Key = u32;

fn key_of(low: u32, high: u32) -> Key {
    return low;
}

fn key_less(a: Key, b: Key) -> bool {
    return a < b;
}

// (key - lo) >> shift. The host keeps `shift` below 32, and lo <= key.
fn key_offset(key: Key, lo: Key, shift: u32) -> u32 {
    return (key - lo) >> shift;
}

// Four bits of the key, from bit `shift` on.
fn key_digit(key: Key, shift: u32) -> u32 {
    return (key >> shift) & 15u;
}

// The sum of the key's words.
fn key_words(key: Key) -> u32 {
    return key;
}
