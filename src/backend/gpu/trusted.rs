//! The one place that compiles shaders without runtime checks.
//!
//! Checked shaders bound every loop and every index again, which costs a multiple of the counting itself. Tests run
//! both builds of every shader on the same cases.

/// Compiles `descriptor` with wgpu's runtime checks, or without.
pub(super) fn shader_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
    checks: bool,
) -> wgpu::ShaderModule {
    if checks {
        return device.create_shader_module(descriptor);
    }
    #[expect(unsafe_code, reason = "the only way to compile a shader without bounds that its author has proven")]
    // SAFETY: the text is one of the shaders in this crate, never input. Their indices stay inside what is bound: keys
    // by tiles that the planner cuts from the window's length, tables by offsets that the planner counted, cells by a
    // key that is clamped into the map before it is looked up. Their loops count up to a bound read once. They divide
    // by constants only. The same shaders run with all checks in the tests, with equal results.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}
