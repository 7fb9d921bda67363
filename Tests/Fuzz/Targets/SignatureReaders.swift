import FoundationEssentials
import SystemPackage

@testable import Trust

/// Readers of keys and signatures.
let signatureReaders = [
  Reader("signature") { bytes in
    for found in [try? SSHSignature(armored: bytes), try? SSHSignature(blob: bytes)] {
      guard let signature = found else { continue }
      try holdReading(of: signature, signature.armored) { try SSHSignature(armored: Array($0.utf8)) }
      // 64 bytes that sign this text are not found by chance.
      let isGood = (try? signature.verify(Array("a statement".utf8), namespace: signature.namespace)) != nil
      try hold(!isGood, "a signature over something else is refused")
    }
  },
  Reader("allowed-signers") { bytes in
    guard let signers = try? AllowedSigners(bytes) else { return }
    for entry in signers.entries {
      try hold(!entry.principals.isEmpty, "an entry has a name")
      _ = entry.isFor(principal: "release@example.com")
      _ = try? signers.entry(for: entry.key, principal: nil, namespace: "file", at: 1_800_000_000)
    }
  },
  Reader("ssh-key") { bytes in
    if let key = try? SSHPublicKey(line: String(decoding: bytes, as: UTF8.self)) {
      try holdReading(of: key, key.line()) { try SSHPublicKey(line: $0) }
    }
    _ = try? SSHPublicKey(blob: bytes)
    _ = try? OpenSSHPrivateKey.publicKey(armored: bytes)
    guard let key = try? OpenSSHPrivateKey(armored: bytes) else { return }
    try holdReading(of: key.publicKey, key.armored()) {
      try OpenSSHPrivateKey(armored: Array($0.utf8)).publicKey
    }
    try hold(!"\(key)".contains(key.armored().dropFirst(80).prefix(40)), "a key does not tell its secret")
  },
]
