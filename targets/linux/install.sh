#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./install.sh [PREFIX]: installs this bundle into PREFIX/versions/<version> and makes it PREFIX/current.
# The self-test runs before the switch; where it fails, and where the service then does not start, the version that was
# current before stays current. PREFIX is /opt/dimmer/<model> unless named. As root with systemd, a service is made.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
die() { printf 'error: %s\n' "$*" >&2; exit 2; }
field() { sed -n "s/^ *\"$1\": \"\([^\"]*\)\",*\$/\1/p" "$here/manifest.json" | head -n 1; }

[ -f "$here/manifest.json" ] || die "there is no manifest.json beside install.sh: copy the whole bundle"
model=$(field model)
version=$(field version)
architecture=$(field architecture)
[ -n "$model" ] && [ -n "$version" ] && [ -n "$architecture" ] || die "manifest.json is damaged: copy the bundle again"
machine=$(uname -m)
[ "$machine" = "$architecture" ] || die "this bundle is for $architecture, this machine is $machine: build for this one"

prefix=${1:-/opt/dimmer/$model}
( cd "$here" && sha256sum --quiet --strict -c SHA256SUMS ) >&2 || die "the bundle is damaged: copy it again"

mkdir -p "$prefix/versions" || die "$prefix cannot be written: name another folder, or run this as root"
new="$prefix/versions/$version"
previous=$(readlink "$prefix/current" 2>/dev/null || true)
partial="$prefix/versions/.$version.partial"
rm -rf "$partial"
cp -R "$here" "$partial" || { rm -rf "$partial"; die "there is no room in $prefix: free some and install again"; }

point_at() {
    ln -s "$1" "$prefix/.current.$$"
    mv -T "$prefix/.current.$$" "$prefix/current"
}

give_up() {
    if [ -n "$previous" ]; then
        die "$1; $(basename "$previous") stays installed"
    fi
    die "$1; nothing is installed"
}

if ! "$partial/bin/dimmer-run" --self-test >"$prefix/self-test.log" 2>&1; then
    cat "$prefix/self-test.log" >&2
    rm -rf "$partial"
    give_up "the self-test of $version fails"
fi
if [ "$previous" = "versions/$version" ]; then
    # The same bundle again: its folder is the one that runs, and may be what was damaged.
    rm -rf "$prefix/versions/.$version.old"
    mv "$new" "$prefix/versions/.$version.old"
    mv "$partial" "$new"
    rm -rf "$prefix/versions/.$version.old"
else
    rm -rf "$new"
    mv "$partial" "$new"
fi
point_at "versions/$version"

if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    sed "s|@PREFIX@|$prefix|g" "$new/dimmer.service" >/etc/systemd/system/dimmer.service
    systemctl daemon-reload
    systemctl enable --quiet dimmer.service
    if ! systemctl restart dimmer.service || ! sleep 2 || ! systemctl is-active --quiet dimmer.service; then
        if [ -n "$previous" ] && [ "$previous" != "versions/$version" ]; then
            point_at "$previous"
            systemctl restart dimmer.service || true
            rm -rf "$new"
        fi
        give_up "the service does not start with $version: see 'journalctl -u dimmer'"
    fi
fi

# The version before stays for a way back by hand; older ones go.
for old in "$prefix"/versions/*; do
    [ "$old" = "$new" ] || [ "$old" = "$prefix/$previous" ] || rm -rf "$old"
done
printf 'installed %s %s in %s\n' "$model" "$version" "$prefix"
