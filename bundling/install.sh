#!/bin/sh
# Installs Folkmoot from an offline bundle. Nothing is installed before the signature and the digest
# of every file are checked, and nothing is fetched. See docs/installing.md.
# shellcheck disable=SC2015 # `fail` ends the script, so that `A && B || fail` is what it looks like
set -eu
umask 022 # the services' accounts read what root installs
LC_ALL=C
export LC_ALL
unset CDPATH

usage() {
    cat <<'TEXT'
Usage: install.sh [COMMAND] [OPTIONS]

Commands:
  install         Check the bundle, install it, and make it current (if no command is given)
  upgrade         The same, beside the version that is there, with the same extras
  verify          Check the bundle, and install nothing
  roll-back       Make the previous version current again
  list            List the versions that are installed
  remove VERSION  Remove a version that is not current

Options:
  --key FILE      Public key of who makes the bundles (PEM); it must not come with the bundle.
                  An upgrade without it uses the key of the installation
  --bundle DIR    The unpacked bundle; the folder of this script, if it is one
  --prefix DIR    Where to install. If not given, the installation that this script lies in,
                  or else /opt/folkmoot
  --role ROLE     Refuse bundles of another role: node, coordinator or vendor
  --with EXTRA    Install an extra, too; may be given more than once
  --python FILE   The Python to use; python3.11, or what the bundle asks for, if not given
  --allow-older   Upgrade to a version that is older than the current one
  --accept        Accept the installed files as root does with `folkmoot-node install accept`
  --help          Show this

Exit codes: 0 done, 1 a fault, 2 wrong command line, 3 something is missing on this machine,
5 refused, 7 the bundle is not what was signed.
TEXT
}

USAGE=2 SETTINGS=3 REFUSED=5 VERIFICATION=7

say() { printf '%s\n' "$*"; }

# fail CODE PROBLEM REMEDY
fail() {
    printf 'Error: %s\n  Remedy: %s\n' "$2" "$3" >&2
    exit "$1"
}

work='' unfinished='' lock=''
tidy() {
    code=$?
    trap - EXIT HUP INT TERM
    if [ -n "$unfinished" ]; then
        rm -rf -- "$unfinished"
        printf 'Nothing was changed: the version that was current still is.\n' >&2
    fi
    if [ -n "$work" ]; then rm -rf -- "$work"; fi
    if [ -n "$lock" ]; then rm -rf -- "$lock"; fi
    exit "$code"
}
trap tidy EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The command line

command='' key='' bundle='' prefix='' role='' extras='' python='' accept='' older='' version=''
need() { [ "$2" -ge 2 ] || fail $USAGE "$1 needs a value" "Try --help"; }
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --accept) accept=yes ;;
    --allow-older) older=yes ;;
    --key) need "$1" $#; key=$2; shift ;;
    --bundle) need "$1" $#; bundle=$2; shift ;;
    --prefix) need "$1" $#; prefix=$2; shift ;;
    --role) need "$1" $#; role=$2; shift ;;
    --with) need "$1" $#; extras="$extras $2"; shift ;;
    --python) need "$1" $#; python=$2; shift ;;
    -*) fail $USAGE "there is no option $1" "Try --help" ;;
    install | upgrade | verify | roll-back | list | remove)
        [ -z "$command" ] || fail $USAGE "two commands: $command and $1" "Give one; try --help"
        command=$1
        ;;
    *)
        [ "$command" = remove ] && [ -z "$version" ] \
            || fail $USAGE "there is no command $1" "Try --help"
        version=$1
        ;;
    esac
    shift
done
command=${command:-install}

case $role in
'' | node | coordinator | vendor) ;;
*) fail $USAGE "there is no role $role" "Give node, coordinator or vendor" ;;
esac
if [ -z "$prefix" ]; then # the one that it was left in by an installation, or the usual one
    prefix=/opt/folkmoot
    if [ -d "$(dirname -- "$0")/releases" ]; then prefix=$(cd -- "$(dirname -- "$0")" && pwd -P); fi
fi
case $prefix in
/*) prefix=${prefix%/} ;;
*) prefix=$PWD/${prefix%/} ;;
esac
case $prefix in
*[!A-Za-z0-9._/+-]* | '') fail $USAGE "the folder $prefix cannot hold an installation" \
    "Name one of letters, digits and . _ + - only" ;;
esac
releases=$prefix/releases current=$prefix/current previous=$prefix/previous

# What is installed

# The version that a link leads to; nothing if there is no such link.
leads_to() { if [ -L "$1" ]; then basename -- "$(readlink -- "$1")"; fi; }

# recorded VERSION KEY: what is written down of an installed version.
recorded() { sed -n "s/^$2=//p" "$releases/$1/folkmoot-release" 2>/dev/null || :; }

require_version() {
    case $1 in
    '' | *[!A-Za-z0-9.+-]* | .*) fail $USAGE "there is no version '$1'" \
        "Give a version that \`install.sh list\` shows" ;;
    esac
    [ -f "$releases/$1/folkmoot-release" ] || fail $REFUSED "version $1 is not installed in $prefix" \
        "Give a version that \`install.sh list\` shows"
}

# point LINK VERSION: in one step, so that a link leads to one version or the other at any time.
point() {
    ln -sfn -- "releases/$2" "$prefix/.new-link"
    mv -fT -- "$prefix/.new-link" "$1"
}

# require_own FOLDER: root runs and overwrites nothing that another account can put in its place.
require_own() {
    for place in "$1" "$(cd -- "$1" && pwd -P)"; do
        while :; do
            # A folder such as /tmp, where each account can replace its own files alone, will do.
            odd=$(find -H "$place" -prune \( ! -uid 0 -o -perm /022 ! -perm -1000 ! -type l \))
            [ -z "$odd" ] || fail $REFUSED "another account than root can change $place" \
                "Find out whose it is. Then make it root's alone, or name another folder by --prefix"
            [ "$place" != / ] || break
            place=$(dirname -- "$place")
        done
    done
}

# What lies in the prefix already: root goes on only with what root has installed there.
require_own_prefix() {
    [ "$(id -u)" -eq 0 ] || return 0
    place=$prefix
    while [ ! -d "$place" ] && [ "$place" != / ]; do place=$(dirname -- "$place"); done
    require_own "$place"
    [ -d "$prefix" ] || return 0
    odd=$(find -H "$prefix" \( ! -uid 0 -o -perm /022 ! -type l \) | head -n 1)
    [ -z "$odd" ] || fail $REFUSED "another account than root can change $odd" \
        "Do not use what is there: find out who changed it, and install into another folder by --prefix"
}

take_turn() {
    mkdir -p -- "$releases" 2>/dev/null && [ -w "$prefix" ] && [ -w "$releases" ] \
        || fail $SETTINGS "$prefix cannot be written" "Run as root, or name another folder by --prefix"
    if ! mkdir -- "$prefix/.installing" 2>/dev/null; then
        other=$(cat "$prefix/.installing/process" 2>/dev/null || :)
        if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
            fail $REFUSED "another installer is at work in $prefix (process $other)" \
                "Wait until it has ended"
        fi
        rm -rf -- "$prefix/.installing" "$prefix"/.incoming.* # of one that was killed
        mkdir -- "$prefix/.installing"
    fi
    lock=$prefix/.installing
    printf '%s\n' $$ >"$lock/process"
    for left in "$releases"/*/.unfinished; do
        if [ -e "$left" ]; then
            say "Removing what an interrupted installer left in ${left%/.unfinished}"
            rm -rf -- "${left%/.unfinished}"
        fi
    done
}

list_versions() {
    found=''
    for record in "$releases"/*/folkmoot-release; do
        [ -f "$record" ] || continue
        found=$(basename -- "$(dirname -- "$record")")
        note=''
        if [ "$found" = "$(leads_to "$current")" ]; then note=current; fi
        if [ "$found" = "$(leads_to "$previous")" ]; then note=previous; fi
        with=$(recorded "$found" extras)
        printf '%-12s %-12s %-9s %s\n' "$found" "$(recorded "$found" role)" "$note" "${with:+with $with}"
    done
    if [ -z "$found" ]; then say "Nothing is installed in $prefix"; fi
}

roll_back() {
    to=$(leads_to "$previous") from=$(leads_to "$current")
    [ -n "$to" ] || fail $REFUSED "there is no previous version in $prefix" \
        "\`install.sh list\` shows what is installed"
    require_version "$to"
    point "$current" "$to"
    point "$previous" "$from"
    say "Folkmoot $to is current again; $from is kept. Restart its services."
}

remove_version() {
    require_version "$version"
    [ "$version" != "$(leads_to "$current")" ] || fail $REFUSED "version $version is current" \
        "Roll back or upgrade first"
    if [ "$version" = "$(leads_to "$previous")" ]; then rm -f -- "$previous"; fi
    : >"$releases/$version/.unfinished" # removed halfway, it is no version
    rm -rf -- "${releases:?}/$version"
    say "Removed $version"
}

# Checking a bundle

find_tools() {
    command -v openssl >/dev/null 2>&1 || fail $SETTINGS "openssl is missing" \
        "Install OpenSSL 3. On Debian: apt install openssl"
    case $(openssl version) in
    'OpenSSL '[012].*) fail $SETTINGS "$(openssl version) cannot check the signature" \
        "Install OpenSSL 3" ;;
    esac
    python=${python:-python3.11}
    command -v "$python" >/dev/null 2>&1 || fail $SETTINGS "there is no Python at $python" \
        "Install Python 3.11, or name it by --python. On Debian 12: apt install python3.11"
    named=$python # a script that starts the right Python needs variables that are not passed on
    python=$("$named" -I -S -c 'import sys; print(sys.executable)' 2>/dev/null) \
        || fail $SETTINGS "$named does not start" "Name another Python by --python"
}

find_key() {
    if [ -z "$key" ] && [ "$command" = upgrade ] && [ -f "$prefix/bundle-key.pub" ]; then
        key=$prefix/bundle-key.pub
    fi
    [ -n "$key" ] || fail $USAGE "whose bundles are to be trusted?" \
        "Give --key FILE: the public key that their maker gave you, not with the bundle"
    [ -f "$key" ] && [ -r "$key" ] || fail $SETTINGS "there is no key at $key" \
        "Name the file of the public key that the maker of the bundles gave you"
    case $(openssl pkey -pubin -in "$key" -noout -text 2>/dev/null | head -n 1) in
    ED25519*) ;;
    *) fail $SETTINGS "$key is not an Ed25519 public key (PEM)" \
        "Ask the maker of the bundles for folkmoot-bundle.pub" ;;
    esac
    fingerprint=$(openssl pkey -pubin -in "$key" -outform DER | tail -c 32 | sha256sum)
    fingerprint=${fingerprint%% *}
}

find_bundle() {
    bundle=${bundle:-$(dirname -- "$0")}
    [ -d "$bundle" ] || fail $USAGE "there is no folder $bundle" "Name the unpacked bundle by --bundle"
    bundle=$(cd -- "$bundle" && pwd -P)
    [ -f "$bundle/manifest.json" ] && [ -f "$bundle/manifest.json.sig" ] \
        || fail $VERIFICATION "$bundle has no manifest.json with its signature" \
            "Name the unpacked bundle by --bundle. If this is it, get it again: it is not whole"
    case $(cd -- "$(dirname -- "$key")" && pwd -P)/ in
    "$bundle"/*) fail $REFUSED "the key lies in the bundle that it is to check" \
        "Get the key from its maker by another way: who changes a bundle changes what is in it" ;;
    esac
}

# check FOLDER: everything that is said of a bundle is read after its signature is checked.
check() {
    say "Checking the signature by the key $fingerprint ..."
    openssl pkeyutl -verify -rawin -pubin -inkey "$key" -in "$1/manifest.json" \
        -sigfile "$1/manifest.json.sig" >/dev/null 2>&1 \
        || fail $VERIFICATION "the bundle was not signed by this key, or its manifest was altered" \
            "Compare the fingerprint with the maker's. If it is right, get the bundle again"
    "$python" -I -S - "$1/manifest.json" "$work" <<'PYTHON' || fail $VERIFICATION \
        "this installer cannot read the bundle's manifest" \
        "It was made for another installer: use the one in the bundle, once you have checked it"
import json, re, sys
body = json.load(open(sys.argv[1], encoding="utf-8"))
word, path = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*"), re.compile(r"[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*")
if body["kind"] != "folkmoot bundle" or body["format"] != 1:
    sys.exit(1)
said = {name: str(body[name]) for name in ("role", "version", "python", "machine", "glibc", "installed_bytes")}
lists = {name: body[name] for name in ("extras", "commands")}
files = body["files"]
if not all(map(word.fullmatch, [*said.values(), *lists["extras"], *lists["commands"]])):
    sys.exit(1)
if not all(path.fullmatch(name) and ".." not in name.split("/") for name in files):
    sys.exit(1)
if not all(re.fullmatch("[0-9a-f]{64}", held["sha256"]) for held in files.values()):
    sys.exit(1)
with open(sys.argv[2] + "/said", "w") as out:
    out.writelines(f"{name}={value}\n" for name, value in said.items())
    out.writelines(f"{name}={' '.join(values)}\n" for name, values in lists.items())
with open(sys.argv[2] + "/digests", "w") as out:
    out.writelines(f"{held['sha256']}  {name}\n" for name, held in sorted(files.items()))
PYTHON
    say "Checking $(wc -l <"$work/digests") files ..."
    odd=$(cd -- "$1" && find . ! -type f ! -type d | head -n 3)
    [ -z "$odd" ] || fail $VERIFICATION "not a file: $odd" "Get the bundle again: it holds files alone"
    { cut -c 67- "$work/digests"; printf 'manifest.json\nmanifest.json.sig\n'; } | sort >"$work/named"
    (cd -- "$1" && find . -type f | cut -c 3- | sort) >"$work/there"
    missing=$(comm -23 "$work/named" "$work/there" | head -n 3)
    [ -z "$missing" ] || fail $VERIFICATION "missing from the bundle: $missing" "Get the bundle again"
    added=$(comm -13 "$work/named" "$work/there" | head -n 3)
    [ -z "$added" ] || fail $VERIFICATION "in the bundle, and not in its manifest: $added" \
        "Find out who put it there; then get the bundle again"
    altered=$(cd -- "$1" && sha256sum --check --strict --quiet "$work/digests" 2>/dev/null | head -n 3) || :
    [ -z "$altered" ] || fail $VERIFICATION "altered since it was signed: $altered" \
        "Find out who changed it; then get the bundle again"
}

said() { sed -n "s/^$1=//p" "$work/said"; }

# Whether the bundle is for this machine and what was asked for.
fits() {
    [ -z "$role" ] || [ "$role" = "$(said role)" ] || fail $REFUSED \
        "this is a bundle of the role $(said role), and not $role" "Get the bundle of the role $role"
    here=$("$python" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [ "$here" = "$(said python)" ] || fail $SETTINGS \
        "the bundle is for Python $(said python), and $python is $here" \
        "Install Python $(said python), or name it by --python"
    [ "$(uname -m)" = "$(said machine)" ] || fail $SETTINGS \
        "the bundle is for $(said machine), and this machine is $(uname -m)" \
        "Get the bundle that was made for such machines"
    libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc 2\.//p')
    least=$(said glibc)
    [ -n "$libc" ] && [ "${libc%%.*}" -ge "${least#2.}" ] || fail $SETTINGS \
        "the bundle needs glibc $least or newer, and this machine has ${libc:+2.}${libc:-none}" \
        "Install on a newer release of the operating system, such as Debian 12"
    for extra in $extras; do
        case " $(said extras) " in
        *" $extra "*) ;;
        *) fail $USAGE "the bundle has no extra $extra" "It has: $(said extras)" ;;
        esac
    done
    [ -z "$accept" ] || [ "$(said role)" = node ] || fail $USAGE \
        "--accept is for nodes, and this is a bundle of the role $(said role)" "Leave it out"
}

# Whether the bundle goes back to an older version, which may lack what was put right since. Versions
# are compared as pip does, by the pip that was checked with the bundle.
goes_forward() {
    now_is=$(recorded "$1" version)
    now_is=${now_is:-${1%%-*}}
    order=$("$python" -I -S - "$(echo "$work"/bundle/wheels/pip-*.whl)" "$(said version)" "$now_is" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from pip._vendor.packaging.version import Version
print("older" if Version(sys.argv[2]) < Version(sys.argv[3]) else "newer")
PYTHON
    ) || fail $VERIFICATION "versions $(said version) and $now_is cannot be compared" "Get the bundle again"
    [ "$order" = older ] || return 0
    [ -n "$older" ] || fail $REFUSED \
        "the bundle has version $(said version), which is older than $now_is, the current one" \
        "Get a newer bundle. To go back: \`install.sh roll-back\`, or add --allow-older"
    say "Going back from $now_is to $(said version), since --allow-older was given."
}

# room KIB
room() {
    free=$(df -Pk -- "$prefix" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)
    [ "$free" -ge "$1" ] || fail $SETTINGS \
        "$prefix needs $(($1 / 1024)) MiB more, and has $((free / 1024)) MiB left" \
        "Make room, or name another folder by --prefix; \`install.sh remove\` removes old versions"
}

# Installing

# In an environment of its own: no variable of who installs makes pip do something else.
clean() { env -i PATH=/usr/bin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 TMPDIR="$work" "$@"; }

fill() {
    release=$releases/$version
    unfinished=$release
    mkdir -- "$release"
    : >"$release/.unfinished"
    for part in base $extras; do cat "$work/bundle/requirements/$part.txt"; done \
        | sort -u >"$work/requirements.txt"
    say "Installing $(wc -l <"$work/requirements.txt") wheels into $release ..."
    clean "$python" -I -m venv --without-pip "$release"
    inside=$release/bin/python$(said python)
    clean "$inside" -I "$(echo "$work"/bundle/wheels/pip-*.whl)/pip" --isolated \
        --disable-pip-version-check install --quiet --no-index --no-deps --no-cache-dir --no-compile \
        --root-user-action ignore --require-hashes --find-links "$work/bundle/wheels" \
        --requirement "$work/requirements.txt" \
        || fail 1 "pip could not install the wheels" "Read the lines above"
    say "Compiling ..."
    # Libraries bring a few files that are not for this Python.
    clean "$inside" -I -m compileall -q -j 0 "$release/lib" >/dev/null 2>&1 || :
    say "Trying it ..."
    clean "$inside" -I -m pip --isolated --disable-pip-version-check check \
        || fail 1 "the wheels do not fit together" "Report this to the maker of the bundle"
    for program in $(said commands); do
        clean "$release/bin/$program" --help >/dev/null \
            || fail 1 "$program does not start" "Read the lines above"
    done
    if [ -d "$work/bundle/deploy" ]; then cp -R -- "$work/bundle/deploy" "$release/deploy"; fi
    cp -- "$work/bundle/sbom.cdx.json" "$release/"
    printf '%s\n' "version=$(said version)" "role=$(said role)" "extras=${extras# }" "manifest=$manifest" "key=$fingerprint" \
        >"$release/folkmoot-release"
}

install_bundle() {
    now=$(leads_to "$current")
    if [ "$command" = upgrade ]; then
        [ -n "$now" ] || fail $REFUSED "nothing is installed in $prefix" "Use \`install.sh install\`"
        require_version "$now"
        extras=${extras:-$(recorded "$now" extras)}
        role=${role:-$(recorded "$now" role)}
    fi
    find_bundle
    take_turn
    room "$(du -sk -- "$bundle" | cut -f 1)"
    # Checked and used where nobody else can change it in between.
    work=$prefix/.incoming.$$
    mkdir -m 700 -- "$work"
    cp -RP -- "$bundle" "$work/bundle"
    check "$work/bundle"
    fits
    version=$(said version)
    manifest=$(sha256sum <"$work/bundle/manifest.json")
    manifest=${manifest%% *}
    # shellcheck disable=SC2086 # words apart are lines
    extras=$(printf '%s\n' $extras | sort -u | tr '\n' ' ')
    extras=${extras% }
    # The same version with other extras lies beside it: what runs is never changed in place.
    named=$version beside=1
    while [ "$(recorded "$version" manifest)" = "$manifest" ] \
        && [ "$(recorded "$version" extras)" != "$extras" ]; do
        beside=$((beside + 1))
        version=$named-$beside
    done
    if [ -n "$now" ]; then
        [ "$(recorded "$now" role)" = "$(said role)" ] || fail $REFUSED \
            "$prefix holds a $(recorded "$now" role), and this is a bundle of the role $(said role)" \
            "Name another folder by --prefix"
        [ "$command" = upgrade ] || [ "$now" = "$version" ] || fail $REFUSED \
            "version $now is installed in $prefix" "Use \`install.sh upgrade\`"
        goes_forward "$now"
    fi
    if [ -e "$releases/$version" ]; then
        [ "$(recorded "$version" manifest) $(recorded "$version" extras)" = "$manifest $extras" ] \
            || fail $REFUSED "another installation of version $version is in $prefix" \
                "Make another version current, \`install.sh remove $version\`, then try again"
        say "Version $version is installed already."
    else
        room $(($(said installed_bytes) / 1024))
        fill
    fi
    release=$releases/$version
    if [ -n "$accept" ]; then
        python=$release/bin/python$(said python)
        "$python" -I -S "$release/lib/python$(said python)/site-packages/folkmoot_node/start.py" \
            install accept || fail $? "the installation was not accepted" "Read the lines above"
    fi
    rm -f -- "$release/.unfinished"
    unfinished=''
    if [ -n "$now" ] && [ "$now" != "$version" ]; then point "$previous" "$now"; fi
    point "$current" "$version"
    cp -- "$work/bundle/install.sh" "$prefix/.install.sh" && mv -f -- "$prefix/.install.sh" "$prefix/install.sh"
    cat -- "$key" >"$prefix/.key" && mv -f -- "$prefix/.key" "$prefix/bundle-key.pub"
    say "Folkmoot $version ($(said role)) is current: $current"
    if [ -n "$now" ] && [ "$now" != "$version" ]; then
        say "Restart its services. Version $now is kept: \`sh $prefix/install.sh roll-back\`"
    fi
    if [ "$(said role)" = node ] && [ -z "$accept" ]; then
        say "Root accepts what may run, once the wheels are checked:"
        say "  $current/bin/python$(said python) -I -S" \
            "$current/lib/python$(said python)/site-packages/folkmoot_node/start.py install accept"
    fi
}

case $command in
list | verify) ;; # they change nothing, and run nothing that is there
*) require_own_prefix ;;
esac
case $command in
list) list_versions ;;
roll-back) take_turn; roll_back ;;
remove) take_turn; remove_version ;;
verify)
    find_tools
    find_key
    find_bundle
    work=$(mktemp -d)
    check "$bundle"
    fits
    say "The bundle is whole: $(said role) $(said version), for Python $(said python) on $(said machine)." \
        "Extras: $(said extras)"
    ;;
*)
    find_tools
    find_key
    install_bundle
    ;;
esac
