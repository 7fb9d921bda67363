#!/bin/sh
# Starts download-all with the libraries and the loader of this release; this system need have none of them.
file=$0
while [ -L "$file" ]; do
  link=$(readlink "$file")
  case $link in
    /*) file=$link ;;
    *) file=$(dirname -- "$file")/$link ;;
  esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$file")" && pwd -P) || exit 1
loader=$here/lib/@loader@
if ! [ -x "$loader" ]; then
  echo "error: $here/lib is not complete. Unpack the release again." >&2
  exit 1
fi
if [ "$(uname -m)" != @machine@ ]; then
  echo "error: this release is for @machine@, and this machine is $(uname -m). Take the one for it." >&2
  exit 1
fi
# Lists, scripts and settings come from there, unless the current folder has its own.
KUBESPRAY_OFFLINE_HOME=$here
export KUBESPRAY_OFFLINE_HOME
# LD_PRELOAD and the like are meant for the programs of this system.
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
# That file is target-setup too, where it is started under that name: in a bundle.
exec "$loader" --inhibit-cache --library-path "$here/lib" "$here/lib/kubespray-offline" "$@"
