# Container images: pulled from stand-ins of the public registries, and loaded by podman, containerd and skopeo.
# Sourced by run, after registry.sh.

# shellcheck shell=bash disable=SC2154,SC2034 # what is defined in run

made=$work/images.tsv # what make-images has made: kind, reference, digests
archives=$outputs/images
private_podman=(podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs --cgroup-manager cgroupfs)
private_ctr=(ctr --address "$work/containerd/socket")

image_tools_missing() {
  local tool missing=()
  for tool in docker-registry podman skopeo containerd ctr busybox zstd; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ ${#missing[@]} -gt 0 ]] && echo "${missing[*]}"
}

images() {
  local missing
  if missing=$(image_tools_missing); then
    echo "SKIP images: not installed here: $missing"
    return
  fi
  start_registry
  check "images of every kind are made" make_all_images
  images_bundle
  images_rerun
  images_packed
  images_loaded
  images_of_arm64
  images_of_a_list
  images_that_fail
}

# Those that kubespray wants, and one of every kind.
make_all_images() {
  local wanted
  run plan --json --kubespray-source "$work/tree" files
  exits 0 || return 1
  mapfile -t wanted < <(python3 -c 'import json, sys; print(*json.load(sys.stdin)["images"], sep="\n")' <"$work/out")
  "$here/make-images" named "$registry" "${wanted[@]}" >"$work/wanted.tsv" &&
    "$here/make-images" named "$registry" docker.io/library/registry:3.0.0 >"$work/admin.tsv" &&
    "$here/make-images" kinds "$registry" >"$work/kinds.tsv" &&
    cat "$work/kinds.tsv" "$work/admin.tsv" >"$work/additional.tsv" &&
    cat "$work/wanted.tsv" "$work/additional.tsv" >"$made"
}
references() { cut -f 2 "$1"; }
is_in_list() { diff <(sort -u "$1") <(references "$2" | sort -u); }

images_bundle() {
  local mark
  mkdir -p "$site/imagelists"
  # Short names, comments, blank lines, and one image twice.
  { echo "# Kinds of images"; echo; references "$work/kinds.tsv" | sed 's,^docker.io/library/,,'; echo "nginx:1.29.4  # again"; } \
    >"$site/imagelists/images.txt"
  mark=$(registry_mark)
  run kubespray images
  check "images: the first run succeeds" exits 0
  check "images: each archive is the registry's image, bit by bit" "$here/check-images" "$archives" "$made"
  check "images: images.list has kubespray's" is_in_list "$archives/images.list" "$work/wanted.tsv"
  check "images: additional-images.list has the others" is_in_list "$archives/additional-images.list" "$work/additional.tsv"
  check "images: bundle.json lists exactly what is there" "$here/check-bundle" "$outputs"
  check "images: bundle.json says which are signed" says_what_is_signed
  check "images: the run says it too" says "1 of [0-9]+ images are signed by their publishers; not signed: docker.io/"
  check "images: no blob is fetched twice" no_blob_twice_since "$mark"
  check "images: no token went to another host" no_token_abroad
}
registry_mark() { log_fence; wc -l <"$registry_log"; }
registry_since() { log_fence; tail -n "+$(($1 + 1))" "$registry_log"; }
no_blob_twice_since() {
  ! registry_since "$1" | grep -oE '^20[06] GET .*/blobs/sha256:[0-9a-f]+' | grep -oE '[0-9a-f]{64}' | sort | uniq -d | grep .
}
no_token_abroad() { ! grep -v ' registry-1.docker.io/' "$registry_log" | grep -E 'auth=[^-]'; }

images_rerun() {
  local mark
  mark=$(registry_mark)
  run kubespray images
  check "images: a rerun succeeds" exits 0
  check "images: a rerun fetches no blob" no_blob_since "$mark"
  run
  check "all stages together succeed" exits 0
  check "all stages together fetch no blob again" no_blob_since "$mark"
  check "all stages together are in bundle.json" all_stages_listed
  run verify
  check "verify finds all of it whole" exits 0
}
all_stages_listed() {
  python3 -c '
import json, sys
stages = json.load(open(sys.argv[1]))["stages"]
assert stages == "precheck pkgs py kubespray pypi files images repo scripts prove".split(), stages' "$outputs/bundle.json"
}
no_blob_since() { ! registry_since "$1" | grep -E '^20[06] GET .*/blobs/'; }

# In the format of kubespray's own scripts. The scripts themselves are not here: see Tests/Conformance/contrib.
says_what_is_signed() {
  python3 -c 'import json, sys
images = [file["image"] for file in json.load(open(sys.argv[1]))["files"] if "image" in file]
signed = [image["reference"] for image in images if any(item["isSignature"] for item in image["attached"])]
assert signed == ["quay.io/signed/app:1"], signed' "$outputs/bundle.json"
}

images_packed() {
  run pack --format contrib --to "$work/packed"
  check "pack: a bundle becomes contrib/offline's archives" exits 0
  check "pack: every image is in the list, and there" packed_images
  check "pack: podman loads one, and the registry under the name that register wants" packed_loads
  check "pack: every file lies by host and path" packed_files
}
packed_images() {
  tar -C "$work/packed" -xzf "$work/packed/container-images.tar.gz" &&
    [[ $(wc -l <"$work/packed/container-images/container-images.txt") == $(wc -l <"$made") ]] &&
    (cd "$work/packed/container-images" && cut -d ' ' -f 1 container-images.txt | xargs ls)
}
packed_loads() {
  local folder=$work/packed/container-images
  loaded=$folder/docker.io-library-nginx-1.29.4.tar podman_loads docker.io/library/nginx:1.29.4 &&
    loaded=$folder/registry-latest.tar podman_loads docker.io/library/registry:latest
}
packed_files() {
  tar -C "$work/packed" -xzf "$work/packed/offline-files.tar.gz" && lies_by_host_and_path "$work/packed/offline-files"
}

images_loaded() {
  local kind reference digest name
  start_containerd
  while IFS=$'\t' read -r kind reference _ digest _; do
    loaded=$archives/$(tr / _ <<<"$reference" | tr : -).tar.gz
    name=$reference
    if [[ $reference == *@* ]]; then
      digest=${reference#*@}
      name=${reference%%[:@]*}@$digest # podman drops a tag beside a digest
    fi
    check "podman load: $kind gets its name" podman_loads "$name"
    check "ctr images import: $kind gets its name and digest" ctr_imports "$reference" "$digest"
    check "skopeo inspect: $kind has the registry's digest" skopeo_sees "$digest"
  done <"$work/kinds.tsv"
  check "ctr run: an image runs" ctr_runs docker.io/library/nginx:1.29.4 "hello from library/nginx"
  check "ctr run: an image with zstd layers runs" ctr_runs quay.io/calico/node:v3.30.5 "hello from calico/node"
  stop_containerd
}
podman_loads() {
  "${private_podman[@]}" load --quiet --input "$loaded" | tee "$work/loaded" && grep -qxF "Loaded image: $1" "$work/loaded"
}
# ctr 1.6 does not unzip.
ctr_imports() {
  gunzip --stdout "$loaded" | "${private_ctr[@]}" images import - &&
    "${private_ctr[@]}" images list "name==$1" | tee "$work/listed" && grep -qF "$2" "$work/listed"
}
skopeo_sees() { [[ $(skopeo inspect --format '{{.Digest}}' "oci-archive:$loaded" | tee /dev/stderr) == "$1" ]]; }
ctr_runs() { [[ $("${private_ctr[@]}" run --rm --net-host "$1" "test-$RANDOM" | tee /dev/stderr) == "$2" ]]; }

start_containerd() {
  mkdir -p "$work/containerd"
  cat >"$work/containerd/config.toml" <<END
version = 2
root = "$work/containerd/root"
state = "$work/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$work/containerd/socket"
END
  containerd --config "$work/containerd/config.toml" >"$work/containerd/log" 2>&1 &
  containerd_pid=$!
  wait_until "${private_ctr[@]}" version >"$work/containerd/version" 2>&1
}
stop_containerd() {
  [[ -z ${containerd_pid-} ]] || { kill -TERM "$containerd_pid" && wait "$containerd_pid"; } || true
  containerd_pid=
}

images_of_arm64() {
  awk -F "\t" '$5 != "-" { print $2 }' "$work/kinds.tsv" >"$work/arm64.txt"
  run images --images-from "$work/arm64.txt" --architecture arm64 --outputs "$work/arm64"
  check "images: those of another architecture are fetched" exits 0
  check "images: they are of that architecture" "$here/check-images" "$work/arm64/images" "$work/kinds.tsv" arm64
}

images_of_a_list() {
  printf '# only this one\nquay.io/metallb/speaker:v0.14.9\n' >"$work/list.txt"
  run images --images-from "$work/list.txt"
  check "images: --images-from takes another list" exits 0
  check "images: what is no longer wanted is gone" nothing_at "$archives/docker.io_library_nginx-1.29.4.tar.gz"
  check "images: what is wanted stays" "$here/check-images" "$archives" <(grep -F "$(tail -n 1 "$work/list.txt")" "$made")
}

images_that_fail() {
  printf '\nnginx:9.9.9\nquay.io/metallb/speaker:v0.14.9\n' >"$work/list.txt"
  rm -rf "$archives"
  run images --images-from "$work/list.txt"
  check "images: one that is not there is exit status 1" exits 1
  check "images: it is named" says "docker.io/library/nginx:9.9.9"
  check "images: so are the list and the line" says "list.txt.* 2"
  check "images: the others are there" "$here/check-images" "$archives" <(grep -F quay.io/metallb "$made")
}
