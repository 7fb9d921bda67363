# The shell project's target scripts on a copy of our bundle, in the order of their setup-all.sh. Sourced by run.
#
# The node says that it is Ubuntu 22.04, one of those that these scripts know; it is Debian in truth.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

on_theirs() { inside theirs "$@"; }
# their COMMAND: in the folder of the bundle.
their() { run inside theirs bash -c "cd /outputs && $1"; }
from_theirs() { nsenter --target "$(leader theirs)" --net "$@"; }
get_theirs() { from_theirs curl -q --noproxy '*' -sS --fail -o "$work/got" "$@"; }

theirs_on_ours() {
  check "a node for their scripts" create_node theirs base
  check "our bundle with their target scripts over it" their_scripts
  check "it boots" boot theirs
  their ./setup-container.sh
  check "broken by itself: with its own config.sh setup-container.sh finds no version of the bundle" says "FATAL ERROR"
  cp "$bundle/config.sh" "$nodes/theirs/root/outputs/config.sh"
  their ./setup-container.sh
  check "with our config.sh: setup-container.sh" exits 0
  check "setup-container.sh starts containerd" wait_until on_theirs ctr version
  their ./start-nginx.sh
  check "start-nginx.sh" exits 0
  check "nginx serves our files" wait_until get_theirs http://127.0.0.1/files/files.list
  check "broken by itself: nginx serves scripts and images too" get_theirs http://127.0.0.1/config.sh
  their ./setup-offline.sh
  check "setup-offline.sh" exits 0
  check "apt-get install works" on_theirs sh -c 'apt-get update && apt-get install -y tree'
  their ./setup-py.sh
  check "setup-py.sh" exits 0
  check "pip takes what it wants from our index" on_theirs sh -c \
    "python3.11 -m venv /tmp/venv && /tmp/venv/bin/pip install --no-cache-dir ansible-core==2.17.14"
  their ./start-registry.sh
  check "start-registry.sh" exits 0
  check "the registry answers" wait_until get_theirs http://127.0.0.1:35000/v2/
  their ./load-push-all-images.sh
  check "load-push-all-images.sh" exits 0
  check "the registry has every image of our lists" their_registry
  their ./extract-kubespray.sh
  check "extract-kubespray.sh" exits 0
  check "kubespray lies there" test -f "$nodes/theirs/root/outputs/kubespray-$kubespray_version/contrib/offline/generate_list.sh"
  their ./setup-all.sh
  check "broken by itself: setup-all.sh does not work twice" exits 1
  shut_down theirs
}

# Their setup-container.sh ends with status 0 whatever happens, and their setup-offline.sh knows Ubuntu alone.
their_scripts() {
  local root=$nodes/theirs/root
  cp -R "$bundle" "$root/outputs" && cp -f -R "$SHELL_PROJECT"/target-scripts/* "$root/outputs/" || return 1
  rm "$root/etc/os-release"
  printf 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04 (stand-in)"\n' >"$root/etc/os-release"
}
their_registry() {
  cat "$bundle"/images/*.list | grep -v '^#' | sort -u >"$work/our-images"
  local images
  mapfile -t images <"$work/our-images"
  from_theirs "$interchange/check-images" pushed 127.0.0.1:35000 "${images[@]}" >"$work/their-registry" &&
    cat "$work/their-registry" && diff "$work/their-registry" "$work/our-configurations"
}
