# An outputs/ made by the shell project's own scripts. Sourced by run, inside the world of Tests/EndToEnd.
#
# They run from a copy of that project, in the order of its download-all.sh, as a user would start them. Two things are
# kept away from this machine: prepare-pkgs.sh, which would install packages on it, is left out; and create-repo.sh runs
# in a throw-away Debian, where its "apt install" may do what it likes.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

shell=$work/shell
shell_bundle=$shell/outputs
shell_version=$(sed -n 's/^KUBESPRAY_VERSION=.*:-\([0-9.]*\)}.*/\1/p' "$SHELL_PROJECT/target-scripts/config.sh" | head -n 1)

# pinned NAME: the version that the shell project's config.sh names.
pinned() { sed -n "s/^$1_VERSION=//p" "$SHELL_PROJECT/target-scripts/config.sh"; }

copy_shell_project() {
  cp -R "$SHELL_PROJECT" "$shell" && rm -rf "$shell"/{outputs,cache} || return 1
  # Its lists of packages and images are a user's own: short ones, so that this takes minutes and not an hour.
  rm -rf "$shell"/pkglist/ubuntu/*
  mkdir -p "$shell/pkglist/ubuntu/12"
  # python3-minimal, because its way to find dependencies leaves out those that must be there before, and this node has
  # less than an Ubuntu server.
  printf '%s\n' python3-minimal python3.11-venv openssh-client openssh-server curl tree patch >"$shell/pkglist/ubuntu/pkgs.txt"
  printf '# none\n' >"$shell/pkglist/ubuntu/12/pkgs.txt"
  printf '%s\n' '# more images' registry.k8s.io/pause:3.10.1 busybox:1.37 >"$shell/imagelists/more.txt"
  # Its Ansible for this machine: the core alone evaluates the lists as well.
  printf 'ansible-core==2.17.14\njmespath\nnetaddr\n' >"$shell/requirements.txt"
}

# What podman shall not share with this machine: its images.
podman_apart() {
  mkdir -p "$work/podman" "$work/home"
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/podman/root"\nrunroot = "%s/podman/run"\n' "$work" "$work" >"$work/podman/storage.conf"
}
# in_shell COMMAND...: in the shell project's folder.
in_shell() {
  (cd "$shell" && env -u TMPDIR HOME="$work/home" CONTAINERS_STORAGE_CONF="$work/podman/storage.conf" \
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$@") </dev/null
}

make_shell_bundle() {
  if [[ -n ${SHELL_OUTPUTS-} ]]; then
    mkdir -p "$shell" && cp -R "$SHELL_OUTPUTS" "$shell_bundle" && rm -rf "${shell_bundle:?}"/{target-setup,lib}
    note_configurations
    return
  fi
  check "a copy of the shell project" copy_shell_project
  serve_kubespray "$work/tree" "$shell_version"
  podman_apart
  local script
  for script in precheck.sh prepare-py.sh get-kubespray.sh pypi-mirror.sh download-kubespray-files.sh download-additional-containers.sh; do
    check "shell project: $script" in_shell "./$script"
  done
  check "shell project: create-repo.sh" create_repo
  check "shell project: copy-target-scripts.sh" in_shell ./copy-target-scripts.sh
  check "what its images are in the public registries" note_configurations
}
note_configurations() {
  local images
  mapfile -t images < <(cat "$shell_bundle"/images/*.list | grep . | sort -u)
  "$interchange/check-images" configurations "$registry" "${images[@]}" >"$work/configurations"
}

# create_repo: its apt scripts in a root of their own.
create_repo() {
  local root=$nodes/shell-host/root
  create_node shell-host base && mkdir -p "$root/shell" || return 1
  cp -R "$shell/"{create-repo.sh,scripts,pkglist} "$root/shell/"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  mount --bind /proc "$root/proc" && mount --bind /dev "$root/dev" || return 1
  env -u TMPDIR DEBIAN_FRONTEND=noninteractive chroot "$root" /bin/bash -c 'cd /shell && ./create-repo.sh'
  local result=$?
  umount "$root/proc" "$root/dev"
  [[ $result == 0 ]] && mkdir -p "$shell_bundle/debs" && cp -R "$root/shell/outputs/debs/local" "$shell_bundle/debs/"
}
