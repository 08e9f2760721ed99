#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./install.sh [PREFIX]: installs this bundle below PREFIX/versions and makes it PREFIX/current, in one step: whatever
# is killed, and however many run at once, a version that passed its self-test is current before and after.
# PREFIX is /opt/dimmer/<model> unless named. As root with systemd, a service is made, one for all models: the last that is
# installed has it. What fails leaves everything as it was. Where PREFIX/allowed_signers or /etc/dimmer/allowed_signers
# is there, only bundles that one of them signed are taken (man ssh-keygen, "dimmer").
set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
die() { printf 'error: %s\n' "$*" >&2; exit 2; }
field() { sed -n "s/^ *\"$2\": \"\([^\"]*\)\",*\$/\1/p" "$1/manifest.json" 2>/dev/null | head -n 1; }
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
real=$(readlink -m -- "$prefix" 2>/dev/null) || real=$prefix
case $real/ in "$here"/*) die "$prefix is within the bundle: name a folder outside of it" ;; esac

unit=/etc/systemd/system/dimmer.service
service=
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
    service=1
    case $real/ in /home/* | /root/* | /run/user/* | /tmp/* | /var/tmp/*)
        die "the service, which is shut in, does not see $prefix: name a folder that is not in /home, /root or /tmp" ;;
    esac
fi

# A bundle has plain files only, all of them in its list, which is signed where somebody asks for that.
check() {
    cd -- "$1"
    for signers in "$prefix/allowed_signers" /etc/dimmer/allowed_signers; do
        # A list that is there and cannot be read asks for signatures all the same.
        [ -e "$signers" ] || [ -L "$signers" ] || continue
        [ -f "$signers" ] && [ -r "$signers" ] || die "$signers is no file that can be read: mend it, or remove it"
        [ -f SHA256SUMS.sig ] || die "this bundle is not signed, and $signers asks for it: install it with --sign KEY"
        command -v ssh-keygen >/dev/null || die "$signers asks for signed bundles: install openssh-client, to check them"
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
switching=
trap 'undo >/dev/null 2>&1 || :; rm -rf -- "$new" ${service:+"$unit.new"}' EXIT
trap 'exit 2' HUP INT TERM
cp -R -- "$here" "$new" 2>/dev/null || die "there is no room in $prefix: free some and install again"

# What counts is the copy, which nobody else writes to.
check "$new"
[ "$(field "$new" model)$(field "$new" version)" = "$model$version" ] || die "the bundle changed meanwhile: try again"

current=$(readlink -- "$prefix/current" 2>/dev/null || true)
previous=$(readlink -- "$prefix/previous" 2>/dev/null || true)

link() { # TARGET FOLDER NAME: the link, in one step
    ln -sfn -- "$1" "$2/.$3" && mv -T -- "$2/.$3" "$2/$3" && { sync -- "$2" 2>/dev/null || sync; }
}

put_back() { # TARGET FOLDER NAME: the link as it was; no target: there was none
    if [ -n "$1" ]; then link "$1" "$2" "$3"; else rm -f -- "$2/$3"; fi
}

undo() { # What the switch changed.
    [ -n "$switching" ] || return 0
    switching=
    trap '' HUP INT TERM
    put_back "$current" "$prefix" current && put_back "$before" "$prefix" previous || return 1
    rm -rf -- "$prefix/versions/$name"
    [ -n "$service" ] || return 0
    put_back "$served" /etc/dimmer installed || return 1
    [ "$enabled" = enabled ] || systemctl disable --quiet dimmer.service || :
    if [ -f "$unit.before" ]; then
        mv -T -- "$unit.before" "$unit" || return 1
        systemctl daemon-reload || :
        systemctl restart dimmer.service || :
    else
        systemctl stop dimmer.service || :
        rm -f -- "$unit" || return 1
        systemctl daemon-reload || :
    fi
}

give_up() {
    stays="nothing is installed"
    [ -z "$current" ] || stays="$(field "$prefix/$current" version) stays installed"
    undo >/dev/null 2>&1 || stays="what was there before cannot be put back: install again"
    die "$1; $stays"
}

try() { # COMMAND...: or everything is as it was
    said=$("$@" 2>&1) || give_up "$1 fails ($(printf '%s\n' "$said" | head -n 1)): mend that and install again"
}

if ! "$new/bin/dimmer-run" --self-test >"$prefix/self-test.log" 2>&1; then
    cat -- "$prefix/self-test.log" >&2
    give_up "the self-test of $version fails"
fi

# What can be made before the switch is made before it.
served=
if [ -n "$service" ]; then
    getent group dimmer >/dev/null || try groupadd --system dimmer
    try mkdir -p /etc/dimmer
    try touch /etc/dimmer/.lock
    exec 8</etc/dimmer/.lock
    flock -w 900 8 || give_up "another installation does not end: look for it with 'ps -ef | grep install.sh'"
    [ ! -L "$unit" ] || give_up "$unit is a link, as 'systemctl mask' makes: 'systemctl unmask dimmer' first"
    served=$(readlink -- /etc/dimmer/installed 2>/dev/null || true)
    enabled=$(systemctl is-enabled dimmer.service 2>/dev/null || true)
    try cp -- "$new/dimmer.service" "$unit.new"
    try rm -f -- "$unit.before"
    [ ! -f "$unit" ] || try cp -p -- "$unit" "$unit.before"
fi

# A folder that nothing points to: the version that runs, and the one to fall back to, are not touched.
name=$version
while [ "versions/$name" = "$current" ] || [ "versions/$name" = "$previous" ]; do
    name=$name.again
done
before=$previous
switching=1
try rm -rf -- "$prefix/versions/$name"
find "$new" -exec sync -- {} + 2>/dev/null || sync
try mv -T -- "$new" "$prefix/versions/$name"
sync -- "$prefix/versions" 2>/dev/null || sync
# The same version again mends the one that runs; the way back is still to the one before.
same=
[ -z "$current" ] || [ "$(field "$prefix/$current" version)" != "$version" ] || same=1
if [ -n "$current" ] && [ -z "$same" ]; then
    previous=$current
    try link "$current" "$prefix" previous
fi
try link "versions/$name" "$prefix" current

if [ -n "$service" ]; then
    try link "$prefix" /etc/dimmer installed
    try mv -T -- "$unit.new" "$unit"
    try systemctl daemon-reload
    try systemctl enable --quiet dimmer.service
    # It tells systemd when it takes frames, so that this waits for that.
    systemctl restart dimmer.service || give_up "the service does not start with $version: see 'journalctl -u dimmer'"
    rm -f -- "$unit.before"
fi
switching=

# The version before stays: bin/dimmer-check falls back to it. Older ones go.
for old in "$prefix"/versions/*; do
    case versions/$(basename -- "$old") in "versions/$name" | "$previous") ;; *) rm -rf -- "$old" ;; esac
done
lost=
if [ -f "$served/current/manifest.json" ] && [ "$(readlink -f -- "$served")" != "$(readlink -f -- "$prefix")" ]; then
    lost="; the service runs it now, and no longer $(field "$served/current" model) in $served"
fi
printf 'installed %s %s in %s%s\n' "$model" "$version" "$prefix" "$lost"
