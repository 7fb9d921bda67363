# Our target-setup on a bundle of the shell project: carried over a FAT disk with our program beside it. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

ours_on_theirs() {
  local kubespray_version=$shell_version
  cp -R "$bundle/target-setup" "$bundle/lib" "$shell_bundle/"
  check "their bundle, with our program beside it, fits on a FAT disk and comes off it" through_fat "$shell_bundle" "$usb"
  # What cp makes of links on such a disk: nothing.
  find "$usb/outputs" -name '*.whl' -path '*/pypi/*' ! -path '*/files/*' -delete
  check "a node is there: Debian, systemd, nothing else" create_node admin base
  check "it boots" start_admin --bind-ro="$bundle:/media/ours"
  files_of admin >"$work/before"
  packages_of admin >"$work/packages-before"
  their_scan
  their_setup
  their_bundle_served
  their_bundle_used
  their_second_setup
  their_undo
  shut_down admin
  damaged_and_missing
}

their_scan() {
  run target_setup --shell-bundle verify
  check "verify looks through it" exits 0
  check "verify says that there is no manifest" says "made by the shell project.*no manifest"
  check "verify finds all of it" fails says "missing"
  run inside admin sh /media/ours/target-setup verify --shell-bundle --bundle "$stick"
  check "our program in a bundle of ours does it too: --bundle" exits 0
  run target_setup --shell-bundle status
  check "status works before anything is done" exits 0
}

their_setup() {
  local start=$SECONDS
  run target_setup --shell-bundle all
  cp "$work/err" "$work/their-setup.log"
  check "target-setup all" exits 0
  echo "     target-setup all on their bundle: $((SECONDS - start)) s"
  check "versions that their config.sh does not have are told" says "config.sh names containerd $(pinned CONTAINERD), and the bundle has"
  check "that there was no offline.yml is told" says "no offline.yml"
}

their_bundle_served() {
  check "containerd runs, and is the bundle's" containerd_is_ours
  check "nginx is a container that systemd watches" container_runs nginx
  check "the registry is a container that systemd watches" container_runs registry
  check "nginx serves files" get http://127.0.0.1/files/files.list
  check "nginx serves packages" get http://127.0.0.1/debs/local/Packages.gz
  check "nginx serves wheels, whose links the disk has lost" serves_wheel
  check "nginx serves neither scripts nor images" serves_no_scripts
  check "the registry has every image of their lists, with its configuration" \
    from_admin "$interchange/check-images" compare 127.0.0.1:35000 "$work/configurations"
}
serves_wheel() {
  local wheel
  wheel=$(cd "$shell_bundle/pypi/jmespath" && find . -name '*.whl' | head -n 1)
  [[ ! -e $usb/outputs/pypi/jmespath/$wheel ]] && get "http://127.0.0.1/pypi/jmespath/$wheel" &&
    cmp "$work/got" "$shell_bundle/pypi/jmespath/$wheel"
}
serves_no_scripts() {
  local path
  for path in config.sh setup-all.sh images/images.list lib/target-setup; do
    [[ $(status_of "http://127.0.0.1/$path") == 40[34] ]] || { echo "$path is served"; return 1; }
  done
}

their_bundle_used() {
  check "apt-get update asks only the bundle" apt_is_ours
  check "apt-get install works" on_admin apt-get install -y tree
  on_admin apt-get purge -y tree >"$work/purge.log" 2>&1
  run target_setup --shell-bundle ansible
  check "the environment with Ansible comes from their index" exits 0
  check "kubespray lies there" test -f "$nodes/admin/root/opt/kubespray-$shell_version/contrib/offline/generate_list.sh"
  check "offline.yml has the node's address" offline_inventory
  check "offline.yml leads kubespray to every file of files.list" offline_files
  # shellcheck disable=SC2034 # read in setup.sh
  local status_options=(--shell-bundle)
  check "status knows all of it" status_is_done
}
# Ansible evaluates the templates with the tree's own defaults, as kubespray does.
offline_files() {
  local tree=/opt/kubespray-$shell_version url
  cat >"$nodes/admin/root$tree/urls.yml" <<'END'
- hosts: localhost
  gather_facts: true
  roles: [{role: kubespray_defaults, when: false}, {role: download, when: false}]
  tasks:
    - ansible.builtin.copy:
        dest: /root/urls
        content: "{% for name in vars if name is match('.*_download_url$') %}{{ lookup('vars', name) }}\n{% endfor %}"
END
  on_admin sh -c "cd $tree && $tree-venv/bin/ansible-playbook -i localhost, -c local -e @offline.yml urls.yml"
  rm "$nodes/admin/root$tree/urls.yml"
  cat "$nodes/admin/root/root/urls"
  [[ $(wc -l <"$nodes/admin/root/root/urls") == $(wc -l <"$shell_bundle/files/files.list") ]] || return 1
  while read -r url; do
    [[ $(status_of "$url") == 200 ]] || { echo "$url: $(status_of "$url")"; return 1; }
  done <"$nodes/admin/root/root/urls"
  rm -rf "$nodes/admin/root/root/urls" "$nodes/admin/root/root/.ansible"
}

their_second_setup() {
  files_of admin >"$work/after"
  run target_setup --shell-bundle all
  check "a second run succeeds" exits 0
  check "it has nothing to do" says "nothing to do"
  files_of admin >"$work/after-second"
  check "it changes no file" diff "$work/after" "$work/after-second"
}

their_undo() {
  run target_setup --shell-bundle undo all
  check "undo all" exits 0
  rm -rf "$nodes/admin/root/root/.ansible" # Ansible's own
  files_of admin >"$work/undone"
  packages_of admin >"$work/packages-undone"
  check "all files are as they were before" diff "$work/before" "$work/undone"
  check "all packages are as they were before" diff "$work/packages-before" "$work/packages-undone"
  check "nothing of ours runs" nothing_runs
}

# damaged_and_missing: what verify says of a bundle that is not whole.
damaged_and_missing() {
  local copy=$work/broken file
  cp -R "$shell_bundle" "$copy"
  rm "$copy"/images/registry.k8s.io_pause-*.tar.gz "$copy"/files/kubernetes/etcd/*.tar.gz
  run "$programs/target-setup" verify --shell-bundle --bundle "$copy"
  check "what is missing is named, and no failure" exits 0
  check "an image that is missing is named" says "registry.k8s.io/pause"
  check "a file that is missing is named" says "files/kubernetes/etcd/etcd-"
  file=$copy/images/docker.io_example_weave-v2.8.1.tar.gz
  truncate -s $(($(stat -c %s "$file") / 2)) "$file"
  file=$(find "$copy/debs/local/pkgs" -name 'tree_*.deb')
  "$here/../Shell/change-byte" "$file" 1000
  file=$(find "$copy/pypi/files" -name 'jmespath*.whl' | head -n 1)
  truncate -s 1000 "$file"
  file=$(find "$copy/files" -name 'containerd-*.tar.gz')
  truncate -s $(($(stat -c %s "$file") / 2)) "$file"
  run "$programs/target-setup" verify --shell-bundle --bundle "$copy"
  check "what is damaged is a failure" exits 1
  for file in images/docker.io_example_weave debs/local/pkgs/tree_ pypi/files/jmespath files/containerd-; do
    check "it names $file" says "^ *$file|  $file"
  done
  rm -rf "$copy"
}
