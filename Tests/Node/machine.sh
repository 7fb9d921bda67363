# What tests need that set up a machine without internet: a bundle, by the real program in a world of stand-ins, and nodes.
# Sourced by the scripts that run such tests, in a mount namespace of their own.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the script

node_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
end_to_end=$node_tests/../EndToEnd
site=$work/site # the folder in which download-all is started
bundle=${BUNDLE:-$site/outputs}
# shellcheck source=../EndToEnd/world.sh source-path=SCRIPTDIR
source "$end_to_end/world.sh"
# shellcheck source=../EndToEnd/registry.sh source-path=SCRIPTDIR
source "$end_to_end/registry.sh"
# shellcheck source=origin.sh source-path=SCRIPTDIR
source "$node_tests/origin.sh"
# shellcheck source=node.sh source-path=SCRIPTDIR
source "$node_tests/node.sh"
# shellcheck source=journey.sh source-path=SCRIPTDIR
source "$node_tests/journey.sh"
stick=/media/usb/outputs

# tools_missing [TOOL...]: true when something is not installed, which it says.
tools_missing() {
  local tool missing=()
  for tool in debootstrap systemd-nspawn mkfs.vfat mcopy containerd runc docker-registry nginx busybox ip "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ -d /usr/lib/cni ]] || missing+=("CNI plugins")
  [[ ${#missing[@]} -gt 0 ]] && echo "${missing[*]}"
}

# make_small_bundle: what kubespray asks for and the admin host runs, with a patch.
make_small_bundle() {
  open_small_world
  run download_all
  check "download-all makes the bundle" exits 0
  close_world
}
# open_small_world: where that bundle comes from.
open_small_world() {
  # shellcheck disable=SC2317 # called by fill_world
  make_images() {
    "$end_to_end/make-images" named "$registry" "$@" >"$work/wanted.tsv" && make_admin_images >"$work/admin.tsv" &&
      cat "$work/wanted.tsv" "$work/admin.tsv" >"$images_made"
  }
  open_world
  rm "$site/target-scripts" && cp -R "$node_tests/../../target-scripts" "$site/target-scripts"
  check "releases, a kubespray tree for them, and images" fill_world
  add_patch
}
add_patch() {
  local folder=$site/target-scripts/patches/$kubespray_version file=requirements.txt
  mkdir -p "$folder"
  { cat "$work/tree/$file"; echo '# patched'; } >"$work/patched"
  { diff -u --label "a/$file" --label "b/$file" "$work/tree/$file" "$work/patched" || true; } >"$folder/0001-a.patch"
}

# start_admin [NSPAWN-OPTION...]: the node, with the stick in it: read-only, and no program on it may be started.
start_admin() {
  boot admin --bind-ro="$usb:/media/usb" "$@" && inside admin mount -o remount,bind,ro,noexec /media/usb
}
# on_admin COMMAND...: in the node. target_setup ARGUMENT...: the program, as the launcher on the stick starts it.
on_admin() { inside admin "$@"; }
target_setup() { inside admin sh "$stick/target-setup" "$@"; }

# files_of NAME [EXCLUDED...]: all files of a node, but for the program's own state and what package managers write down
# for themselves; which packages there are is told by packages_of.
files_of() {
  "$node_tests/list-files" "$nodes/$1/root" var/lib/kubespray-offline var/lib/apt/lists var/lib/dpkg/status var/lib/dpkg/status-old "${@:2}"
}
packages_of() { inside "$1" dpkg-query --show; }
