#!/bin/sh
# Starts runbook with the Node of this folder, whatever else is installed. No other program is started on the way, but for
# `readlink` where this is a symbolic link. The words arrive byte for byte; the signals go to Node, which takes this one's place.
case $0 in
*/*) self=$0 ;;
*) self=./$0 ;;
esac
# How it was called, for the commands that are shown; taken out of the environment before anything else is started.
export RUNBOOK_LAUNCHER="$self"
if [ -L "$self" ]; then self=$(readlink -f -- "$self") || exit 69; fi
lib=${self%/*}/../lib

if [ ! -e @LOADER@ ]; then
  echo 'runbook: error: this archive is for Linux with glibc, and its program loader (@LOADER@) is not here.' >&2
  echo '  fix: On this system install the npm package with Node 24 or newer.' >&2
  exit 69
fi

# Meant for the Node programs of whoever calls. What it names would be loaded into this one, which sees tokens and secrets.
unset NODE_OPTIONS
exec "$lib/node" -- "$lib/bin/runbook.js" "$@"
