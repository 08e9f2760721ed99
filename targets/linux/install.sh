#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./install.sh [PREFIX]: installs this bundle below PREFIX/versions and makes it PREFIX/current, in one step: whatever
# is killed, and however many run at once, a version that passed its self-test is current before and after.
# PREFIX is /opt/dimmer/<model> unless named. As root with systemd, a service is made. Where PREFIX/allowed_signers or
# /etc/dimmer/allowed_signers is there, only bundles that one of them signed are taken (man ssh-keygen, "dimmer").
set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
die() { printf 'error: %s\n' "$*" >&2; exit 2; }
field() { sed -n "s/^ *\"$2\": \"\([^\"]*\)\",*\$/\1/p" "$1/manifest.json" | head -n 1; }
is_name() { case $1 in '' | .* | *[!A-Za-z0-9._-]*) return 1 ;; esac; }

[ -f "$here/manifest.json" ] || die "there is no manifest.json beside install.sh: copy the whole bundle"
model=$(field "$here" model)
version=$(field "$here" version)
architecture=$(field "$here" architecture)
is_name "$model" && is_name "$version" && [ -n "$architecture" ] || die "manifest.json is damaged: copy the bundle again"
machine=$(uname -m)
[ "$machine" = "$architecture" ] || die "this bundle is for $architecture, this machine is $machine: build for this one"
command -v flock >/dev/null || die "flock is not here: install util-linux"

prefix=${1:-/opt/dimmer/$model}
case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac

# A bundle has plain files only, all of them in its list, which is signed where somebody asks for that.
check() {
    cd -- "$1"
    for signers in "$prefix/allowed_signers" /etc/dimmer/allowed_signers; do
        [ -f "$signers" ] || continue
        [ -f SHA256SUMS.sig ] || die "this bundle is not signed, and $signers asks for it: install it with --sign KEY"
        ssh-keygen -Y verify -f "$signers" -I dimmer -n dimmer-bundle -s SHA256SUMS.sig <SHA256SUMS >/dev/null 2>&1 ||
            die "nobody whom $signers names signed this bundle: it is forged or damaged"
        break
    done
    sha256sum --quiet --strict -c SHA256SUMS >&2 || die "the bundle is damaged: copy it again"
    listed=$(sed 's/^[0-9a-f]*  //' SHA256SUMS | LC_ALL=C sort)
    found=$(find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's|^\./||' | LC_ALL=C sort)
    [ "$listed" = "$found" ] || die "the bundle holds files that SHA256SUMS does not name: copy it again into a new folder"
    [ -z "$(find . ! -type d ! -type f)" ] || die "the bundle holds links, which a bundle has none of: copy it again"
    cd /
}

check "$here"
mkdir -p -- "$prefix/versions" 2>/dev/null && : >>"$prefix/.lock" ||
    die "$prefix cannot be written: name another folder, or run this as root"
# One at a time; the system opens the lock when this ends, however it ends.
exec 9>>"$prefix/.lock"
flock -w 900 9 || die "another installation into $prefix does not end: look for it with 'ps -ef | grep install.sh'"

new=$prefix/versions/.incoming
rm -rf -- "$new"
trap 'rm -rf -- "$new"' EXIT
trap 'exit 2' HUP INT TERM
cp -R -- "$here" "$new" 2>/dev/null || die "there is no room in $prefix: free some and install again"

# What counts is the copy, which nobody else writes to.
check "$new"
[ "$(field "$new" model)$(field "$new" version)" = "$model$version" ] || die "the bundle changed meanwhile: try again"

current=$(readlink -- "$prefix/current" 2>/dev/null || true)
previous=$(readlink -- "$prefix/previous" 2>/dev/null || true)

point() { # NAME TARGET: the link, in one step
    ln -sfn -- "$2" "$prefix/.$1"
    mv -T -- "$prefix/.$1" "$prefix/$1"
    sync -- "$prefix" 2>/dev/null || sync
}

give_up() {
    if [ -n "$current" ]; then
        die "$1; $(field "$prefix/$current" version) stays installed"
    fi
    die "$1; nothing is installed"
}

if ! "$new/bin/dimmer-run" --self-test >"$prefix/self-test.log" 2>&1; then
    cat -- "$prefix/self-test.log" >&2
    give_up "the self-test of $version fails"
fi

# A folder that nothing points to: the version that runs, and the one to fall back to, are not touched.
name=$version
while [ "versions/$name" = "$current" ] || [ "versions/$name" = "$previous" ]; do
    name=$name.again
done
rm -rf -- "$prefix/versions/$name"
find "$new" -exec sync -- {} + 2>/dev/null || sync
mv -T -- "$new" "$prefix/versions/$name"
sync -- "$prefix/versions" 2>/dev/null || sync
# The same version again mends the one that runs; the way back is still to the one before.
same=
[ -z "$current" ] || [ "$(field "$prefix/$current" version)" != "$version" ] || same=1
if [ -n "$current" ] && [ -z "$same" ]; then
    previous=$current
    point previous "$current"
fi
point current "versions/$name"

if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    getent group dimmer >/dev/null || groupadd --system dimmer || die "the group dimmer cannot be made"
    mkdir -p /etc/dimmer
    ln -sfn -- "$prefix" /etc/dimmer/.installed
    mv -T /etc/dimmer/.installed /etc/dimmer/installed
    cp -- "$prefix/current/dimmer.service" /etc/systemd/system/dimmer.service
    systemctl daemon-reload
    systemctl enable --quiet dimmer.service
    # It tells systemd when it takes frames, so that this waits for that.
    if ! systemctl restart dimmer.service; then
        if [ -n "$current" ]; then
            point current "$current"
            [ "$previous" != "$current" ] || rm -f -- "$prefix/previous"
            systemctl restart dimmer.service || true
            rm -rf -- "$prefix/versions/$name"
        fi
        give_up "the service does not start with $version: see 'journalctl -u dimmer'"
    fi
fi

# The version before stays: bin/dimmer-check falls back to it. Older ones go.
for old in "$prefix"/versions/*; do
    case versions/$(basename -- "$old") in "versions/$name" | "$previous") ;; *) rm -rf -- "$old" ;; esac
done
printf 'installed %s %s in %s\n' "$model" "$version" "$prefix"
