# Bundles of real kubespray trees, whose downloads are this machine's programs and stand-ins. Sourced by run.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in the scripts that source this

programs_folder=$work/programs
bundles=$(realpath "${BUNDLES:-$work}")/bundles # by version

# version_of_tree TREE: a release that nobody has published, since one that is known has to have its own files.
version_of_tree() {
  local version
  version=$(sed -n 's/^version: *//p' "$1/galaxy.yml")
  echo "${version%.*}.$((90 + ${version##*.}))"
}

# make_bundles: a bundle of each tree, in $bundles/VERSION.
make_bundles() {
  local tree
  check "programs of Debian" fetch_programs
  open_world
  # The product's own lists, for the release of this machine and for others that were asked for.
  cp -R "$deployment/../../pkglist/." "$site/pkglist/"
  printf '%s\n' openssh-client openssh-server tree >"$site/pkglist/debian/of-the-tests.txt"
  [[ -z ${SYSTEMS-} ]] || echo "  targets: [host, ${SYSTEMS// /, }]" >>"$site/config/config.yml"
  for tree in "${trees[@]}"; do make_bundle_of "$tree"; done
  close_world
}
# make_bundle_of TREE
make_bundle_of() {
  kubespray_version=$(version_of_tree "$1")
  sed -i "s/^  version: .*/  version: $kubespray_version/" "$site/config/config.yml"
  check "$kubespray_version: what the public hosts serve, made of $(basename "$1")" serve_tree "$1"
  run download_all
  check "$kubespray_version: download-all makes the bundle" exits 0
  after_bundle "$1"
  mkdir -p "$bundles" && mv "$site/outputs" "$bundles/$kubespray_version"
}
# after_bundle TREE: what a script has to ask while the public hosts are there.
after_bundle() { :; }
serve_tree() {
  local wanted given
  rm -rf "$work/tree" && cp -R "$1" "$work/tree" || return 1
  run download_all plan --json --kubespray-source "$work/tree" files
  exits 0 || return 1
  cp "$work/out" "$work/plan.json"
  mapfile -t given < <("$deployment/make-releases" "$work/plan.json" "$programs_folder" "$deployment/stand-ins" "$work/releases")
  "$end_to_end/make-origin" "$work/plan.json" "$origin" "$work/tree" "$work/expected" "${given[@]}" || return 1
  serve_kubespray "$work/tree" "$kubespray_version"
  run download_all plan --json --kubespray-source "$work/tree" images
  exits 0 || return 1
  mapfile -t wanted < <(python3 -c 'import json, sys; print(*json.load(sys.stdin)["images"], sep="\n")' <"$work/out")
  "$end_to_end/make-images" named "$registry" "${wanted[@]}" >"$work/wanted.tsv" &&
    make_admin_images >"$work/admin.tsv" && cat "$work/wanted.tsv" "$work/admin.tsv" >>"$images_made"
}

# fetch_programs: containerd 2, etcd, kubectl and the CNI plugins, which the newest Debian has, and which run on this one; a
# Python module for the stand-ins; this machine's skopeo, with its libraries. CONTAINERD names a folder with a containerd
# that is newer than Debian's.
fetch_programs() {
  local cache=${ROOT_CACHE:-$work} archive name place
  archive=$(archive_of sid)
  mkdir -p "$programs_folder" "$cache/programs"
  [[ -s $cache/programs/Packages ]] ||
    curl -sSfL "${archive%/}/dists/sid/main/binary-$(dpkg --print-architecture)/Packages.xz" | xz -d >"$cache/programs/Packages" || return 1
  for name in containerd etcd-server etcd-client kubectl containernetworking-plugins python3-yaml; do
    place=$(awk -v name="$name" '$1 == "Package:" { ok = $2 == name } ok && $1 == "Filename:" { print $2 }' "$cache/programs/Packages" | tail -n 1)
    [[ -s $cache/programs/$name.deb ]] || curl -sSfL -o "$cache/programs/$name.deb" "${archive%/}/$place" || return 1
    dpkg-deb -x "$cache/programs/$name.deb" "$programs_folder" || return 1
  done
  install -m 755 "$(PATH=$PATH:/usr/sbin command -v runc)" "$programs_folder/usr/bin/runc"
  [[ -z ${CONTAINERD-} ]] ||
    install -m 755 "$CONTAINERD"/{containerd,containerd-shim-runc-v2,ctr} "$programs_folder/usr/bin/" || return 1
  # Only where it is needed: with it containerd cannot ask for names any more on newer releases, as these tests do not.
  [[ " ${SYSTEMS-} " != *" debian-11 "* ]] ||
    "$deployment/for-older-libc" "$programs_folder"/usr/bin/{containerd,containerd-shim-runc-v2,ctr} "$programs_folder"/usr/lib/cni/* || return 1
  make_skopeo || return 1
  "$programs_folder/usr/bin/containerd" --version && "$programs_folder/usr/bin/etcd" --version
}
# make_skopeo: as one file, as the one that kubespray downloads is; it unpacks itself when it is started first.
make_skopeo() {
  local folder=$work/skopeo loader
  with_libraries "$folder" "$(command -v skopeo)" /skopeo
  loader=$(cd "$folder" && find . -name 'ld-linux*' | head -n 1)
  {
    cat <<END
#!/bin/sh
set -eu
place=/var/lib/stand-in-skopeo
if [ ! -e \$place/whole ]; then
  rm -rf \$place
  mkdir -p \$place
  sed '1,/^# what follows is packed$/d' "\$0" | tar -C \$place -xzf -
  touch \$place/whole
fi
exec "\$place/$loader" --library-path "\$place/lib/$(uname -m)-linux-gnu:\$place/usr/lib/$(uname -m)-linux-gnu" "\$place/skopeo" "\$@"
# what follows is packed
END
    tar -C "$folder" -czf - .
  } >"$programs_folder/usr/bin/skopeo"
  chmod 755 "$programs_folder/usr/bin/skopeo"
}
