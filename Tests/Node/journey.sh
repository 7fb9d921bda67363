# A bundle by the real program, and its way to the node. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

# A release that nobody has published: one that is known has to have its own files.
kubespray_version=2.30.90
usb=$work/usb # what lies on the stick

# open_world: stand-ins of the public hosts, and a folder with settings for download-all.
open_world() {
  mkdir -p "$site"
  make_certificates >"$work/openssl.log" 2>&1
  only_own_archives
  enter_world
  start_origin
  start_registry
  write_settings
}
# fill_world: what the stand-ins serve.
fill_world() {
  local architecture
  architecture=$(dpkg --print-architecture)
  make_releases "$architecture" && make_tree "$end_to_end/../Fixtures/kubespray-mini" "$work/tree" &&
    populate && make_images_of_plan
}
# close_world: from here on nothing of it is there any more.
close_world() {
  stop_registry
  registry_pid=
  stop_origin
}

# make_bundle: the real download-all against stand-ins of the public hosts, and the real archives of Debian and PyPI.
make_bundle() {
  open_world
  check "releases, a kubespray tree for them, and images of every kind" fill_world
  run download_all
  check "download-all makes the bundle" exits 0
  [[ $status == 0 ]] || return 0
  ANSIBLE_BASE_IMAGE=$ansible_base run download_all --ansible-in-container --ansible-image assembled images
  check "download-all assembles an image with Ansible" exits 0
  check "bundle.json lists exactly what is there" "$end_to_end/check-bundle" "$bundle"
  check "the bundle has images, packages and wheels" has_all_kinds
  close_world
}
download_all() { (cd "$site" && exec "$programs/download-all" "$@"); }

# A host of a developer may have repositories of others, which have nothing to do with these tests.
only_own_archives() {
  local own=$work/sources.list.d
  mkdir -p "$own"
  find /etc/apt/sources.list.d -maxdepth 1 \( -name 'debian*' -o -name 'ubuntu*' \) -exec cp {} "$own/" \;
  [[ -z $(ls -A "$own") ]] || mount --bind "$own" /etc/apt/sources.list.d
}

# Small, but of every kind: the wheels of ansible-core, a few packages and what they need.
write_settings() {
  local id
  id=$(. /etc/os-release && echo "$ID")
  mkdir -p "$site/config" "$site/pkglist/$id" "$site/imagelists"
  ln -s "$(realpath "$here/../../target-scripts")" "$site/target-scripts"
  printf '%s\n' python3-venv openssh-client openssh-server curl tree chrony >"$site/pkglist/$id/pkgs.txt"
  # The Python of this release of Debian is the node's.
  cat >"$site/config/config.yml" <<END
kubespray:
  version: $kubespray_version
pypi:
  pythons: ["$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"]
  source_distributions: false
packages:
  install: false
END
}
populate() {
  run download_all plan --json --kubespray-source "$work/tree" files
  exits 0 || return 1
  cp "$work/out" "$work/plan.json"
  local file given=()
  for file in "$releases"/*; do given+=("/$(basename "$file")=@$file"); done
  "$end_to_end/make-origin" "$work/plan.json" "$origin" "$work/tree" "$work/expected" "${given[@]}" &&
    serve_kubespray "$work/tree" "$kubespray_version"
}
make_images_of_plan() {
  local wanted
  run download_all plan --json --kubespray-source "$work/tree" files
  mapfile -t wanted < <(python3 -c 'import json, sys; print(*json.load(sys.stdin)["images"], sep="\n")' <"$work/out")
  make_images "${wanted[@]}" || return 1
  cut -f 2 "$images_made" | grep -vxF "$(printf '%s\n' "${wanted[@]}")" >"$site/imagelists/images.txt"
}
has_all_kinds() {
  ls "$bundle"/debs/local/Packages "$bundle"/pypi/ansible-core/index.html "$bundle"/target-setup "$bundle"/setup-all.sh &&
    [[ $(find "$bundle/images" -name '*.tar.gz' | wc -l) -ge 24 ]]
}

# start_root [PACKAGE...]: makes the nodes' root beside what else is done, with these packages more. prepare_nodes: waits
# for it; the network between nodes.
start_root() {
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  make_root "$codename" base "${base_packages[@]}" "$@" >"$work/base.log" 2>&1 &
  base_pid=$!
}
root_is_made() { wait "$base_pid" || { cat "$work/base.log"; return 1; }; }
prepare_nodes() {
  check "a minimal system of this release" root_is_made
  start_network
  [[ -e $roots/base.tar ]]
}

# journey: onto a stick and off it again.
journey() {
  check "the bundle fits on a FAT disk and comes off it" through_fat "$bundle" "$usb"
  check "no file is lost or changed on the way" same_files "$bundle" "$usb/outputs"
}
through_fat() {
  local disk=$work/disk.img megabytes
  # A FAT32 has at least 65525 clusters, so a small one is not possible.
  megabytes=$(($(du -sm --apparent-size "$1" | cut -f 1) * 11 / 10 + 512))
  truncate -s "${megabytes}M" "$disk" && PATH=$PATH:/sbin:/usr/sbin mkfs.vfat -F 32 "$disk" >"$work/mkfs.log" &&
    mcopy -s -Q -i "$disk" "$1" ::/outputs </dev/null && mkdir -p "$2" && mcopy -s -n -i "$disk" ::/outputs "$2/" &&
    rm "$disk" && find "$2" -type f -exec chmod 644 {} +
}
same_files() { diff <(cd "$1" && find . -type f -o -type l | sort) <(cd "$2" && find . -type f | sort) && diff -rq "$1" "$2"; }
