#!/bin/sh
# The tests drive a real Chromium and a real PostgreSQL. Where this may install them it does; elsewhere it says plainly
# which tests will be skipped. Under CI nothing may be skipped, so there it fails.
set -eu

missing=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 \
    || [ -n "${CHROMIUM:-}" ] || missing="chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || [ -n "${TEST_POSTGRES_URL:-}" ] \
    || missing="$missing postgresql"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for the tests: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # A cluster of the package's own is not wanted: the tests start their own server.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi

echo "Not on this machine:$(printf ' %s' $missing). The tests that need it are skipped."
echo "Install it with your package manager (Debian: apt-get install $missing); PostgreSQL may also be given as TEST_POSTGRES_URL."
[ -z "${CI:-}" ] || exit 1
