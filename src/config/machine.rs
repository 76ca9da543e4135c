//! Defaults that depend on the machine. They stand in the report under `run`, as part of the configuration.

/// Taken when the machine does not say how much memory it has.
const UNKNOWN_MEMORY: u64 = 8 << 30;

/// Threads that this process may run at once.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Half of the memory that the machine, or the container, has.
pub(super) fn memory_limit() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let machine = system.total_memory();
    let container = system.cgroup_limits().map_or(machine, |limits| limits.total_memory);
    match machine.min(container) {
        0 => UNKNOWN_MEMORY / 2,
        total => total / 2,
    }
}
