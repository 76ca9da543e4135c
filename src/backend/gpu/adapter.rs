//! Which devices there are, and which one is taken.

use crate::backend::DeviceError;
use wgpu::{DeviceType, Features};

/// Features that are used where a device has them; none is needed.
pub(super) const WANTED: Features =
    Features::TIMESTAMP_QUERY.union(Features::PIPELINE_CACHE).union(Features::MAPPABLE_PRIMARY_BUFFERS);

/// What `gpudrift devices` prints of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// Name, as the driver gives it.
    pub name: String,
    /// Graphics interface, for example `Vulkan`.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// Discrete, integrated, virtual, software or other.
    pub kind: AdapterKind,
    /// Where it sits, as `0000:01:00.0`; empty where the driver does not say. Tells identical cards apart.
    pub pci: String,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a shader sees at once, in bytes.
    pub max_binding_bytes: u64,
    /// Memory of a workgroup, in bytes.
    pub workgroup_bytes: u32,
    /// Threads of a workgroup.
    pub workgroup_threads: u32,
    /// Smallest number of threads that run in step.
    pub subgroup_min: u32,
    /// Largest number of threads that run in step.
    pub subgroup_max: u32,
    /// Optional features that gpudrift would use.
    pub features: Vec<String>,
}

/// What kind of device an adapter is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdapterKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the host's memory.
    Integrated,
    /// A GPU lent by a virtual machine's host.
    Virtual,
    /// A GPU that does not say what it is.
    Other,
    /// A CPU that behaves like a GPU; good for tests, never chosen by `auto`.
    Software,
}

impl AdapterKind {
    fn of(kind: DeviceType) -> Self {
        match kind {
            DeviceType::DiscreteGpu => Self::Discrete,
            DeviceType::IntegratedGpu => Self::Integrated,
            DeviceType::VirtualGpu => Self::Virtual,
            DeviceType::Other => Self::Other,
            DeviceType::Cpu => Self::Software,
        }
    }
}

impl std::fmt::Display for AdapterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Other => "GPU",
            Self::Software => "software rasteriser",
        })
    }
}

impl AdapterSummary {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let used = adapter.features() & WANTED;
        Self {
            name: info.name,
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            kind: AdapterKind::of(info.device_type),
            pci: info.device_pci_bus_id,
            max_buffer_bytes: limits.max_buffer_size,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_threads: limits.max_compute_invocations_per_workgroup,
            subgroup_min: info.subgroup_min_size,
            subgroup_max: info.subgroup_max_size,
            features: used.iter_names().map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Whether the adapter is a CPU that behaves like a GPU.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.kind == AdapterKind::Software
    }
}

impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| bytes >> 20;
        let features = if self.features.is_empty() { "none".to_owned() } else { self.features.join(", ") };
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  type               {}", self.kind)?;
        writeln!(f, "  PCI address        {}", if self.pci.is_empty() { "unknown" } else { &self.pci })?;
        writeln!(f, "  backend            {}", self.backend)?;
        writeln!(f, "  driver             {}", self.driver)?;
        writeln!(f, "  largest buffer     {} MiB", mib(self.max_buffer_bytes))?;
        writeln!(f, "  largest binding    {} MiB", mib(self.max_binding_bytes))?;
        writeln!(f, "  workgroup memory   {} KiB", self.workgroup_bytes >> 10)?;
        writeln!(f, "  workgroup threads  {}", self.workgroup_threads)?;
        writeln!(f, "  subgroup size      {} to {}", self.subgroup_min, self.subgroup_max)?;
        write!(f, "  features used      {features}")
    }
}

/// Why no device was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no adapter at all.
    #[error(
        "no GPU was found through Vulkan; install the GPU's Vulkan driver (for a software one: the package \
         mesa-vulkan-drivers), and in a container start it with NVIDIA_DRIVER_CAPABILITIES=all and with the driver's \
         ICD file under /usr/share/vulkan/icd.d (or named by VK_DRIVER_FILES); --backend cpu needs none of this"
    )]
    NoAdapter,
    /// There are only adapters that were not asked for.
    #[error("only software rasterisers were found ({0}); --backend gpu takes them, --backend cpu is faster")]
    OnlySoftware(String),
    /// There is no device of a name that was asked for.
    #[error("there is no device {wanted}; {known}")]
    NoSuchDevice {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// An adapter was found but did not open.
    #[error("{name} could not be opened: {why}; gpudrift devices lists what there is, --backend cpu needs no GPU")]
    Refused {
        /// The adapter.
        name: String,
        /// What the driver said.
        why: String,
    },
}

impl From<OpenError> for DeviceError {
    fn from(error: OpenError) -> Self {
        Self::Lost(error.to_string())
    }
}

fn instance(validation: bool) -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    descriptor.flags = if validation {
        wgpu::InstanceFlags::VALIDATION | wgpu::InstanceFlags::DEBUG
    } else {
        wgpu::InstanceFlags::empty()
    };
    wgpu::Instance::new(descriptor)
}

/// An adapter of this machine, not opened.
#[derive(Clone, Debug)]
pub struct Adapter {
    pub(super) adapter: wgpu::Adapter,
    pub(super) summary: AdapterSummary,
}

impl Adapter {
    /// What is known about it.
    #[must_use]
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }
}

/// All adapters of this machine, the one that would be taken first: discrete before integrated before virtual before
/// software ones, and by their places among equals, so that their order is the same in every run. `validation` asks for
/// the driver's validation layer.
#[must_use]
pub fn adapters(validation: bool) -> Vec<Adapter> {
    let found = pollster::block_on(instance(validation).enumerate_adapters(wgpu::Backends::all()));
    let of = |adapter| Adapter { summary: AdapterSummary::of(&adapter), adapter };
    let mut found: Vec<_> = found.into_iter().map(of).collect();
    found.sort_by(|a, b| (a.summary.kind, &a.summary.pci).cmp(&(b.summary.kind, &b.summary.pci)));
    found
}

/// The best of `found`; a software one only where `software` allows it.
pub(super) fn best(mut found: Vec<Adapter>, software: bool) -> Result<Adapter, OpenError> {
    if found.is_empty() {
        return Err(OpenError::NoAdapter);
    }
    if found[0].summary.is_software() && !software {
        let names: Vec<_> = found.iter().map(|one| one.summary.name.as_str()).collect();
        return Err(OpenError::OnlySoftware(names.join(", ")));
    }
    Ok(found.swap_remove(0))
}

/// Whether this machine can have a GPU at all. Asking the driver loader takes tens of milliseconds, and makes some drivers
/// complain on stderr; on Linux the device files tell without asking.
#[must_use]
pub fn may_be_there() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let exists = |path: &str| std::path::Path::new(path).exists();
    exists("/dev/dxg")
        || ["/dev/dri", "/dev"].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten().any(
            |entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with("renderD") || name.starts_with("nvidia")
            },
        )
}

#[cfg(test)]
mod tests {
    use super::AdapterKind;

    #[test]
    fn software_comes_last() {
        let mut kinds = [AdapterKind::Software, AdapterKind::Virtual, AdapterKind::Discrete, AdapterKind::Integrated];
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [AdapterKind::Discrete, AdapterKind::Integrated, AdapterKind::Virtual, AdapterKind::Software]
        );
    }
}
