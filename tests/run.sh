#!/usr/bin/env bash
# Sets up what the tests need and is missing, and runs all of them. The one command of the README; CI calls it too.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*" >&2; }

# The GPU tests run on any Vulkan adapter. Where there is none, Mesa's lavapipe is one made of software.
has_vulkan() {
    compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null ||
        [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]
}
has_loader() { ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; }

if ! has_vulkan || ! has_loader; then
    if command -v apt-get >/dev/null; then
        as_root=()
        [ "$(id -u)" = 0 ] || as_root=(sudo)
        say "no Vulkan driver found: installing Mesa's software Vulkan (mesa-vulkan-drivers, libvulkan1)"
        "${as_root[@]}" apt-get update -qq
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
            mesa-vulkan-drivers libvulkan1 >/dev/null
    else
        say "no Vulkan driver found, and no apt-get to install one with"
        say "install a Vulkan driver and loader (Fedora: mesa-vulkan-drivers vulkan-loader; Arch: vulkan-swrast"
        say "vulkan-icd-loader), or run the tests without the GPU ones: GPUDRIFT_TEST_GPU=off cargo test"
        exit 1
    fi
fi

say "cargo test"
cargo test --locked "$@"
