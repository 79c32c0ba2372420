# A small world for rehearsals, shared by the stand-ins of this folder: each says what it was asked, and answers from
# files in the folder $STUB_WORLD. $STUB_FAILS is a pattern: a call that fits it fails. Given by --env, as any variable.
# shellcheck shell=bash
set -euo pipefail
WORLD=${STUB_WORLD:?give a folder for the rehearsal, as in --env STUB_WORLD=/tmp/world}
CALL="${0##*/} $*"
echo "$CALL" >>"$WORLD/calls"
# shellcheck disable=SC2053 # a pattern on purpose
if [ -n "${STUB_FAILS:-}" ] && [[ $CALL == $STUB_FAILS ]]; then
  echo "${0##*/}: refused, as STUB_FAILS wants it" >&2
  exit 1
fi

# state NAME [DEFAULT]: what is known of NAME
state() { cat "$WORLD/$1" 2>/dev/null || echo "${2:-}"; }
# is NAME VALUE: from now on
is() { echo "$2" >"$WORLD/$1"; }
# has WORD: whether it is among the arguments of the call
has() { [[ " $CALL " == *" $1 "* ]]; }
# value OPTION: what follows `OPTION=`
value() {
  local word
  for word in "${WORDS[@]}"; do [[ $word != "$1="* ]] || { echo "${word#*=}"; return; }; done
}
WORDS=("$@")
