# Signing by a FIDO security key: the real ssh-keygen, with a key in software in place of the hardware. Sourced by run.

# shellcheck shell=bash disable=SC2154 # what is defined in run

# make_security_key: what ssh-keygen loads, and a key of it, and one that wants a PIN.
make_security_key() {
  local version
  # Each OpenSSH takes one version of the interface, and says which.
  for version in 0x000a0000 0x00090000 0x00080000; do
    cc -shared -fPIC "-DAPI_VERSION=$version" -o "$work/security-key.so" "$here/../Fixtures/security-key.c" -lcrypto || return 1
    rm -f "$work/token" "$work/token.pub"
    if ssh-keygen -q -t ed25519-sk -N '' -C ann -w "$work/security-key.so" -f "$work/token"; then break; fi
  done
  "$here/answer" 'Enter PIN' 1234 ssh-keygen -q -t ed25519-sk -N '' -C bob -O verify-required -w "$work/security-key.so" \
    -f "$work/careful" && ls -l "$work/token" "$work/careful"
}
signature_holds() {
  echo "$1 namespaces=\"kubespray-offline-bundle\" $(cut -d ' ' -f 1-2 "$2.pub")" >"$work/signers"
  (cd "$outputs" && ssh-keygen -Y verify -f "$work/signers" -I "$1" -n kubespray-offline-bundle -s "$3" <bundle.json)
}
sign_with() { (cd "$site" && SSH_SK_PROVIDER=$work/security-key.so "${@:2}" "$program" sign --no-progress --key "$1") >"$work/out" 2>&1; }

security_keys() {
  check "security key: a key in software is made by ssh-keygen" make_security_key
  check "security key: the bundle is signed" sign_with "$work/token" env SSH_ASKPASS=/nonexistent
  check "security key: a person is told to touch it" grep -q "touch it when it blinks (SHA256:" "$work/out"
  check "security key: ssh-keygen accepts the signature" signature_holds ann "$work/token" bundle.json.sig
  check "security key: so does verify" verifies_with "$work/signers"
  check "security key: the PIN is asked for on the terminal" sign_with "$work/careful" "$here/answer" 'Enter PIN' 1234
  check "security key: and with it there is a second signature" signature_holds bob "$work/careful" bundle.json.sig.2
  rm -f "$outputs"/bundle.json.sig.2
  check "security key: a wrong PIN signs nothing" fails sign_with "$work/careful" "$here/answer" 'Enter PIN' 4321
  check "security key: and leaves no signature" nothing_at "$outputs/bundle.json.sig.2"
  rm -f "$outputs"/bundle.json.sig
}
verifies_with() { (cd "$site" && "$program" verify --no-progress --allowed-signers "$1"); }
