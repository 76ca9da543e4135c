//! Which adapters are meant by `--devices`.

use super::adapter::{Adapter, OpenError};
use std::fmt;
use std::str::FromStr;

/// One device: `0`, as `gpudrift devices` counts them, or `0000:01:00.0`, its PCI address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// Its number in the list of `gpudrift devices`.
    Number(usize),
    /// Domain, bus, device and function.
    Pci([u32; 4]),
}

impl FromStr for DeviceName {
    type Err = String;

    /// A number, or a PCI address with or without its domain, as `lspci` and `nvidia-smi` write it.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        let address = || {
            let (rest, function) = text.rsplit_once('.')?;
            let (rest, device) = rest.rsplit_once(':')?;
            let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0", rest));
            let hex = |digits: &str, most: usize| {
                let fits = (1..=most).contains(&digits.len()) && digits.chars().all(|digit| digit.is_ascii_hexdigit());
                fits.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
            };
            Some([hex(domain, 8)?, hex(bus, 2)?, hex(device, 2)?, hex(function, 1)?])
        };
        address().map(Self::Pci).ok_or_else(|| {
            format!("`{text}` is neither `all` alone, nor a number, nor a PCI address like 0000:01:00.0")
        })
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Pci([domain, bus, device, function]) => write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}"),
        }
    }
}

/// The devices that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Devices {
    /// The best one.
    #[default]
    Best,
    /// Every real GPU; every adapter where software ones will do and there are no others.
    All,
    /// These.
    Named(Vec<DeviceName>),
}

impl Devices {
    /// `all`, or names; none at all means the best one.
    ///
    /// # Errors
    /// Says what is expected in the place of a text that is no name.
    pub fn parse<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        match names {
            [] => Ok(Self::Best),
            [one] if one.as_ref() == "all" => Ok(Self::All),
            names => names.iter().map(|name| name.as_ref().parse()).collect::<Result<_, _>>().map(Self::Named),
        }
    }

    /// Those that are meant of `found`, which stand in the order of `gpudrift devices`, each once.
    ///
    /// # Errors
    /// When there is none, or not the one that is named; the message lists what there is.
    pub fn pick(&self, found: Vec<Adapter>, software: bool) -> Result<Vec<Adapter>, OpenError> {
        let real = found.iter().any(|one| !one.summary().is_software());
        match self {
            _ if found.is_empty() => Err(OpenError::NoAdapter),
            Self::All if real => Ok(found.into_iter().filter(|one| !one.summary().is_software()).collect()),
            Self::All if software => Ok(found),
            Self::Best | Self::All => super::adapter::best(found, software).map(|best| vec![best]),
            Self::Named(names) => {
                let mut picked: Vec<usize> = Vec::new();
                for name in names {
                    let place = |one: &Adapter| one.summary().pci.parse::<DeviceName>().is_ok_and(|pci| pci == *name);
                    let index = match name {
                        DeviceName::Number(number) => (*number < found.len()).then_some(*number),
                        DeviceName::Pci(_) => found.iter().position(place),
                    };
                    let known = || OpenError::NoSuchDevice { wanted: name.to_string(), known: known(&found) };
                    let index = index.ok_or_else(known)?;
                    if !picked.contains(&index) {
                        picked.push(index);
                    }
                }
                Ok(picked.into_iter().map(|index| found[index].clone()).collect())
            }
        }
    }
}

fn known(found: &[Adapter]) -> String {
    let one = |(number, adapter): (usize, &Adapter)| {
        let summary = adapter.summary();
        let place = if summary.pci.is_empty() { String::new() } else { format!(" at {}", summary.pci) };
        format!("{number} is {}{place}", summary.name)
    };
    found.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_the_tools_write_them() {
        let pci = |text: &str| text.parse::<DeviceName>();
        assert_eq!(pci("0000:01:00.0"), Ok(DeviceName::Pci([0, 1, 0, 0])));
        assert_eq!(pci("00000000:01:00.0"), pci("01:00.0"));
        assert_eq!(pci("0001:AF:1f.7").map(|name| name.to_string()), Ok("0001:af:1f.7".to_owned()));
        assert_eq!(pci("12"), Ok(DeviceName::Number(12)));
        for wrong in ["", "gpu", "-1", "01:00", "0000:01:00.0.0", "0000:001:00.0", "0:0:+1.0", "GPU-7f"] {
            assert!(pci(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_name_is_the_best_one() {
        assert_eq!(Devices::parse::<&str>(&[]), Ok(Devices::Best));
        assert_eq!(Devices::parse(&["all"]), Ok(Devices::All));
        assert_eq!(Devices::parse(&["1", "0"]), Ok(Devices::Named(vec![DeviceName::Number(1), DeviceName::Number(0)])));
        assert!(Devices::parse(&["all", "0"]).is_err());
    }
}
