import Bundle
import Files
import Foundation
import Host
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import DownloadAll

/// A bundle on a medium, signed with real keys, and the script that came on another way.
private struct SignedStick {
  let folder: FilePath
  let stick: FilePath
  let script: FilePath
  let signers: FilePath

  init(_ folder: FilePath) async throws {
    self.folder = folder
    stick = folder.appending("USB DISK")
    script = folder.appending("verify-bundle")
    signers = folder.appending("trust/allowed_signers")
    try put(VerifyBundleScript.text, at: script)
    try put("echo \"ran $0\"\nprintf '<%s>' \"$@\"\n", at: stick.appending("target-setup"))
    try put("the program\n", at: stick.appending("lib/target-setup"))
    try put("a library\n", at: stick.appending("lib/libx.so.1"))
    try put("a kubelet\n", at: stick.appending("files/kubelet"))
    try put("sums\n", at: stick.appending("SHA256SUMS"))
    var lines = ""
    for name in ["ann", "bob", "eve"] {
      let key = folder.appending(name)
      _ = try await Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key.string, "-C", name])
        .output()
      let words = try #require(text(FilePath("\(key).pub"))).split(separator: " ")
      if name != "eve" {
        lines += "\(name)@example.com namespaces=\"kubespray-offline-bundle\" \(words[0]) \(words[1])\n"
      }
    }
    try put(lines, at: signers)
    try describe()
    try await sign("ann")
  }

  /// Writes the manifest of what is there.
  func describe() throws {
    let names = try BundleTree.files(below: stick).filter { !$0.hasPrefix(Manifest.fileName) }
    try Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64",
      stages: [.files],
      files: try names.map { name in
        let bytes = try readBytes(stick.pushing(FilePath(name)))
        var file = ManifestFile(
          path: try BundlePath(name), size: Int64(bytes.count), sha256: Digest(of: bytes),
          url: "https://example.com/\(name)", stage: .files, verification: .generated)
        if name == "files/kubelet" {
          file.image = ManifestImage(
            reference: try ImageReference("nginx:1"), digest: Digest(of: bytes), platforms: ["linux/amd64"],
            layers: 1)
        }
        return file
      }
    ).save(to: stick)
  }

  func sign(_ name: String, as suffix: String = "", namespace: String = "kubespray-offline-bundle")
    async throws
  {
    let copy = folder.appending("to-sign")
    try writeAtomically(try readBytes(stick.appending(Manifest.fileName)), to: copy)
    try removeFile(FilePath("\(copy).sig"))
    _ = try await Command(
      "ssh-keygen", ["-q", "-Y", "sign", "-f", folder.appending(name).string, "-n", namespace, copy.string]
    ).output()
    try moveFile(FilePath("\(copy).sig"), to: stick.appending("bundle.json.sig\(suffix)"))
  }

  func run(_ shell: [String], _ arguments: [String] = ["all", "--address", "a b"]) async throws
    -> CommandResult
  {
    let words = shell.dropFirst() + [script.string, stick.string, signers.string] + arguments
    return try await Command(
      shell[0], Array(words), environment: ["VERIFY_BUNDLE_FOLDER": folder.string]
    ).run()
  }

  func change(_ name: String) throws {
    let place = stick.pushing(FilePath(name))
    let bytes = try readBytes(place)
    let middle = bytes.count / 2
    try writeAtomically(
      Array(bytes[..<middle]) + [bytes[middle] ^ 1] + Array(bytes[(middle + 1)...]), to: place)
  }
}

/// The shells of this machine that stand for those of others.
private let shells: [[String]] = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter { shell in
  ["/bin", "/usr/bin"].contains { fileExists(FilePath($0).appending(shell[0])) }
}

@Suite("The script verify-bundle", .enabled(if: geteuid() == 0, "the script wants root"))
struct VerifyBundleScriptTests {
  private func withStick(_ body: (SignedStick) async throws -> Void) async throws {
    try await withFolder { try await body(try await SignedStick($0)) }
  }

  @Test("a bundle of an allowed signer is run from a copy, which is then gone", arguments: shells)
  func good(_ shell: [String]) async throws {
    try await withStick { stick in
      // Whatever else lies there does not come along.
      try put("not listed\n", at: stick.stick.appending("lib/libevil.so"))
      let result = try await stick.run(shell)
      #expect(result.status == 0, "\(result)")
      let copy = "ran \(stick.folder)/kubespray-offline-verified."
      #expect(result.standardOutput.hasPrefix(copy), "\(result)")
      #expect(
        result.standardOutput.hasSuffix(
          "<--bundle><\(stick.stick)><all><--address><a b><--allowed-signers><\(stick.signers)>"), "\(result)"
      )
      #expect(result.standardError.contains("was signed by ann@example.com"))
      #expect(try listFolder(stick.folder).allSatisfy { !$0.hasPrefix("kubespray-offline") })
      let plain = try await stick.run(shell, [])
      #expect(
        plain.standardOutput.hasSuffix(
          "<--bundle><\(stick.stick)><verify><--allowed-signers><\(stick.signers)>"))
    }
  }

  private func expectRefusal(
    _ what: String, saying words: String, _ change: (SignedStick) async throws -> Void
  ) async throws {
    for shell in shells {
      try await withStick { stick in
        try await change(stick)
        let result = try await stick.run(shell)
        #expect(result.status == 1 && !result.standardOutput.contains("ran"), "\(shell) \(what): \(result)")
        #expect(result.standardError.contains(words), "\(shell) \(what): \(result)")
        #expect(result.standardError.contains("Nothing of the bundle was run"))
        #expect(try listFolder(stick.folder).allSatisfy { !$0.hasPrefix("kubespray-offline") })
      }
    }
  }

  @Test(
    "one changed byte is refused",
    arguments: [
      ("lib/libx.so.1", "lib/libx.so.1: FAILED"), ("lib/target-setup", "lib/target-setup: FAILED"),
      ("target-setup", "target-setup: FAILED"), ("SHA256SUMS", "SHA256SUMS: FAILED"),
      ("bundle.json", "is signed by 0 of the 1"), ("bundle.json.sig", "is signed by 0 of the 1"),
    ])
  func changed(_ name: String, _ words: String) async throws {
    try await expectRefusal(name, saying: words) { try $0.change(name) }
  }

  @Test(
    "a link, a folder or a pipe in place of a file is refused, and so is a missing one",
    arguments: [
      "bundle.json", "bundle.json.sig", "target-setup", "lib/target-setup", "lib/libx.so.1", "SHA256SUMS",
    ])
  func replaced(_ name: String) async throws {
    let words = name == "bundle.json.sig" ? "not signed" : "\(name) is missing, or is not a file"
    try await expectRefusal("\(name) missing", saying: words) {
      try removeFile($0.stick.pushing(FilePath(name)))
    }
    try await expectRefusal("\(name) linked", saying: "\(name) is missing, or is not a file") {
      let place = $0.stick.pushing(FilePath(name))
      try moveFile(place, to: $0.folder.appending("moved"))
      try createLink(place, to: $0.folder.appending("moved").string)
    }
    try await expectRefusal("\(name) is a pipe", saying: "\(name) is missing, or is not a file") {
      let place = $0.stick.pushing(FilePath(name))
      try removeFile(place)
      #expect(mkfifo(place.string, 0o644) == 0)
    }
  }

  @Test("a folder lib/ that is a link is refused")
  func linkedFolder() async throws {
    try await expectRefusal("lib linked", saying: "is missing, or is not a file") {
      try moveFile($0.stick.appending("lib"), to: $0.folder.appending("lib"))
      try createLink($0.stick.appending("lib"), to: "../lib")
    }
  }

  @Test("another key, another purpose, and somebody else's signed manifest are refused")
  func otherKeys() async throws {
    try await expectRefusal("other key", saying: "is signed by 0 of the 1") { try await $0.sign("eve") }
    try await expectRefusal("other purpose", saying: "is signed by 0 of the 1") {
      try await $0.sign("ann", namespace: "file")
    }
    try await expectRefusal("signed by eve anew", saying: "is signed by 0 of the 1") {
      try $0.change("target-setup")
      try $0.describe()
      try await $0.sign("eve")
    }
  }

  @Test("with a threshold so many different signers must have signed")
  func threshold() async throws {
    try await expectRefusal("one of two", saying: "is signed by 1 of the 2") {
      try put("2\n", at: $0.folder.appending("trust/threshold"))
      try await $0.sign("ann", as: ".2")
    }
    try await expectRefusal("no number", saying: "threshold is not a number") {
      try put("two\n", at: $0.folder.appending("trust/threshold"))
    }
    for shell in shells {
      try await withStick { stick in
        try put("2\n", at: stick.folder.appending("trust/threshold"))
        try await stick.sign("bob", as: ".2")
        let result = try await stick.run(shell)
        #expect(result.status == 0 && result.standardOutput.contains("ran"), "\(result)")
      }
    }
  }

  @Test("a manifest in another form, or one that lists no program, is refused")
  func otherForm() async throws {
    let words = "lists no target-setup in the form that this script reads"
    try await expectRefusal("one line", saying: words) {
      let place = $0.stick.appending("bundle.json")
      let object = try JSONSerialization.jsonObject(with: Data(try readBytes(place)))
      try writeAtomically(Array(try JSONSerialization.data(withJSONObject: object)), to: place)
      try await $0.sign("ann")
    }
    try await expectRefusal("no program", saying: words) {
      try removeFile($0.stick.appending("target-setup"))
      try $0.describe()
      try await $0.sign("ann")
    }
  }

  @Test("the gate to the terminal leaves the script as it is")
  func printable() {
    #expect(VerifyBundleScript.text.utf8.allSatisfy { $0 == 10 || (32..<127).contains($0) })
  }
}
