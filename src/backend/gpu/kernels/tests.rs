//! What holds for the text of every shader. Needs no GPU.

use super::super::tables;
use super::{Entry, KERNELS, Kernel, LARGE_WORKGROUP, WORKGROUP, Width};
use naga::{AddressSpace, Module, ScalarKind, TypeInner};

/// A kernel, its threads of a workgroup, its text, and what that is parsed to.
struct Parsed {
    kernel: &'static Kernel,
    workgroup: u32,
    name: String,
    source: String,
    module: Module,
}

/// Every kernel with keys of every width and workgroups of every size.
fn modules() -> Vec<Parsed> {
    let mut modules = Vec::new();
    for kernel in &KERNELS {
        let sizes = if kernel.name == "sort" { &[WORKGROUP][..] } else { &[WORKGROUP, LARGE_WORKGROUP] };
        for (width, &workgroup) in Width::ALL.into_iter().flat_map(|width| sizes.iter().map(move |size| (width, size)))
        {
            let name = format!("{} for {width:?} and {workgroup} threads", kernel.name);
            let source = kernel.source(width, workgroup);
            let module = naga::front::wgsl::parse_str(&source)
                .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(&source)));
            modules.push(Parsed { kernel, workgroup, name, source, module });
        }
    }
    assert_eq!(modules.len(), 4 * KERNELS.len() - 2);
    modules
}

#[test]
fn every_shader_file_is_in_the_list_and_the_list_is_complete() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the shaders are in the repository")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".wgsl").map(str::to_owned))
        .collect();
    files.sort();
    let mut listed: Vec<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
    listed.sort_unstable();
    assert_eq!(files, listed);
}

#[test]
fn every_entry_point_is_where_the_launching_code_looks_for_it() {
    let entries = [
        Entry::CountCells,
        Entry::CountSlots,
        Entry::CountWide,
        Entry::TakeWanted,
        Entry::Histogram,
        Entry::ScanRows,
        Entry::Scatter,
        Entry::ReadKeys,
    ];
    let mut looked_for: Vec<_> = entries.iter().map(|entry| entry.place()).collect();
    looked_for.sort_unstable();
    let mut listed = Vec::new();
    for (index, kernel) in KERNELS.iter().enumerate() {
        listed.extend(kernel.entries.iter().map(|&entry| (index, entry)));
    }
    listed.sort_unstable();
    assert_eq!(looked_for, listed);
    for Parsed { kernel, workgroup, name, module, .. } in modules() {
        let declared: Vec<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(declared, kernel.entries, "{name}");
        for entry in &module.entry_points {
            assert_eq!(entry.workgroup_size, [workgroup, 1, 1], "{name}");
        }
    }
}

#[test]
fn every_shader_is_valid_without_optional_features() {
    for Parsed { name, source, module, .. } in modules() {
        let mut validator =
            naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        if let Err(error) = validator.validate(&module) {
            panic!("{name}: {}", error.emit_to_string(&source));
        }
    }
}

#[test]
fn no_shader_contains_a_float() {
    let words = ["f16", "f32", "f64", "vec2f", "vec3f", "vec4f", "mat", "float"];
    for Parsed { name, source, module, .. } in modules() {
        let code: String =
            source.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
        let used: Vec<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for word in words {
            assert!(!used.contains(&word), "{name} says {word}");
        }
        let float = |kind: ScalarKind| matches!(kind, ScalarKind::Float | ScalarKind::AbstractFloat);
        for (_, ty) in module.types.iter() {
            let scalar = ty.inner.scalar().is_some_and(|scalar| float(scalar.kind));
            assert!(!scalar, "{name} has the type {:?}", ty.inner);
        }
    }
}

#[test]
fn structs_have_the_same_layout_in_rust_and_in_wgsl() {
    let mut compared = 0;
    for Parsed { name, module, .. } in modules() {
        for (_, ty) in module.types.iter() {
            let (Some(ty_name), TypeInner::Struct { members, span }) = (ty.name.as_deref(), &ty.inner) else {
                continue;
            };
            let (size, fields) =
                rust_layout(ty_name).unwrap_or_else(|| panic!("{name}: {ty_name} has no twin in Rust"));
            let in_wgsl: Vec<(String, usize)> =
                members.iter().map(|member| (member.name.clone().unwrap(), member.offset as usize)).collect();
            let in_rust: Vec<(String, usize)> = fields.iter().map(|&(field, at)| (field.to_owned(), at)).collect();
            assert_eq!(in_wgsl, in_rust, "{name}: {ty_name}");
            assert_eq!(*span as usize, size, "{name}: {ty_name}");
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} structs were compared");
}

/// Size and fields of the Rust struct that the shaders call `name`.
fn rust_layout(name: &str) -> Option<(usize, Vec<(&'static str, usize)>)> {
    macro_rules! layout {
        ($t:ty: $($field:ident),*) => {
            Some((size_of::<$t>(), vec![$((stringify!($field), std::mem::offset_of!($t, $field))),*]))
        };
    }
    match name {
        "Params" => layout!(tables::Params: first_tile, n_tiles, shift, n_rows),
        "Tile" => layout!(tables::Tile: job, first, n),
        "Job" => {
            layout!(tables::Job: lo_low, lo_high, hi_low, hi_high, shift, fraction_bits, segments, n_segments, last,
                         n_cells, counters, pivots, wanted)
        }
        "Segment" => layout!(crate::counts::Segment: base, width),
        "SortSegment" => layout!(tables::SortSegment: first, n_tiles, histogram),
        _ => None,
    }
}

#[test]
fn a_shader_binds_no_more_buffers_than_every_device_allows() {
    for Parsed { name, module, .. } in modules() {
        let info = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
            .validate(&module)
            .expect("valid, as another test shows");
        for (index, entry) in module.entry_points.iter().enumerate() {
            let used = module.global_variables.iter().filter(|(handle, variable)| {
                matches!(variable.space, AddressSpace::Storage { .. })
                    && !info.get_entry_point(index)[*handle].is_empty()
            });
            let n = used.count();
            assert!((1..=8).contains(&n), "{name}, {}: {n} storage buffers", entry.name);
        }
    }
}
