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
# The pages of the dashboard are looked at in a real browser.
has_browser() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null
}
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
install() {
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
has_loader() { ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; }

if ! has_vulkan || ! has_loader; then
    if command -v apt-get >/dev/null; then
        say "no Vulkan driver found: installing Mesa's software Vulkan (mesa-vulkan-drivers, libvulkan1)"
        install mesa-vulkan-drivers libvulkan1
    else
        say "no Vulkan driver found, and no apt-get to install one with"
        say "install a Vulkan driver and loader (Fedora: mesa-vulkan-drivers vulkan-loader; Arch: vulkan-swrast"
        say "vulkan-icd-loader), or run the tests without the GPU ones: GPUDRIFT_TEST_GPU=off cargo test"
        exit 1
    fi
fi

if ! has_browser && [ "${GPUDRIFT_TEST_BROWSER:-}" != off ]; then
    if command -v apt-get >/dev/null; then
        say "no browser found: installing Debian's chromium, and a font to draw with"
        install chromium fonts-dejavu-core
    else
        say "no browser found, and no apt-get to install one with"
        say "install chromium, name another one with CHROMIUM=PATH, or run the tests without those of the pages:"
        say "GPUDRIFT_TEST_BROWSER=off ./tests/run.sh"
        exit 1
    fi
fi

say "cargo test"
cargo test --locked "$@"
