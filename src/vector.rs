//! Loops compiled once more for processors with wide vectors.
//!
//! The program runs on any x86-64 processor, whose common instructions lack even a minimum of unsigned words. A function
//! declared with [`vectorized`] is there in three builds, for AVX-512, for AVX2 and for the common set, and the processor
//! at hand decides. All three are the same Rust, and none calculates with floats, so they differ in time alone.
//!
//! Such a function is best a plain loop: what is not inlined into it is compiled for the common set.

/// Declares a function of slices that is compiled for several sets of instructions.
macro_rules! vectorized {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$g:ident: $bound:path>)? ($($arg:ident: $t:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$g: $bound>)? ($($arg: $t),*) $(-> $ret)? {
            #[inline(always)]
            fn any $(<$g: $bound>)? ($($arg: $t),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
                fn with_avx512 $(<$g: $bound>)? ($($arg: $t),*) $(-> $ret)? {
                    any($($arg),*)
                }

                #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
                fn with_avx2 $(<$g: $bound>)? ($($arg: $t),*) $(-> $ret)? {
                    any($($arg),*)
                }

                #[allow(unsafe_code, reason = "functions for a processor that has these instructions")]
                match $crate::vector::width() {
                    // SAFETY: `width` asked the processor for each of them.
                    $crate::vector::Width::Avx512 => return unsafe { with_avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::vector::Width::Avx2 => return unsafe { with_avx2($($arg),*) },
                    $crate::vector::Width::Common => {}
                }
            }
            any($($arg),*)
        }
    };
}
pub(crate) use vectorized;

/// The vectors of a processor.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    /// What every x86-64 processor has.
    Common,
    /// 256 bits.
    Avx2,
    /// 512 bits, with AVX-512 F, BW, CD, DQ and VL.
    Avx512,
}

/// The widest vectors that this processor has.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn width() -> Width {
    macro_rules! has {
        ($($feature:tt),*) => { $(is_x86_feature_detected!($feature))&&* };
    }
    if !has!("avx2", "bmi1", "bmi2", "lzcnt", "popcnt") {
        Width::Common
    } else if has!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl") {
        Width::Avx512
    } else {
        Width::Avx2
    }
}

/// Whether the processor has AVX-512 with multiplications of 52 bits.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn multiplies_52_bits() -> bool {
    width() == Width::Avx512 && is_x86_feature_detected!("avx512ifma")
}
