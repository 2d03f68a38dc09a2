# Sourced by the other scripts of this directory: fetches what they need and the machine lacks.
#
#   need_bun                      puts the pinned Bun and the packages of bun.lock into node_modules; sets $BUN
#   need_packages PROBE:PACKAGE…  Debian packages; PROBE is a command, or lib… for a shared library
#
# The caller has set $ROOT, the directory of the repository, and has made it the current directory.

# Debian keeps runc, useradd and losetup out of a plain user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

step() {
  printf '\n==> %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

pinned_bun() {
  sed -n 's/^ *"bun": "\([0-9.]*\)".*/\1/p' package.json
}

has_pinned_bun() {
  [ "$(node_modules/.bin/bun --version 2>/dev/null)" = "$(pinned_bun)" ]
}

need_bun() {
  BUN=$ROOT/node_modules/.bin/bun
  if has_pinned_bun && cmp -s bun.lock node_modules/.bun.lock.installed; then
    return 0
  fi
  if command -v bun >/dev/null 2>&1; then
    step "installing the packages of bun.lock"
    bun install --frozen-lockfile
  elif ! has_pinned_bun; then
    command -v npm >/dev/null 2>&1 || fail "neither bun nor npm was found: install one of them (Debian: apt-get install npm)"
    step "installing Bun $(pinned_bun) from its npm package"
    # npm 11 runs no install script that was not approved, npm 10 runs them all: run none, with both.
    npm install --no-save --ignore-scripts --no-audit --no-fund
  fi
  # The package holds a placeholder until its install script has put the executable in its place.
  if ! has_pinned_bun; then
    (cd node_modules/bun && if command -v node >/dev/null 2>&1; then node install.js; else bun install.js; fi)
    has_pinned_bun || fail "the npm package bun did not give Bun $(pinned_bun)"
  fi
  "$BUN" install --frozen-lockfile
  cp bun.lock node_modules/.bun.lock.installed
}

is_present() {
  case $1 in
    lib*) ldconfig -p 2>/dev/null | grep -q "$1" ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

need_packages() {
  missing=
  for entry in "$@"; do
    is_present "${entry%%:*}" || missing="$missing ${entry#*:}"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing (Debian package names):$missing; as root: apt-get install --no-install-recommends$missing" >&2
    return 1
  fi
  step "installing from Debian:$missing"
  # An image's package lists may be absent or old: ask for them only when the first try fails.
  # shellcheck disable=SC2086 # a list of names
  apt_install $missing || { apt-get -q update && apt_install $missing; }
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" </dev/null
}
