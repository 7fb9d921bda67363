#!/bin/sh
# Starts lib/target-setup with the libraries and the loader that travel with it; this system need have none of them.
# Usage: sh ./target-setup --help
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
library=$here/lib
loader_name=@loader@
machine=@machine@
loader=$library/$loader_name
if [ ! -f "$loader" ] || [ ! -f "$library/target-setup" ]; then
  echo "error: $library is not complete. Copy the whole bundle again." >&2
  exit 1
fi
KUBESPRAY_OFFLINE_BUNDLE=$here
export KUBESPRAY_OFFLINE_BUNDLE
# LD_PRELOAD and the like are meant for the programs of this system.
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
works() { "$1" --inhibit-cache --library-path "$2" --list "$2/target-setup" >/dev/null 2>&1; }
if ! works "$loader" "$library"; then
  for folder in /run /tmp /var/tmp /dev/shm "$HOME" /var/lib; do
    # What a kill in the middle of this has left.
    for old in "$folder"/.target-setup.*; do
      # shellcheck disable=SC3067 # dash, bash, ksh and busybox have -O
      [ ! -O "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
    done
    private=$folder/.target-setup.$$
    # mkdir fails where somebody else has made that folder before.
    (umask 077 && mkdir "$private") 2>/dev/null || continue
    if ! cp "$loader" "$private/" || ! chmod 700 "$private/$loader_name"; then
      rm -rf "$private"
      continue
    fi
    if works "$private/$loader_name" "$library"; then
      loader=$private/$loader_name
    elif cp "$library"/* "$private/" && works "$private/$loader_name" "$private"; then
      loader=$private/$loader_name
      library=$private
    else
      rm -rf "$private"
      continue
    fi
    KUBESPRAY_OFFLINE_PRIVATE=$private
    export KUBESPRAY_OFFLINE_PRIVATE
    break
  done
  if [ -z "${KUBESPRAY_OFFLINE_PRIVATE-}" ]; then
    case $(uname -m) in
      "$machine") echo "error: programs can be run neither from $here nor from /run, /tmp or /var/tmp. Copy the bundle to a disk that is mounted without noexec." >&2 ;;
      *) echo "error: this target-setup is for $machine, and this machine is $(uname -m). Set up a machine of $machine; it serves every node that the bundle is for." >&2 ;;
    esac
    exit 1
  fi
fi
exec "$loader" --inhibit-cache --library-path "$library" "$library/target-setup" "$@"
