# What the scripts of this folder begin with: kubespray trees as arguments, a namespace, a work folder, machines. Sourced by
# them with their arguments.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this, and in those sourced here

here=$deployment/../Node
if [[ $# -lt ${least_trees:-1} ]]; then
  echo "usage: $0 TREE...   (each a kubespray source tree; at least ${least_trees:-1})" >&2
  exit 2
fi
trees=()
for tree in "$@"; do trees+=("$(realpath "$tree")"); done
programs=$(realpath "${PROGRAMS:-$here/../../.build/release}")

# shellcheck source=../Shell/harness.sh source-path=SCRIPTDIR
source "$here/../Shell/harness.sh"
enter_namespace --mount -- "${trees[@]}"

make_work
# shellcheck source=../Node/machine.sh source-path=SCRIPTDIR
source "$here/machine.sh"
# shellcheck source=../Node/setup.sh source-path=SCRIPTDIR
source "$here/setup.sh"
# shellcheck source=../Node/other-nodes.sh source-path=SCRIPTDIR
source "$here/other-nodes.sh"
# shellcheck source=../Node/recorder.sh source-path=SCRIPTDIR
source "$here/recorder.sh"
# shellcheck source=releases.sh source-path=SCRIPTDIR
source "$deployment/releases.sh"

stop_everything() {
  stop_recorder
  stop_nodes
  stop_registry
  stop_origin
}
