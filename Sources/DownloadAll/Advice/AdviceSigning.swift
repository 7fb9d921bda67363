import Bundle

extension SigningFailed: Advised {
  var problemKind: String { "bundle-signing-key" }
  var subject: String? { "\(path)" }
  var fact: String { detail }

  var advice: String? {
    switch reason {
    case .unreadable:
      "Correct signing.key (--bundle-signing-key, or --key of sign). To make a key: download-all key"
    case .unusable:
      "Name an Ed25519 key of OpenSSH, or the .pub file of one that ssh-agent or a FIDO token holds. "
        + "To make a key: download-all key"
    case .refused:
      "A passphrase or PIN is asked for on the terminal; without one, load the key with ssh-add, or set SSH_ASKPASS. "
        + "A bundle that was finished stays as it is; to sign it: download-all sign --key FILE"
    }
  }
}

extension UnsignableBundle: Advised {
  var problemKind: String { "bundle-signature" }
  var subject: String? { "\(path)" }
  var fact: String { detail }

  var advice: String? {
    switch kind {
    case .oldFormat: "Close it again with this version: download-all"
    case .falseSignature:
      "One of the two was changed after it was signed; find out which and why. What download-all verify finds intact "
        + "can be signed once that signature is removed."
    case .tooManySignatures: "Remove those that nobody checks."
    }
  }
}

extension AllowedSignersUnusable: Advised {
  var problemKind: String { "allowed-signers" }
  var subject: String? { "\(path)" }
  var fact: String { reason }
  var advice: String? { "Correct the file; download-all key prints a line for it." }
}

extension KeyNotMade: Advised {
  var problemKind: String { "bundle-signing-key" }
  var subject: String? { "\(path)" }
  var fact: String { detail }

  var advice: String? {
    switch kind {
    case .exists: "Choose another name with --file; a key that is lost cannot be made again."
    case .badName: "Give one of letters, digits and . _ - + @ with --name, such as alice@example.com."
    }
  }
}
