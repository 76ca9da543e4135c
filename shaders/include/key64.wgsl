// Keys of two words: x is the low one and y the high one, as a little-endian host stores a u64, so keys are uploaded
// as they are and no 64-bit type is needed. `key32.wgsl` has the same names for keys of one word.

alias Key = vec2<u32>;

fn key_of(low: u32, high: u32) -> Key {
    return vec2<u32>(low, high);
}

fn key_less(a: Key, b: Key) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// (key - lo) >> shift, cut to 32 bits. The host keeps `shift` below 64, and lo <= key.
fn key_offset(key: Key, lo: Key, shift: u32) -> u32 {
    let low = key.x - lo.x;
    let high = key.y - lo.y - u32(key.x < lo.x);
    // A shift by 32 or more is not a shift in WGSL; these three cases keep every count below 32.
    let within = shift & 31u;
    let from_high = select(high << (32u - within), 0u, within == 0u);
    return select((low >> within) | from_high, high >> within, shift >= 32u);
}

// Four bits of the key, from bit `shift` on; a multiple of four, so that they lie in one word.
fn key_digit(key: Key, shift: u32) -> u32 {
    return (select(key.x, key.y, shift >= 32u) >> (shift & 31u)) & 15u;
}

// The sum of the key's words.
fn key_words(key: Key) -> u32 {
    return key.x + key.y;
}
