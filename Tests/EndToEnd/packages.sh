# Packages of the operating system and of Python: a small list, from the real archives that this machine's own package
# clients know, installed where there is nothing else. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

debs=$outputs/debs/local

# prepare_packages: what the folder of the project has for the stages pypi, repo and scripts, but less.
prepare_packages() {
  local minor
  minor=$(python3 -c 'import sys; print(sys.version_info.minor)')
  cp -R "$here/../../target-scripts" "$site/"
  mkdir -p "$site/config" "$site/pkglist/debian" "$site/pkglist/ubuntu" "$site/pkglist/rhel"
  printf '# A short list\njq\nxz-utils\n' | tee "$site/pkglist/debian/pkgs.txt" >"$site/pkglist/ubuntu/pkgs.txt"
  printf 'jq\nxz\n' >"$site/pkglist/rhel/pkgs.txt"
  # One Python and no source distributions: tens of megabytes less.
  cat >"$site/config/config.yml" <<END
pypi:
  pythons: ["3.$minor"]
  source_distributions: false
  extra: [pip, setuptools]
END
}

packages() {
  if ! { command -v apt-get && command -v debootstrap; } >/dev/null; then
    echo "SKIP packages: no apt-get and debootstrap here"
    return
  fi
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  packages_planned
  packages_killed
  packages_rerun
  packages_changed
  packages_installed
}

packages_planned() {
  run plan pypi repo
  check "packages: a plan has one line for a repository" says "^packages +debs/local +[0-9]+ "
  check "packages: a plan installs nothing on a machine that has all" silent_about "would install" "$work/err"
  check "packages: a plan fetches no package" nothing_at "$debs"
}

# A dozen packages in, half a megabyte a second would last for minutes.
some_packages() { [[ $(find "$debs" -name '*.deb' 2>/dev/null | wc -l) -ge 12 ]]; }
packages_killed() {
  local have
  LIMIT_RATE=500K start repo
  check "packages: kill -9 meets the repository in its midst" wait_until some_packages
  kill -KILL -- "-$background"
  finish
  check "packages: a killed run leaves no index" nothing_at "$debs/Packages"
  have=$(find "$debs" -name '*.deb' | wc -l)
  run pypi repo scripts
  check "packages: the run after kill -9 succeeds" exits 0
  check "packages: what was there is not fetched again" skipped_at_least repo "$have"
  check "packages: nothing was installed on this machine" silent_about "pkgs.*installing" "$work/err"
  check "packages: bundle.json lists exactly what is there" "$here/check-bundle" "$outputs"
  check "packages: the index has exactly the packages" index_fits
  check "packages: config.sh has the versions for the shell project's scripts" grep -qE "^NGINX_VERSION=[0-9]" "$outputs/config.sh"
  check "packages: config.yml says for which release they are" grep -qE "^  host: \"?(debian|ubuntu)-" "$outputs/config.yml"
  check "packages: every script can be read by sh" scripts_parse
}
skipped_at_least() { # skipped_at_least STAGE COUNT: the table's column WHOLE
  [[ $(awk -v stage="$1" '$1 == stage && $2 == "done" { whole = $4 } END { print whole + 0 }' "$work/out") -ge $2 ]]
}
index_fits() {
  diff <(sed -n 's,^Filename: ,,p' "$debs/Packages" | sort) <(cd "$debs" && find pkgs -name '*.deb' | sort)
}
scripts_parse() {
  local script
  for script in "$outputs"/*.sh; do sh -n "$script" || return 1; done
}

packages_rerun() {
  local before
  before=$(stat -c %y "$outputs/bundle.json")
  run pypi repo scripts
  check "packages: a rerun succeeds" exits 0
  check "packages: a rerun asks no repository" says "as resolved at"
  check "packages: a rerun finds all of it whole" nothing_fetched
  check "packages: a rerun leaves bundle.json" [ "$before" = "$(stat -c %y "$outputs/bundle.json")" ]
}
# Every stage of the table: as many files whole as there are, and no byte fetched.
nothing_fetched() { awk '$2 == "done" && ($3 != $4 || $5 != 0) { print; bad = 1 } END { exit bad }' "$work/out"; }

packages_changed() {
  local list=$site/pkglist
  sed -i '$a bc' "$list/debian/pkgs.txt" "$list/ubuntu/pkgs.txt"
  run repo
  check "packages: a longer list succeeds" exits 0
  check "packages: the new package is there" compgen -G "$debs/pkgs/bc_*.deb"
  check "packages: the longer list's index fits" index_fits
  sed -i '/^bc$/d' "$list/debian/pkgs.txt" "$list/ubuntu/pkgs.txt"
  run repo
  check "packages: the shorter list succeeds" exits 0
  check "packages: the package that nobody wants is gone" [ -z "$(compgen -G "$debs/pkgs/bc_*.deb")" ]
  check "packages: its removal is told" says "removed debs/local/pkgs/bc_"
  check "packages: the shorter list's index fits" index_fits
  check "packages: bundle.json agrees" "$here/check-bundle" "$outputs"
}

packages_installed() {
  printf 'ansible-core\njmespath\n' >"$work/requirements.txt"
  check "packages: a fresh system installs them from the bundle alone" \
    "$here/../Packages/install-debs" "$debs" "$suite" jq xz-utils
  check "packages: pip installs from the bundle alone" \
    "$here/../Packages/install-wheels" "$outputs/pypi" "$work/requirements.txt" "$(command -v python3)"
}
